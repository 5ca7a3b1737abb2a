/** Options that the commands of `publisher_ca` share, and what they open. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import { passphraseFrom, type PassphraseSource } from "../../manager/cli/secrets/secret_input.ts";
import { type Authority, openAuthority } from "./ca.ts";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "./private_key.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

export const ROOT_DAYS = 7_300;
export const SIGNER_DAYS = 397;
export const CRL_DAYS = 35;
const MAX_DAYS = 36_500;

/** Of a new key and its certificate. */
export interface NewKeyOptions {
  readonly algorithm: KeyAlgorithm;
  readonly subject: string;
  readonly days: number;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
}

/** Which authority issues. */
export interface AuthorityOptions {
  readonly root: string;
  readonly rootKey: string;
  readonly rootPassphraseFile?: string;
  readonly rootPassphraseFd?: string;
}

export function newKeyOptions(command: Command, subject: string, days: number): Command {
  return command
    .addOption(
      new Option("--algorithm <name>", "of the new key").choices(Object.keys(KEY_ALGORITHMS)).default("ed25519"),
    )
    .option("--subject <name>", "in the form of RFC 4514, such as 'CN=release,O=Publisher'", subject)
    .addOption(daysOption("how long it is valid", days))
    .option("--passphrase-file <file>", "passphrase for the new key")
    .option("--passphrase-fd <n>", "descriptor that gives it");
}

export function authorityOptions(command: Command): Command {
  return command
    .requiredOption("--root <pem>", "the root's certificate")
    .requiredOption("--root-key <pem>", "its private key")
    .option("--root-passphrase-file <file>", "passphrase of the root's key")
    .option("--root-passphrase-fd <n>", "descriptor that gives it");
}

export function daysOption(what: string, days: number): Option {
  return new Option("--days <n>", what).default(days).argParser((text) => {
    const found = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
    if (found < 1 || found > MAX_DAYS) throw new InvalidArgumentError(`Days are a number from 1 to ${MAX_DAYS}.`);
    return found;
  });
}

/** Opens the authority that the options name. @throws what `openAuthority` throws */
export function openAuthorityOf(options: AuthorityOptions, s: ScriptSurroundings): Promise<Authority> {
  const source = { file: options.rootPassphraseFile, fd: options.rootPassphraseFd };
  return openAuthority(options.root, options.rootKey, () => passphraseFrom(source, s), s);
}

/** The passphrase for a new key, or null, and then a warning. */
export async function newPassphrase(
  source: PassphraseSource,
  path: string,
  s: ScriptSurroundings,
): Promise<Redacted<string> | null> {
  const passphrase = await passphraseFrom(source, s);
  if (passphrase === null) {
    s.err(`warning: ${path} is written without a passphrase; name one with --passphrase-file or --passphrase-fd\n`);
  }
  return passphrase;
}

/** Where the passphrase of the new key is. */
export function passphraseOfNew({ passphraseFile, passphraseFd }: NewKeyOptions): PassphraseSource {
  return { file: passphraseFile, fd: passphraseFd };
}
