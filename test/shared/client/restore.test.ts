import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { filled } from "../protocol/epoch.ts";
import { signingKey } from "../../fixtures/owner.ts";
import { createMemory, MemoryInProcess } from "../../../shared/client/memory/memory.ts";
import { PosternDevice } from "../../../shared/client/device.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { restart, start, type Started } from "./start.ts";
import { INTERVAL, type World } from "./world.ts";

/** The manager comes back from a backup that ends with the generation of `base`; null for a backup of nothing. */
async function restore(world: World, base: number | null): Promise<void> {
  const known = base === null ? null : world.generations[base - 1];
  const newest = world.current.head.generation;
  await world.owner.restate({
    ...{ number: world.owner.statement.number + 2 ** 20, incarnation: filled(16, 9), manager: await signingKey() },
    base: known === null || known === undefined ? null : { generation: base ?? 0, head: known.hash },
  });
  const epoch = world.current.head.epoch + 2 ** 20;
  await world.turn({ fields: { generation: newest + 2 ** 20, epoch } });
}

async function seen(generations: number): Promise<Started> {
  const started = await start();
  for (let count = 1; count < generations; count++) await started.world.turn();
  await started.device.login();
  return started;
}

Deno.test("a restored manager is refused until the user has confirmed it, once, STMT-03", async () => {
  const started = await seen(5);
  const { world, chain } = started;
  await restore(world, 3);
  const device = restart(started);
  assertEquals(device.restore, null);
  await assertRejects(() => device.login(), "restored");
  await assertRejects(() => device.certificates.byFingerprint(chain.root.fingerprint), "restored");
  await assertRejects(() => device.submit.ping(), "restored");
  assertEquals(device.restore, {
    ...{ incarnation: filled(16, 9), statement: 1 + 2 ** 20, time: world.owner.statement.time, lostGenerations: 2 },
  });
  await device.confirmRestore(filled(16, 9));
  assertEquals(device.restore, null);
  assertEquals((await device.login()).incarnation, filled(16, 9));
  assertEquals((await restart(started).login()).incarnation, filled(16, 9));
});

Deno.test("confirming another incarnation than the one shown confirms nothing, STMT-03", async () => {
  const started = await seen(2);
  await restore(started.world, 1);
  const device = restart(started);
  await assertRejects(() => device.login(), "restored");
  await device.confirmRestore(filled(16, 8));
  await assertRejects(() => device.login(), "restored");
});

Deno.test("memory of heads starts afresh from the base of a confirmed restore, HEAD-03", async () => {
  const started = await seen(3);
  const { world, edge } = started;
  await restore(world, 2);
  const device = restart(started);
  await device.confirmRestore(filled(16, 9));
  await device.login();
  // The old incarnation does not come back.
  edge.shown = world.generations[2] ?? null;
  await assertRejects(() => restart(started).login(), "rolled_back");
});

Deno.test("a restore that builds on another head than the one seen is a fork, HEAD-03", async () => {
  const started = await seen(3);
  const { world } = started;
  const third = world.generations[2];
  assert(third !== undefined);
  world.generations[2] = { ...third, hash: filled(32, 7) };
  await restore(world, 3);
  const device = restart(started);
  await device.confirmRestore(filled(16, 9));
  await assertRejects(() => device.login(), "forked");
});

Deno.test("a restore of nothing at all can be confirmed too, and says what is lost, STMT-03", async () => {
  const started = await seen(4);
  await restore(started.world, null);
  const device = restart(started);
  await assertRejects(() => device.login(), "restored");
  assertEquals(device.restore?.lostGenerations, 4);
  await device.confirmRestore(filled(16, 9));
  await device.login();
});

Deno.test("a device paired before the first push takes the statement that its grant named, or a later one, PAIR-02", async () => {
  const started = await start();
  const { world, edge } = started;
  const paired = await world.pair("second");
  await world.turn();
  const device = async () => {
    const memory = new MemoryInProcess();
    await createMemory(memory, paired.state);
    return new PosternDevice({
      profile: paired.profile,
      keys: paired.keys,
      memory,
      surroundings: started.surroundings,
    });
  };
  assertEquals(paired.state.granted?.number, 1);
  assertEquals(paired.state.head?.generation, 1);
  await (await device()).login();
  // A state from before the grant, and another statement under the number that it named.
  edge.shown = world.generations[0] ?? null;
  assertEquals(await (await device()).login().catch(({ code }) => code), "unauthorized");
  edge.shown = null;
  await world.owner.restate({ number: 1, time: 5 });
  await world.turn();
  await assertRejects(async () => await (await device()).login(), "forked");
  await world.owner.restate({ number: 2 });
  await world.turn();
  assertEquals((await (await device()).login()).statement, 2);
});

Deno.test("createMemory() does not take a memory that has a device already", async () => {
  const { memory, paired } = await start();
  await assertRejects(() => createMemory(memory, paired.state), "conflict");
});

Deno.test("what is read under an overdue head is marked, or refused where that was asked for, HEAD-04", async () => {
  let now = 0;
  const clock = { now: () => now };
  const marking = await start({ surroundings: clock });
  const refusing = await start({ surroundings: clock, staleReads: "refuse" });
  const { nextDue, time } = marking.world.current.head;
  const table: [number, string, string | null][] = [
    [nextDue, "fresh", null],
    [nextDue + LIMITS.headGraceMillis, "fresh", null],
    [nextDue + LIMITS.headGraceMillis + 1, "overdue", "stale"],
    [nextDue + 100 * INTERVAL, "overdue", "stale"],
    [time - LIMITS.maxClockLeadMillis, "fresh", null],
    [time - LIMITS.maxClockLeadMillis - 1, "ahead", "clock"],
  ];
  for (const [moment, freshness, code] of table) {
    now = moment;
    assertEquals((await marking.device.messages.channels()).asOf.freshness, freshness);
    assertEquals((await marking.device.head()).freshness, freshness);
    const outcome = await refusing.device.messages.channels().then(() => null, ({ code }) => code);
    assertEquals(outcome, code, `${moment}`);
    const whole = await refusing.device.tables.verify("messages").then(() => null, ({ code }) => code);
    assertEquals(whole, code, `${moment}`);
  }
});
