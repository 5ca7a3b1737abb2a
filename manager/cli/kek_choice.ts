/** Which KEK a command uses: what options and variables name, where the settings remember it, or the person is asked. */
import { resolve } from "node:path";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { createKeyFile, CREDENTIAL_KIND, KEY_FILE_KIND, openCredential, openKeyFile } from "../keys/key_file.ts";
import { PASSPHRASE_KIND, passphraseKek } from "../keys/passphrase.ts";
import { type KekProvider, KekRegistry } from "../keys/provider.ts";
import type { KekPlace } from "../store/folder.ts";
import { passphraseFrom } from "./secret_input.ts";
import type { CliSurroundings } from "./surroundings.ts";

/** The options that every command with a KEK takes. */
export interface KekOptions {
  readonly keyFile?: string;
  readonly credential?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
}

/** A KEK that was chosen to protect a key from now on. */
export interface ChosenKek {
  readonly place: KekPlace;
  readonly open: () => Promise<KekProvider>;
}

const PASSPHRASE_INSTEAD = "give it with --passphrase-file FILE, POSTERN_PASSPHRASE_FILE or --passphrase-fd N";

/** Every KEK that a stored key may ask for. Nothing is opened or asked before it does. */
export function kekRegistry(options: KekOptions, place: KekPlace, s: CliSurroundings): KekRegistry {
  return new KekRegistry()
    .register(PASSPHRASE_KIND, async () => {
      const source = passphraseSource(options, s);
      const passphrase = await passphraseFrom(source, s) ?? await s.ask.passphrase("Passphrase", PASSPHRASE_INSTEAD);
      return passphraseKek(passphrase, s.random);
    })
    .register(KEY_FILE_KIND, async () => {
      const path = options.keyFile ?? s.env("POSTERN_KEY_FILE") ?? place.keyFile;
      if (path === undefined) {
        throw new PosternError("configuration", "The database's key needs a key file: name it with --key-file");
      }
      return await openKeyFile(resolve(s.cwd, path), s.uid, s.random);
    })
    .register(CREDENTIAL_KIND, async () => {
      const name = options.credential ?? place.credential;
      if (name === undefined) {
        throw new PosternError(
          "configuration",
          "The database's key needs a systemd credential: name it with --credential",
        );
      }
      return await openCredential(s.env("CREDENTIALS_DIRECTORY"), name, s.random);
    });
}

/**
 * The KEK for a new or changed key: by the options, or by asking.
 *
 * @throws `usage` when options contradict each other, or nobody can be asked
 */
export async function chooseKek(options: KekOptions, s: CliSurroundings): Promise<ChosenKek> {
  const { keyFile, credential, passphraseFile, passphraseFd } = options;
  const wantsPassphrase = passphraseFile !== undefined || passphraseFd !== undefined;
  const named = [keyFile !== undefined, credential !== undefined, wantsPassphrase].filter(Boolean).length;
  if (named > 1) throw new PosternError("usage", "Name one KEK: a key file, a systemd credential or a passphrase");
  if (keyFile !== undefined) return keyFileKek(resolve(s.cwd, keyFile), s);
  if (credential !== undefined) return credentialKek(credential, s);
  if (wantsPassphrase || s.env("POSTERN_PASSPHRASE_FILE") !== undefined) return passphraseChoice(options, s);
  const kind = await s.ask.choose(
    "What shall protect the manager's keys?",
    [
      {
        value: "passphrase",
        label: "A passphrase",
        hint: "asked for at each start; protects against whoever takes the disk",
      },
      { value: "key-file", label: "A key file", hint: "unattended; on a USB stick, or it protects a lost backup only" },
    ],
    "name it with --passphrase-file FILE, --key-file FILE or --credential NAME",
  );
  return kind === "passphrase" ? passphraseChoice(options, s) : keyFileKek(resolve(s.cwd, "kek.key"), s);
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

function credentialKek(name: string, s: CliSurroundings): ChosenKek {
  return { place: { credential: name }, open: () => openCredential(s.env("CREDENTIALS_DIRECTORY"), name, s.random) };
}

function passphraseSource(options: KekOptions, s: CliSurroundings) {
  const { passphraseFile, passphraseFd } = options;
  const file = passphraseFile ?? (passphraseFd === undefined ? s.env("POSTERN_PASSPHRASE_FILE") : undefined);
  return { file, fd: passphraseFd };
}
