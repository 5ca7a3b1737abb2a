import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { headCode, headText, type NamedHead } from "../../../shared/protocol/head_code.ts";
import { filled } from "../protocol/epoch.ts";
import { restart, start, type Started } from "./start.ts";

/** The head of a generation, as another device that verified it would show it. */
function named({ world }: Started, generation: number, change: Partial<NamedHead> = {}): NamedHead {
  const hash = world.heads()[generation - 1];
  if (hash === undefined && change.hash === undefined) throw new Error(`There is no generation ${generation}`);
  const { id: owner, incarnation } = world.owner;
  return { owner, incarnation, generation, hash: hash ?? filled(32, 1), ...change };
}

Deno.test("two devices that were shown one history agree, by code and by text, without asking the edge, HEAD-08 HEAD-09", async () => {
  const started = await start();
  const { device, edge } = started;
  await assertRejects(() => device.headCode(), "not_found");
  await device.login();
  const shown = await restart(started).headCode();
  assertEquals(shown, { generation: 1, code: headCode(named(started, 1)), text: headText(named(started, 1)) });
  // Started again it still knows its newest head, though it has verified none yet.
  assertEquals(await restart(started).compareHeadCode(shown.code), { result: "agree", other: 1, own: 1 });
  edge.requests.length = 0;
  for (const other of [shown.code, shown.text]) {
    assertEquals(await device.compareHeadCode(other), { result: "agree", other: 1, own: 1 });
  }
  assertEquals(edge.requests, []);
});

Deno.test("another head of the same generation is forked, HEAD-09", async () => {
  const started = await start();
  const { device } = started;
  await device.login();
  const other = named(started, 1, { hash: filled(32, 7) });
  for (const written of [headCode(other), headText(other)]) {
    await assertRejects(() => device.compareHeadCode(written), "forked");
  }
  // It is of no consequence for what is remembered.
  assertEquals((await device.head()).generation, 1);
});

Deno.test("a head of a higher generation is fetched, and must be shown, HEAD-09", async () => {
  const started = await start();
  const { device, world, edge } = started;
  await device.login();
  const before = world.current;
  await world.turn();
  const [code, text] = [headCode(named(started, 2)), headText(named(started, 2))];
  edge.shown = before;
  for (const other of [code, text]) await assertRejects(() => device.compareHeadCode(other), "withheld");
  edge.shown = null;
  assertEquals(await device.compareHeadCode(code), { result: "agree", other: 2, own: 2 });
  await world.turn();
  assertEquals(await device.compareHeadCode(headText(named(started, 3))), { result: "agree", other: 3, own: 3 });
  await world.turn();
  const forged = named(started, 4, { hash: filled(32, 7) });
  await assertRejects(() => device.compareHeadCode(headText(forged)), "forked");
  // A device that has not logged in yet does so.
  assertEquals(await restart(started).compareHeadCode(text), { result: "agree", other: 2, own: 4 });
});

Deno.test("a text of a lower generation is checked by its path, and a code by what was seen, HEAD-09", async () => {
  const started = await start();
  const { device, world, edge } = started;
  for (let turn = 0; turn < 4; turn++) await world.turn();
  await device.login();
  for (let generation = 1; generation <= 5; generation++) {
    const agreed = { result: "agree" as const, other: generation, own: 5 };
    assertEquals(await device.compareHeadCode(headText(named(started, generation))), agreed);
    const forged = headText(named(started, generation, { hash: filled(32, 7) }));
    await assertRejects(() => device.compareHeadCode(forged), "forked");
    const code = await device.compareHeadCode(headCode(named(started, generation)));
    assertEquals(code, generation === 5 ? agreed : { ...agreed, result: "left" });
  }
  await world.turn();
  await device.head();
  assertEquals((await device.compareHeadCode(headCode(named(started, 5)))).result, "agree");
  await assertRejects(() => device.compareHeadCode(headCode(named(started, 5, { hash: filled(32, 7) }))), "forked");
  // Of the device's own last head the path is sound; of the other's there is none.
  edge.lie = (name, answer) => name === "head" ? { ...answer, history: null } : answer;
  await assertRejects(() => device.compareHeadCode(headText(named(started, 2))), "withheld");
});

Deno.test("an edge that never shows the newest head with the path ends in withheld, HEAD-09", async () => {
  const started = await start();
  const { device, world, edge } = started;
  await world.turn();
  await device.login();
  let isOther = false;
  edge.before = async (name) => {
    if (name !== "head") return;
    isOther = !isOther;
    if (!isOther) await world.turn({ delta: true });
  };
  await assertRejects(() => device.compareHeadCode(headText(named(started, 1))), "withheld");
});

Deno.test("a text of another owner is usage, one of another incarnation is no agreement, HEAD-08 HEAD-09", async () => {
  const started = await start();
  const { device, edge } = started;
  await device.login();
  await assertRejects(() => device.compareHeadCode(headText(named(started, 1, { owner: filled(32, 1) }))), "usage");
  await assertRejects(() => device.compareHeadCode("hello"), "malformed");
  edge.requests.length = 0;
  for (const generation of [1, 9]) {
    const other = named(started, generation, { incarnation: filled(16, 1), hash: filled(32, 2) });
    assertEquals((await device.compareHeadCode(headText(other))).result, "another_incarnation");
  }
  assert(edge.requests.length > 0, "a restore that this device does not know of would have been shown");
});

Deno.test("the alarm of a fork is reported with every head that has it, HEAD-07", async () => {
  const started = await start();
  const { device, world } = started;
  assertEquals((await device.login()).alarm, null);
  const alarm = { generation: 1, time: world.time };
  await world.turn({ alarm, delta: true });
  assertEquals((await device.head()).alarm, alarm);
  await world.turn({ alarm });
  assertEquals((await device.head()).alarm, alarm);
  assertEquals((await restart(started).login()).alarm, alarm);
  // It goes on reading: these heads are the manager's.
  const { messages, asOf } = await device.messages.list("mail");
  assertEquals([messages.length, asOf.alarm], [8, alarm]);
  await world.turn();
  assertEquals((await device.head()).alarm, null);
});
