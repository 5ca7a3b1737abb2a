/** A backup onto a disk that fills up, such as a stick: `storage`, nothing half is left, and the backup before it is as it was. */
import { join } from "node:path";
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { PAGE_BYTES, SmallDisk } from "../../tools/small_disk.ts";
import { backUp, filledWorld, readThrough, recoveryOf } from "./backups.ts";

const PAGES = 4_096;

needs("mount").test(
  "backupManager() onto a disk that fills up leaves what was there, and no half file (BACKUP-07)",
  async () => {
    await using world = await filledWorld();
    const { manager } = world;
    using disk = SmallDisk.mount(PAGES, 40);
    const file = join(disk.folder, "one.backup");
    const { size } = await backUp(manager, file);
    const before = await Deno.readFile(file);
    const needed = Math.ceil(size / PAGE_BYTES);
    assert(needed > 2 && 2 * needed < PAGES);
    for (let room = 0; room < needed; room += Math.ceil(needed / 8)) {
      await disk.leave("pages", room);
      const failure: unknown = await backUp(manager, file, { overwrite: true }).catch((error) => error);
      await disk.empty();
      assert(isPosternError(failure, "storage"), `${room} pages: ${failure}`);
      assert(/free some space/i.test(failure.message), failure.message);
      assertEquals([...Deno.readDirSync(disk.folder)].map(({ name }) => name), ["one.backup"]);
      assert(equalBytes(await Deno.readFile(file), before));
    }
    await disk.leave("pages", 2 * needed);
    await backUp(manager, file, { overwrite: true });
    await readThrough(file, recoveryOf(manager));
  },
);
