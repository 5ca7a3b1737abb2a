/** Backups of a test's managers: made, opened and attacked. */
import { join } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { backupManager } from "../../../manager/backup/backup_manager.ts";
import type { CreatedBackup } from "../../../manager/backup/create.ts";
import { openBackupFile } from "../../../manager/backup/file.ts";
import { readHeader } from "../../../manager/backup/header.ts";
import { type BackupContents, readBackup } from "../../../manager/backup/read.ts";
import { type BackupSecret, openBackupKey } from "../../../manager/backup/recipients.ts";
import { surroundingsOf } from "../../fixtures/clock.ts";
import { kekOf, type TestManager } from "../../fixtures/manager.ts";

/** Argon2id as cheap as it is read, so that a test can open a file hundreds of times. */
export const CHEAP = { memoryKib: 8_192, passes: 1, lanes: 1 };

export const PASSPHRASE = new Redacted("correct horse battery staple");

/** What a backup of this manager is opened with. */
export function recoveryOf({ recoverySeed }: TestManager): BackupSecret {
  return { kind: "recovery", seed: new Redacted(recoverySeed) };
}

export interface Making {
  readonly passphrase?: Redacted<string>;
  readonly isForRecovery?: boolean;
  readonly overwrite?: boolean;
}

/** Backs a manager up, as the command does. */
export async function backUp(manager: TestManager, file: string, making: Making = {}): Promise<CreatedBackup> {
  const { passphrase = null, isForRecovery = true, overwrite = false } = making;
  const network = surroundingsOf({ clock: manager.clock, fetch: manager.traffic.fetch });
  return await backupManager({
    ...{ folder: manager.folder, kek: () => Promise.resolve(kekOf(manager.folder)), file, overwrite },
    recipients: { passphrase, cost: CHEAP, isForRecovery },
    ...{ pid: Deno.pid, network, lockWaitMillis: 5_000 },
  }, webCryptoRandom);
}

/** Reads a backup through. */
export async function readThrough(path: string, secret: BackupSecret): Promise<BackupContents> {
  using file = await openBackupFile(path);
  const header = await readHeader(file.read);
  return await readBackup(header, await openBackupKey(header, secret, webCryptoRandom), file.read);
}

/** Writes bytes into a file of a folder, and gives its path. */
export async function fileOf(folder: string, bytes: Bytes, name = "changed.backup"): Promise<string> {
  const path = join(folder, name);
  await Deno.writeFile(path, bytes);
  return path;
}
