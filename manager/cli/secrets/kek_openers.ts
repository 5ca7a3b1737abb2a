/** Opens the KEK of each kind at the place that options, variables or settings name. Nothing is opened or asked before it is needed. */
import { resolve } from "node:path";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import type { Redacted } from "../../../shared/crypto/redacted.ts";
import { CREDENTIAL_KIND, KEY_FILE_KIND, openCredential, openKeyFile } from "../../keys/key_file.ts";
import { KMS_KIND, openKmsKek } from "../../keys/kms.ts";
import { PASSPHRASE_KIND, passphraseKek } from "../../keys/passphrase.ts";
import { PKCS11_KIND, pkcs11Kek } from "../../keys/pkcs11_kek.ts";
import { openPkiKek, PKI_KIND } from "../../keys/pki.ts";
import type { KekProvider } from "../../keys/provider.ts";
import type { KekPlace } from "../../store/folder.ts";
import { passphraseFrom } from "./secret_input.ts";
import type { CliSurroundings } from "../surroundings.ts";

/** What is asked for when a KEK is used, wherever it is. */
export interface KekSecretOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly pkiPassphraseFile?: string;
  readonly pkcs11PinFile?: string;
}

/** Opens what is at a place. */
export type OpenAt = (place: KekPlace, options: KekSecretOptions, s: CliSurroundings) => Promise<KekProvider>;

export const PASSPHRASE_INSTEAD = "give it with --passphrase-file FILE, POSTERN_PASSPHRASE_FILE or --passphrase-fd N";

/** What of a place each kind goes by. */
export const PLACE_OF = {
  [KEY_FILE_KIND]: "keyFile",
  [CREDENTIAL_KIND]: "credential",
  [PKI_KIND]: "pkiKey",
  [PKCS11_KIND]: "pkcs11",
  [KMS_KIND]: "kmsKey",
} as const satisfies Record<string, keyof KekPlace>;

export const OPENERS: Readonly<Record<string, OpenAt>> = {
  async [PASSPHRASE_KIND](_place, options, s) {
    const passphrase = await passphraseFrom(passphraseSource(options, s), s) ??
      await s.ask.passphrase("Passphrase", PASSPHRASE_INSTEAD);
    return passphraseKek(passphrase, s.random);
  },
  async [KEY_FILE_KIND]({ keyFile }, _options, s) {
    return await openKeyFile(resolve(s.cwd, named(keyFile, "a key file", "--key-file")), s.uid, s.random);
  },
  async [CREDENTIAL_KIND]({ credential }, _options, s) {
    const name = named(credential, "a systemd credential", "--credential");
    return await openCredential(s.env("CREDENTIALS_DIRECTORY"), name, s.random);
  },
  async [PKI_KIND]({ pkiKey }, options, s) {
    const path = resolve(s.cwd, named(pkiKey, "a private key", "--pki-key"));
    return await openPkiKek(path, s.uid, () => pkiPassphrase(options, s), s.random);
  },
  async [PKCS11_KIND]({ pkcs11 }, options, s) {
    return pkcs11Kek(named(pkcs11, "a key in a token", "--pkcs11"), await tokenPin(options, s), s.random);
  },
  async [KMS_KIND]({ kmsKey, kmsRegion, kmsEndpoint }, _options, s) {
    const key = named(kmsKey, "a key in AWS KMS", "--kms-key");
    return await openKmsKek({ key, region: kmsRegion, endpoint: kmsEndpoint }, s.random);
  },
};

export function passphraseSource(options: KekSecretOptions, s: CliSurroundings) {
  const { passphraseFile, passphraseFd } = options;
  const file = passphraseFile ?? (passphraseFd === undefined ? s.env("POSTERN_PASSPHRASE_FILE") : undefined);
  return { file, fd: passphraseFd };
}

/** The PIN of a token. */
export async function tokenPin(options: KekSecretOptions, s: CliSurroundings): Promise<Redacted<string>> {
  const file = options.pkcs11PinFile ?? s.env("POSTERN_PKCS11_PIN_FILE");
  const instead = "give it with --pkcs11-pin-file FILE or POSTERN_PKCS11_PIN_FILE";
  return await passphraseFrom({ file }, s) ?? await s.ask.passphrase("PIN of the token", instead);
}

async function pkiPassphrase(options: KekSecretOptions, s: CliSurroundings): Promise<Redacted<string>> {
  const file = options.pkiPassphraseFile ?? s.env("POSTERN_PKI_PASSPHRASE_FILE");
  const instead = "give it with --pki-passphrase-file FILE or POSTERN_PKI_PASSPHRASE_FILE";
  return await passphraseFrom({ file }, s) ?? await s.ask.passphrase("Passphrase of the private key", instead);
}

function named(value: string | undefined, what: string, option: string): string {
  if (value !== undefined) return value;
  throw new PosternError("configuration", `The database's key needs ${what}: name it with ${option}`);
}

/**
 * One of two KEKs of a kind: while one is changed for another, a crash leaves a key that either may have wrapped.
 *
 * @param open the new one first
 */
export async function eitherKek(kind: string, open: readonly (() => Promise<KekProvider>)[]): Promise<KekProvider> {
  const opened: KekProvider[] = [];
  let first: unknown;
  for (const one of open) {
    try {
      opened.push(await one());
    } catch (error) {
      if (!isPosternError(error)) throw error;
      first ??= error;
    }
  }
  const [main, ...others] = opened;
  if (main === undefined) throw first;
  return {
    kind,
    describe: () => main.describe(),
    wrap: (key, context) => main.wrap(key, context),
    async unwrap(wrapped, context) {
      let refused: unknown;
      for (const kek of [main, ...others]) {
        try {
          return await kek.unwrap(wrapped, context);
        } catch (error) {
          if (!isPosternError(error)) throw error;
          refused ??= error;
        }
      }
      throw refused;
    },
  };
}
