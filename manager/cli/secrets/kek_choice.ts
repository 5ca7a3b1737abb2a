/** Which KEK a command uses: what options and variables name, where the settings remember it, or the person is asked. */
import { resolve } from "node:path";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { createKeyFile, CREDENTIAL_KIND, KEY_FILE_KIND, openKeyFile } from "../../keys/key_file.ts";
import { KMS_KIND } from "../../keys/kms.ts";
import { PASSPHRASE_KIND, passphraseKek } from "../../keys/passphrase.ts";
import { createTokenKek, pkcs11Kek } from "../../keys/pkcs11_kek.ts";
import { parsePkcs11Uri } from "../../keys/pkcs11_uri.ts";
import { PKI_KIND } from "../../keys/pki.ts";
import { type KekProvider, KekRegistry } from "../../keys/provider.ts";
import type { KekPlace } from "../../store/folder.ts";
import {
  eitherKek,
  type KekSecretOptions,
  OPENERS,
  PASSPHRASE_INSTEAD,
  passphraseSource,
  PLACE_OF,
  tokenPin,
} from "./kek_openers.ts";
import { passphraseFrom } from "./secret_input.ts";
import type { CliSurroundings } from "../surroundings.ts";

/** The options that every command with a KEK takes. */
export interface KekOptions extends KekSecretOptions {
  readonly keyFile?: string;
  readonly credential?: string;
  readonly pkiKey?: string;
  readonly pkcs11?: string;
  readonly kmsKey?: string;
  readonly kmsRegion?: string;
  readonly kmsEndpoint?: string;
}

/** A KEK that was chosen to protect a key from now on. */
export interface ChosenKek {
  readonly place: KekPlace;
  readonly open: () => Promise<KekProvider>;
}

/**
 * Every KEK that a stored key may ask for. Nothing is opened or asked before it does.
 *
 * @param places where the settings say it is, the one before a change under way last
 */
export function kekRegistry(options: KekOptions, places: readonly KekPlace[], s: CliSurroundings): KekRegistry {
  const registry = new KekRegistry();
  for (const [kind, openAt] of Object.entries(OPENERS)) {
    registry.register(kind, async () => {
      const candidates = candidatesOf(kind, options, places, s);
      if (candidates.length < 2) return await openAt(candidates[0] ?? {}, options, s);
      return await eitherKek(kind, candidates.map((place) => () => openAt(place, options, s)));
    });
  }
  return registry;
}

/** Where a KEK of a kind may be: what the command says counts alone. */
export function candidatesOf(
  kind: string,
  options: KekOptions,
  places: readonly KekPlace[],
  s: CliSurroundings,
): KekPlace[] {
  const name = (PLACE_OF as Readonly<Record<string, keyof KekPlace>>)[kind];
  if (name === undefined) return [];
  const said = { ...options, keyFile: options.keyFile ?? s.env("POSTERN_KEY_FILE") };
  const { kmsRegion, kmsEndpoint } = options;
  const over = {
    ...(kmsRegion === undefined ? {} : { kmsRegion }),
    ...(kmsEndpoint === undefined ? {} : { kmsEndpoint }),
  };
  const found = said[name];
  if (found !== undefined) {
    const isPath = name === "keyFile" || name === "pkiKey";
    // A key of KMS that is named anew may still be where the settings say.
    return [{ ...(name === "kmsKey" ? places[0] : {}), ...over, [name]: isPath ? resolve(s.cwd, found) : found }];
  }
  return places.filter((place) => place[name] !== undefined).map((place) => ({ ...place, ...over }));
}

/**
 * The KEK for a new or changed key: by the options, or by asking.
 *
 * @throws `usage` when options contradict each other, or nobody can be asked
 */
export async function chooseKek(options: KekOptions, s: CliSurroundings): Promise<ChosenKek> {
  const { keyFile, credential, passphraseFile, passphraseFd, pkiKey, pkcs11, kmsKey } = options;
  const wantsPassphrase = passphraseFile !== undefined || passphraseFd !== undefined;
  const named = [keyFile, credential, pkiKey, pkcs11, kmsKey].filter((one) => one !== undefined).length;
  if (named + (wantsPassphrase ? 1 : 0) > 1) {
    throw new PosternError(
      "usage",
      "Name one KEK: a passphrase, a key file, a systemd credential, a private key, a token's key or one of KMS",
    );
  }
  requireOwner(options);
  if (keyFile !== undefined) return keyFileKek(resolve(s.cwd, keyFile), s);
  if (credential !== undefined) return chosen(CREDENTIAL_KIND, { credential }, options, s);
  if (pkiKey !== undefined) return chosen(PKI_KIND, { pkiKey: resolve(s.cwd, pkiKey) }, options, s);
  if (pkcs11 !== undefined) return tokenKek(pkcs11, options, s);
  if (kmsKey !== undefined) {
    const { kmsRegion, kmsEndpoint } = options;
    return chosen(KMS_KIND, { kmsKey, kmsRegion, kmsEndpoint }, options, s);
  }
  if (wantsPassphrase || s.env("POSTERN_PASSPHRASE_FILE") !== undefined) return passphraseChoice(options, s);
  const kind = await s.ask.choose(
    "What shall protect the manager's keys?",
    [
      {
        value: PASSPHRASE_KIND,
        label: "A passphrase",
        hint: "asked for at each start; protects against whoever takes the disk",
      },
      {
        value: KEY_FILE_KIND,
        label: "A key file",
        hint: "unattended; on a USB stick, or it protects a lost backup only",
      },
    ],
    "name it with --passphrase-file, --key-file, --credential, --pki-key, --pkcs11 or --kms-key",
  );
  return kind === PASSPHRASE_KIND ? passphraseChoice(options, s) : keyFileKek(resolve(s.cwd, "kek.key"), s);
}

/** A passphrase for no key, or a region for none, is a slip of the pen. */
function requireOwner(options: KekOptions): void {
  const pairs = [
    ...[["pkiPassphraseFile", "pkiKey"], ["pkcs11PinFile", "pkcs11"]] as const,
    ...[["kmsRegion", "kmsKey"], ["kmsEndpoint", "kmsKey"]] as const,
  ];
  for (const [name, owner] of pairs) {
    if (options[name] === undefined || options[owner] !== undefined) continue;
    throw new PosternError("usage", `There is an option for a KEK that is not named: it goes with ${flag(owner)}`);
  }
}

function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function chosen(kind: string, place: KekPlace, options: KekOptions, s: CliSurroundings): ChosenKek {
  const open = async () => {
    const openAt = OPENERS[kind];
    if (openAt === undefined) throw new PosternError("usage", `There is no KEK of the kind '${kind}'`);
    return await openAt(place, options, s);
  };
  return { place, open };
}

function passphraseChoice(options: KekOptions, s: CliSurroundings): ChosenKek {
  const source = passphraseSource(options, s);
  const open = async () => {
    const passphrase = await passphraseFrom(source, s) ??
      await s.ask.newPassphrase("A new passphrase", PASSPHRASE_INSTEAD);
    return passphraseKek(passphrase, s.random);
  };
  return { place: {}, open };
}

/** A key file that is not there yet is made, of mode 0600. */
function keyFileKek(path: string, s: CliSurroundings): ChosenKek {
  const open = async () => {
    try {
      return await openKeyFile(path, s.uid, s.random);
    } catch (error) {
      if (!isPosternError(error, "not_found")) throw error;
    }
    await createKeyFile(path, s.random);
    return await openKeyFile(path, s.uid, s.random);
  };
  return { place: { keyFile: path }, open };
}

/** A key that is not in the token yet is made there. */
function tokenKek(uri: string, options: KekOptions, s: CliSurroundings): ChosenKek {
  parsePkcs11Uri(uri);
  const open = async () => {
    const pin = await tokenPin(options, s);
    try {
      await createTokenKek(uri, pin);
    } catch (error) {
      if (!isPosternError(error, "conflict")) throw error;
    }
    return pkcs11Kek(uri, pin, s.random);
  };
  return { place: { pkcs11: uri }, open };
}
