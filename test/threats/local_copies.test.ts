/** Promise: a removed, added, swapped, stale or withheld row is always detected. As far as local copies go, which follow what changes. */
import type { ErrorCode } from "../../shared/errors.ts";
import { CopyInProcess, PosternDevice } from "../../shared/client/mod.ts";
import type { EdgeStore } from "../../edge/store/store.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { certificate, CHANNEL, mail, pushedWorld, type Setting, SUBJECTS } from "./setting.ts";

type Changes = Awaited<ReturnType<EdgeStore["changes"]>>;

/** The device with a copy of generation 1; the manager is at generation 2 of the same epoch. */
async function behind(setting: Setting) {
  const { device: { profile, keys, memory, surroundings }, world: { manager } } = setting;
  const { copy } = new PosternDevice({ profile, keys, memory, surroundings, copy: new CopyInProcess() });
  assert(copy);
  assertEquals((await copy.sync()).isWhole, true);
  await manager.receive(CHANNEL, mail("five"));
  await manager.trust(await certificate("CN=Late"));
  await manager.sync();
  return copy;
}

Deno.test("LocalCopy.sync() follows a real manager's pushes, from one epoch into the next (TREE-04)", async () => {
  await using setting = await pushedWorld();
  const copy = await behind(setting);
  const delta = await copy.sync();
  assertEquals([delta.isWhole, delta.asOf.generation, delta.asOf.epoch], [false, 2, 1]);
  const { messages } = await copy.messages.list(CHANNEL, { limit: 2 });
  assertEquals(messages.map(({ position }) => position), [5, 4]);
  const [, large] = messages;
  assert(large);
  assertEquals((await copy.messages.read(large)).length, large.size);
  for (const subject of [...SUBJECTS, "CN=Late"]) {
    assertEquals((await copy.certificates.bySubject(subject)).found.length, 1);
  }
  await setting.world.manager.sync({ rotate: true });
  const rotated = await copy.sync();
  assertEquals([rotated.isWhole, rotated.asOf.epoch], [false, 2]);
  assertEquals((await copy.certificates.bySubject("CN=Late")).found.length, 1);
});

const LIES: readonly { readonly name: string; readonly code: ErrorCode; readonly change: (all: Changes) => Changes }[] =
  [
    { name: "without new rows", code: "withheld", change: (all) => ({ ...all, rows: [], next: null }) },
    { name: "without the first new row", code: "withheld", change: (all) => ({ ...all, rows: all.rows.slice(1) }) },
    {
      name: "with a row changed",
      code: "tampered",
      change: (all) => ({
        ...all,
        rows: all.rows.map((row) => row.map((byte, at) => at === row.length - 1 ? byte ^ 1 : byte)),
      }),
    },
    {
      name: "with a row removed that is still there",
      code: "tampered",
      change: (all) => ({ ...all, removed: [[new Uint8Array(32), 1], ...all.removed], rows: all.rows.toReversed() }),
    },
  ];

for (const { name, code, change } of LIES) {
  Deno.test(`LocalCopy.sync() throws ${code} for changes ${name}, and the copy stays as it was (TREE-04)`, async () => {
    await using setting = await pushedWorld();
    const copy = await behind(setting);
    const { lies } = setting.world.edge;
    lies.changes = async (store, ...asked) => change(await store.changes(...asked));
    await assertRejects(() => copy.sync(), code);
    assertEquals((await copy.asOf()).generation, 1);
    assertEquals((await copy.messages.list(CHANNEL)).messages.length, 4);
    delete lies.changes;
    assertEquals((await copy.sync()).asOf.generation, 2);
    assertEquals((await copy.messages.list(CHANNEL)).messages.length, 5);
  });
}
