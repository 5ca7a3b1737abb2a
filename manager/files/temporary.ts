/**
 * Names of files that grow before they are given the name that they are for, and what is left of those whose process died. Which of
 * them nobody writes any more the file cannot tell: only whoever keeps all writers away, by a lock, may sweep.
 */
import { join } from "node:path";

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const TEMPORARY = new RegExp(`^\\.postern-${UUID}\\.tmp(?:-wal|-shm|-journal)?$`);

/** A path in a folder of the manager's that nobody else uses. */
export function temporaryIn(folder: string): string {
  return join(folder, `.postern-${crypto.randomUUID()}.tmp`);
}

/** The same in a folder that others may use as well. @param whose letters and digits that no other has */
export function ownTemporaryIn(folder: string, whose: string): string {
  return join(folder, `.postern-${whose}-${crypto.randomUUID()}.tmp`);
}

/** Removes what writers of a folder of the manager's left behind. @returns how many files that were */
export async function removeTemporary(folder: string): Promise<number> {
  return await removeFiles(folder, TEMPORARY);
}

/** Removes what this one's writers left behind in a folder that others may use as well. */
export async function removeOwnTemporary(folder: string, whose: string): Promise<number> {
  return await removeFiles(folder, new RegExp(`^\\.postern-${whose}-${UUID}\\.tmp$`));
}

async function removeFiles(folder: string, name: RegExp): Promise<number> {
  let removed = 0;
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.isFile || !name.test(entry.name)) continue;
    await Deno.remove(join(folder, entry.name));
    removed++;
  }
  return removed;
}
