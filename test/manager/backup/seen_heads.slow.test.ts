/** An edge that lies to a restore, and devices that saw more than it shows. */
import { join } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { headCode, headText, type NamedHead, parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import type { TestDevice } from "../../fixtures/device.ts";
import { TestEdge } from "../../fixtures/edge.ts";
import { World } from "../../fixtures/world.ts";
import { backUp, restore, type Restoring } from "./backups.ts";
import { confirm, mail, subjects } from "./lost.ts";

const GAP = 2 ** 20;

interface Hidden extends AsyncDisposable {
  readonly world: World;
  readonly phone: TestDevice;
  readonly file: string;
  /** Edges as they were at each generation: 2 is the backup's. */
  readonly at: readonly TestEdge[];
}

/** A backup of generation 2; the phone saw 5; the edge can show each of them. */
async function hidden(): Promise<Hidden> {
  const world = await World.create();
  const phone = await world.pair("phone");
  const at: TestEdge[] = [];
  const file = join(world.folder, "one.backup");
  for (let generation = 1; generation <= 5; generation++) {
    await world.manager.receive("mail", mail(`no ${generation}`));
    await world.manager.sync();
    if (generation === 2) await backUp(world.manager, file);
    at[generation] = await world.copyEdge();
  }
  await phone.client.login();
  return { world, phone, file, at, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

function show({ world, at }: Hidden, generation: number): void {
  const edge = at[generation];
  assert(edge !== undefined);
  world.replaceEdge(edge);
}

/** What the phone shows, and what it would show of another head. */
async function shownBy(
  { client }: TestDevice,
): Promise<{ readonly head: NamedHead; readonly both: readonly string[] }> {
  const { text, code } = await client.headCode();
  const parsed = parseOtherHead(text);
  assert(parsed.kind === "text");
  return { head: parsed.head, both: [text, code] };
}

Deno.test("an edge that hides from a restore what a device saw is withheld, until the owner says that it is lost; no number of it is used again (BACKUP-19, BACKUP-20)", async () => {
  await using setting = await hidden();
  const { world, phone, file } = setting;
  show(setting, 3);
  const { both } = await shownBy(phone);
  for (const head of both) await assertRejects(() => restore(world, file, { heads: [head] }), "withheld");
  const { manager, restored } = await restore(world, file, { heads: both, isLossAccepted: true });
  assertEquals([restored.seen.shown, restored.seen.lead, restored.losses.generations], [3, 2, 1]);
  assertEquals(restored.seen.heads.map(({ result }) => result), ["beyond", "beyond"]);
  // What the edge did show is read back; the loss beyond it is named for the owner.
  assertEquals(restored.caughtUp?.messages, 1);
  assertEquals(restored.statement, 1 + GAP + 2);
  const [alarm] = await openAlarms(manager.db);
  for (const words of ["saw generation 5", "generation 3 is the newest that was shown", "came or went after"]) {
    assert(alarm?.text.includes(words) === true, alarm?.text);
  }
  const { pushed } = await manager.sync();
  assertEquals(pushed.generation, 3 + GAP + 2 + 1);
  assertEquals(await confirm(phone), 3);
  assertEquals(await subjects(phone), ["no 1", "no 2", "no 3"]);
});

Deno.test("an edge that shows a restore nothing at all is withheld when a device saw more than the backup; offline, that is said (BACKUP-19)", async () => {
  await using setting = await hidden();
  const { world, phone, file } = setting;
  const { both } = await shownBy(phone);
  const { identity, owners } = world.edge;
  const empty = await TestEdge.open(identity, owners, join(world.folder, "empty.db"), world.clock);
  const full = world.replaceEdge(empty);
  await assertRejects(() => restore(world, file, { heads: both }), "withheld");
  world.replaceEdge(full);
  const { restored } = await restore(world, file, { heads: both, isOnline: false });
  assertEquals([restored.seen.shown, restored.seen.lead, restored.losses.edge], [2, 3, "none"]);
});

Deno.test("what a device saw agrees with an honest edge, by the newest head, the backup's own, or the path to a text's (BACKUP-19)", async () => {
  await using setting = await hidden();
  const { world, phone, file } = setting;
  const five = await shownBy(phone);
  const results = async (heads: readonly string[], restoring: Restoring = {}) =>
    (await restore(world, file, { ...restoring, heads })).restored.seen.heads.map(({ result }) => result);
  assertEquals(await results(five.both), ["agree", "agree"]);
  const seenAt = async (generation: number): Promise<readonly string[]> => {
    const { hash } = (await world.manager.db.execute<{ hash: Bytes }>({
      sql: "SELECT hash FROM heads WHERE generation = ?",
      params: [generation],
    })).rows[0] ?? { hash: new Uint8Array(0) };
    const head = { ...five.head, generation, hash };
    return [headText(head), headCode(head)];
  };
  assertEquals(await results(await seenAt(1)), ["agree", "agree"]);
  // Of one in between, a text leads to the path, and a code to nothing.
  const between = await seenAt(4);
  assertEquals(await results(between), ["agree", "left"]);
  assertEquals(await results(between, { isOnline: false, isLossAccepted: true }), ["beyond", "beyond"]);

  const { lies } = world.edge;
  lies.head = async (store, ...asked) => ({ ...await store.head(...asked), history: null });
  await assertRejects(() => restore(world, file, { heads: between }), "withheld");
  delete lies.head;
});

Deno.test("a head of a device beside those that backup and edge show is forked, and one of another owner's or far beyond all is usage (BACKUP-19, BACKUP-20)", async () => {
  await using setting = await hidden();
  const { world, phone, file } = setting;
  const { head } = await shownBy(phone);
  const other = { ...head, hash: new Uint8Array(32).fill(7) };
  const beside = [headText({ ...other, generation: 1 }), headCode({ ...other, generation: 2 }), headCode(other)];
  for (const shown of [...beside, headText(other), headText({ ...other, generation: 4 })]) {
    await assertRejects(() => restore(world, file, { heads: [shown] }), "forked");
  }
  await assertRejects(() => restore(world, file, { heads: [headText({ ...other, owner: other.hash })] }), "usage");
  const far = { ...other, generation: 5 + LIMITS.maxSeenLead + 1 };
  await assertRejects(() => restore(world, file, { heads: [headCode(far)], isLossAccepted: true }), "usage");
});

Deno.test("a whole life of the manager that the edge hides from a second restore is withheld by what a device saw of it, and its numbers are left behind (BACKUP-19, BACKUP-20)", async () => {
  await using setting = await hidden();
  const { world, phone, file } = setting;
  const before = await world.copyEdge();
  const first = await restore(world, file);
  await first.manager.sync();
  await confirm(phone);
  await phone.client.login();
  const { head, both } = await shownBy(phone);
  assertEquals(head.generation, 5 + GAP + 1);
  world.replaceEdge(before);
  for (const seen of both) await assertRejects(() => restore(world, file, { heads: [seen] }), "withheld");

  // Without the head, the second life has the statement number of the first: the device cannot go on.
  const twin = await world.copyEdge();
  const second = await restore(world, file);
  await second.manager.sync();
  await assertRejects(() => phone.start().login(), "forked");
  world.replaceEdge(twin);
  const third = await restore(world, file, { heads: both, isLossAccepted: true });
  assertEquals(third.restored.seen.heads.map(({ result }) => result), ["another_life", "beyond"]);
  assert(third.restored.statement > first.restored.statement);
  const [alarm] = await openAlarms(third.manager.db);
  assert(alarm?.text.includes("of a life of the manager") === true, alarm?.text);
  await third.manager.sync();
  await confirm(phone);
  assertEquals((await subjects(phone)).length, 5);
});

Deno.test("an edge's head that does not build on the backup's newest is forked (BACKUP-11)", async () => {
  await using world = await World.create();
  await world.pair("phone");
  const { manager } = world;
  await manager.sync();
  const copy = await world.copyManager();
  const elsewhere = await world.copyEdge();
  await manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  world.replaceEdge(elsewhere);
  await copy.receive("mail", mail("another history"));
  for (let turn = 0; turn < 2; turn++) await copy.sync();
  await assertRejects(() => restore(world, file), "forked");
});
