import { join } from "node:path";
import { lockDataFolder } from "../../../manager/files/lock.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { killNow, startScript, withFolder } from "./children.ts";

const self = { pid: Deno.pid, sinceMillis: 1_600_000_000_000 };

Deno.test("lockDataFolder() lets one in, names it to the next, and is free again after release", () =>
  withFolder(async (folder) => {
    const lock = await lockDataFolder(folder, self);
    assertEquals(lock.crashed, null);
    const error = await assertRejects(() => lockDataFolder(folder, { pid: 1, sinceMillis: 0 }), "storage");
    assert(error.message.includes(`process ${Deno.pid}, since 2020-09-13T12:26:40.000Z`), error.message);
    assert(error.message.includes(`kill ${Deno.pid}`) && error.message.includes("--data"), error.message);
    await lock.release();
    await lock.release();
    await using again = await lockDataFolder(folder, self);
    assertEquals(again.crashed, null);
  }));

Deno.test("lockDataFolder() refuses while another process has the lock, and takes it over once that was killed", () =>
  withFolder(async (folder) => {
    const { child, line } = await startScript("hold_lock.ts", folder);
    try {
      assertEquals(line, "locked after a clean end");
      const error = await assertRejects(() => lockDataFolder(folder, self), "storage");
      assert(error.message.includes(`process ${child.pid},`), error.message);
    } finally {
      await killNow(child);
    }
    await using lock = await lockDataFolder(folder, self);
    assertEquals(lock.crashed, { pid: child.pid, sinceMillis: 1_700_000_000_000 });
  }));

Deno.test("lockDataFolder() takes over a lock file that names a living process which does not hold it", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "lock"), JSON.stringify({ pid: 1, sinceMillis: 5 }));
    await using lock = await lockDataFolder(folder, self);
    assertEquals(lock.crashed, { pid: 1, sinceMillis: 5 });
  }));

Deno.test("lockDataFolder() treats a lock file with any other content as no holder", async () => {
  const nasty = [
    "{}",
    "null",
    "\0\0\0",
    "x".repeat(10_000),
    '{"pid":0,"sinceMillis":1}',
    '{"pid":2,"sinceMillis":9e15}',
  ];
  for (const content of [...nasty, '{"pid":2,"sinceMillis":1,"more":1}', '{"pid":"2","sinceMillis":1}']) {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "lock"), content);
      await using lock = await lockDataFolder(folder, self);
      assertEquals(lock.crashed, null, content);
      const error = await assertRejects(() => lockDataFolder(folder, self), "storage");
      assert(error.message.includes(`process ${Deno.pid},`), error.message);
    });
  }
});

Deno.test("lockDataFolder() still refuses when its holder's number cannot be read", () =>
  withFolder(async (folder) => {
    await using _lock = await lockDataFolder(folder, self);
    await Deno.truncate(join(folder, "lock"), 0);
    const error = await assertRejects(() => lockDataFolder(folder, self), "storage");
    assert(error.message.includes("another process"), error.message);
  }));

Deno.test("lockDataFolder() lets exactly one in when many try at once", () =>
  withFolder(async (folder) => {
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => lockDataFolder(folder, self)));
    const locks = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    assertEquals(locks.length, 1);
    for (const lock of locks) await lock.release();
  }));

Deno.test("lockDataFolder() throws not_found when the folder is missing, and storage when a folder is in its place", () =>
  withFolder(async (folder) => {
    await assertRejects(() => lockDataFolder(join(folder, "missing"), self), "not_found");
    await Deno.mkdir(join(folder, "lock"));
    await assertRejects(() => lockDataFolder(folder, self), "storage");
  }));
