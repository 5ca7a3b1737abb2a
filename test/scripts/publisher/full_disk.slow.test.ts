/**
 * The publisher's scripts on a disk that fills up at any page of content and at any new name, and with files that may not grow beyond
 * some byte: `storage` with what to do, what was there is as it was or as it shall be, and the same command ends well afterwards.
 */
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { type Scarce, SmallDisk } from "../../tools/small_disk.ts";
import { readTree, type Tree, writeTree } from "./tree.ts";
import { furnish, requireDone, requireRecovered, type Writing, WRITINGS } from "./writings.ts";
import { Workshop } from "./workshop.ts";

const MOST_ROOM = 60;

needs("mount").test("the publisher's scripts on a disk that fills up anywhere", async (context) => {
  using disk = SmallDisk.mount(512, 300);
  const workshop = new Workshop(disk.folder);
  const id = await furnish(workshop);
  const before = readTree(disk.folder);
  workshop.now += 2_000;
  for (const writing of WRITINGS) {
    const line = writing.line.replace("ID", id);
    await context.step(line, async () => {
      const failed = { pages: 0, names: 0 };
      for (const scarce of ["pages", "names"] as const) {
        failed[scarce] = await fillUp(scarce, { ...writing, line }, disk, workshop, before);
      }
      assert(failed.pages + failed.names > 0, "there was always room");
    });
  }
});

/** @returns how often the command met the full disk */
async function fillUp(
  scarce: Scarce,
  writing: Writing,
  disk: SmallDisk,
  workshop: Workshop,
  before: Tree,
): Promise<number> {
  // A thread may hold a file that is removed a little longer, and there is more room than it seems: twice is enough room.
  for (let room = 0, done = 0, failed = 0; room < MOST_ROOM;) {
    writeTree(disk.folder, before);
    await disk.leave(scarce, room);
    const ran = await workshop.run(writing.line);
    await disk.empty();
    try {
      if (ran.exit === 0) {
        await requireDone(workshop, writing);
        if (++done === 2) return failed;
        continue;
      }
      await requireRecovered(workshop, writing, before, ran, /free some space/i);
    } catch (cause) {
      throw new Error(`${room} ${scarce}: ${ran.out}${ran.err}`, { cause });
    }
    [room, failed] = [room + 1, failed + 1];
  }
  throw new Error(`it never had enough ${scarce}`);
}

Deno.test("the publisher's scripts with files that may not grow beyond some byte", async () => {
  // In a process of its own, which the limit is of.
  const args = ["run", "-A", "--quiet", "--no-check", `${PROJECT_ROOT}/test/scripts/publisher/byte_limits.ts`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  for (const [line, failed] of Object.entries(JSON.parse(new TextDecoder().decode(stdout)))) {
    assert(Number(failed) >= 5, `${line} met the limit ${failed} times`);
  }
});
