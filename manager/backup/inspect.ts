/** Opens a backup and reads it through, to say what it holds. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { openBackupFile } from "./file.ts";
import { type ReadHeader, readHeader, type RecipientKind } from "./header.ts";
import { type BackupContents, readBackup } from "./read.ts";
import { type BackupSecret, openBackupKey } from "./recipients.ts";

export interface InspectedBackup extends BackupContents {
  /** Bytes of the file. */
  readonly size: number;
  /** Who can open it. */
  readonly recipients: readonly RecipientKind[];
}

/**
 * Checks every byte of a backup.
 *
 * @param secret asked for once it is known for whom the backup was made
 * @throws `wrong_key`, `tampered`, `malformed`, `unsupported`, `too_large`; `not_found`, `storage`
 */
export async function inspectBackup(
  path: string,
  secret: (header: ReadHeader) => Promise<BackupSecret>,
  random: RandomBytes,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<InspectedBackup> {
  using file = await openBackupFile(path);
  const header = await readHeader(file.read);
  const key = await openBackupKey(header, await secret(header), random);
  const contents = await readBackup(header, key, async (most) => {
    onProgress(file.at, file.size);
    return await file.read(most);
  });
  return { ...contents, size: file.size, recipients: header.recipients.map(({ kind }) => kind) };
}
