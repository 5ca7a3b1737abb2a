/** What opens or protects a backup: the recovery key, or a passphrase of its own. */
import { resolve } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import type { ReadHeader } from "../../backup/header.ts";
import type { BackupSecret } from "../../backup/recipients.ts";
import { requirePrivateFile } from "../../files/permissions.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { passphraseFrom } from "./secret_input.ts";
import type { CliSurroundings } from "../surroundings.ts";
import { readRecoveryKey } from "../texts/recovery_key.ts";
import { LIMITS } from "../../../shared/limits.ts";

export interface PassphraseOptions {
  readonly backupPassphraseFile?: string;
  readonly backupPassphraseFd?: string;
}

export interface SecretOptions extends PassphraseOptions {
  readonly recoveryFile?: string;
}

const INSTEAD = "give --recovery-file FILE, --backup-passphrase-file FILE or --backup-passphrase-fd N";

/** The passphrase that the options name, or null. */
export async function namedPassphrase(
  { backupPassphraseFile: file, backupPassphraseFd: fd }: PassphraseOptions,
  s: CliSurroundings,
): Promise<Redacted<string> | null> {
  return await passphraseFrom({ file, fd }, s);
}

/** The seed of the recovery key from the file that `--recovery-file` names, as `init` writes it; null without the option. */
export async function namedRecoveryKey(
  { recoveryFile }: SecretOptions,
  s: CliSurroundings,
): Promise<Redacted<Bytes> | null> {
  if (recoveryFile === undefined) return null;
  const path = resolve(s.cwd, recoveryFile);
  const bytes = await readBounded(path, LIMITS.maxRecoveryFileBytes, requirePrivateFile(path, s.uid));
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  // As `init` writes it, the key is a line among others; as somebody types it, it may be alone.
  const line = lines.find((one) => KEY_LINE.test(one)) ?? lines.join("");
  return new Redacted(readRecoveryKey(line));
}

const KEY_LINE = /^[a-z2-7]{4}([ -]?[a-z2-7]{4}){13}$/i;

/**
 * What opens a backup: by the options, or asked for, by the passphrase first if it has one.
 *
 * @param recovery from {@link namedRecoveryKey}
 * @throws `usage` when options contradict each other, or nobody can be asked
 */
export async function backupSecret(
  { recipients }: ReadHeader,
  recovery: Redacted<Bytes> | null,
  options: PassphraseOptions,
  s: CliSurroundings,
): Promise<BackupSecret> {
  const passphrase = await namedPassphrase(options, s);
  if (passphrase !== null) return { kind: "passphrase", passphrase };
  if (recovery !== null) return { kind: "recovery", seed: recovery };
  if (recipients.some(({ kind }) => kind === "passphrase")) {
    return { kind: "passphrase", passphrase: await s.ask.passphrase("Passphrase of the backup", INSTEAD) };
  }
  const typed = await s.ask.passphrase("Recovery key", INSTEAD);
  return { kind: "recovery", seed: new Redacted(readRecoveryKey(reveal(typed))) };
}
