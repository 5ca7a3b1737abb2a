/**
 * Who is making a backup of a manager: each writer holds a shared lock of the data folder itself meanwhile, and whoever can have it
 * alone knows that what lies about of other backups is left over. The lock is there and not on the file that grows, because a backup
 * may go to a share, where a lock would keep its own writer from reading it back.
 */
import { dirname } from "node:path";
import { type Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { fromOsError } from "../files/os_error.ts";
import { ownTemporaryIn, removeOwnTemporary } from "../files/temporary.ts";

/** Folders of other systems cannot be locked: there nothing is swept. */
const CAN_LOCK_FOLDERS = Deno.build.os !== "windows";
/** Hexadecimal digits of the owner id in a name: a share may hold the backups of several owners. */
const OWNER_DIGITS = 16;

const tagOf = (owner: Bytes) => toHex(owner).slice(0, OWNER_DIGITS);

/** Where a backup grows. */
export function growingBackup(file: string, owner: Bytes): string {
  return ownTemporaryIn(dirname(file), tagOf(owner));
}

/**
 * Joins the writers of backups of a manager until it is disposed of; takes away what backups of this owner that were cut off left beside
 * the file, if no other is being made.
 *
 * @throws `not_found`, `storage`
 */
export async function joinWriters(folder: string, file: string, owner: Bytes): Promise<Disposable> {
  if (!CAN_LOCK_FOLDERS) return { [Symbol.dispose]: () => {} };
  let lock: Deno.FsFile | undefined;
  try {
    lock = await Deno.open(folder, { read: true });
    if (await lock.tryLock(true)) await removeOwnTemporary(dirname(file), tagOf(owner));
    await lock.lock(false);
    return lock;
  } catch (error) {
    lock?.close();
    throw fromOsError(error, `write ${file}`);
  }
}
