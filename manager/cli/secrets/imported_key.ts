/** A private key out of an encrypted file that the owner names. */
import { resolve } from "node:path";
import { LIMITS } from "../../../shared/limits.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { type ImportedKey, importPrivateKey } from "../../keys/export.ts";
import { passphraseFrom, type PassphraseSource } from "./secret_input.ts";
import type { CliSurroundings } from "../surroundings.ts";

/** The text of a key's file. @throws `too_large`, `not_found`, `storage` */
export async function readKeyFile(path: string): Promise<string> {
  return new TextDecoder().decode(await readBounded(path, LIMITS.maxPrivateKeyPemBytes));
}

/**
 * Reads and opens a key's file.
 *
 * @param source of the passphrase, which is asked for if it names none
 * @param instead what to say where nobody can be asked
 * @throws `wrong_key` for a wrong passphrase; `malformed`, `unsupported`, `too_large`, `not_found`, `usage`
 */
export async function importedKey(
  file: string,
  source: PassphraseSource,
  instead: string,
  s: CliSurroundings,
): Promise<ImportedKey> {
  const pem = await readKeyFile(resolve(s.cwd, file));
  const passphrase = await passphraseFrom(source, s) ??
    await s.ask.passphrase("The passphrase of the key's file", instead);
  return await importPrivateKey(pem, passphrase);
}
