/** A full disk, the manager's or the edge's: `storage`, nothing lost, and all is well once there is room. */
import { join } from "node:path";
import { assert, assertEquals } from "../assert.ts";
import { needs } from "../tools/needs.ts";
import { Household } from "./household.ts";
import { type Operation, OPERATIONS } from "./operations.ts";

/** Exit code of `storage`. */
const STORAGE = 74;
/** Room that is left: none, and for some of what a turn writes. */
const ROOMS_BYTES = [0, 32_768, 131_072];
const DISK = "64m";

for (const who of ["manager", "edge"] as const) {
  needs("mount").test(`a full disk of the ${who}'s ends a turn with storage, and nothing is lost`, async () => {
    let disk = "";
    const furnish = async (folder: string) => {
      disk = join(folder, who);
      await Deno.mkdir(disk, { recursive: true });
      await run("mount", "-t", "tmpfs", "-o", `size=${DISK},mode=700`, "tmpfs", disk);
    };
    const household = await Household.open("file", furnish);
    try {
      let failed = 0;
      for (const room of ROOMS_BYTES) failed += await withRoom(household, disk, OPERATIONS.inbox, room);
      const { rotate, covered, backup, restore } = OPERATIONS;
      for (const other of who === "manager" ? [rotate, backup, restore] : [rotate, covered]) {
        failed += await withRoom(household, disk, other, 131_072);
      }
      assert(failed >= 3, `only ${failed} turns met the full disk`);
    } finally {
      await household[Symbol.asyncDispose]().catch(() => {});
      // Lazily: what a failed case may still hold open must not hide why it failed.
      await run("umount", "--lazy", disk);
      await Deno.remove(household.folder, { recursive: true });
    }
  });
}

/** @returns 1 when the turn failed for want of room */
async function withRoom(household: Household, disk: string, operation: Operation, room: number): Promise<number> {
  await operation.prepare(household);
  await leave(disk, room);
  const { code, signal, err } = await household.start(operation.args(household)).ended;
  await resize(disk, DISK);
  assert(signal === null && (code === 0 || code === STORAGE), `${room} bytes left: ${code} ${signal} ${err}`);
  assert(!/\n\s+at /.test(err), err);
  await operation.check?.(household);
  await household.requireRecovered(`${operation.name} with ${room} bytes left`);
  return code === 0 ? 0 : 1;
}

/** Makes the disk so small that only so many bytes are left. */
async function leave(disk: string, room: number): Promise<void> {
  const used = (await run("df", "--output=used", "-B1", disk)).split("\n")[1] ?? "";
  await resize(disk, String(Number(used) + room));
}

async function resize(disk: string, size: string): Promise<void> {
  await run("mount", "-o", `remount,size=${size}`, disk);
}

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  assertEquals(code, 0, `${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
