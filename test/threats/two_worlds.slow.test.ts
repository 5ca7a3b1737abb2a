/** Promise: the edge cannot show two devices two worlds unnoticed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { clearForks } from "../../manager/heads/forks.ts";
import { compareHead } from "../../manager/heads/compare.ts";
import { clearAlarms, openAlarms } from "../../manager/sync/alarms.ts";
import { parseOtherHead } from "../../shared/protocol/head_code.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import type { TestManager } from "../fixtures/manager.ts";
import type { TestEdge } from "../fixtures/edge.ts";
import { lastHead, managersSigner, showForgedHead } from "./forge.ts";
import { CHANNEL, mail, pushedWorld, type Setting } from "./setting.ts";

/** Two devices in two worlds: the laptop has handed something in under a head that only the manager's copy signed. */
async function twoWorlds(setting: Setting): Promise<
  { readonly first: TestEdge; readonly second: TestEdge; readonly copy: TestManager }
> {
  const { device, other, world } = setting;
  // Another copy of the manager signs its own second generation; the edge shows each device one of the two worlds.
  const copy = await world.copyManager();
  const second = await world.copyEdge();
  await world.manager.sync();
  const first = world.replaceEdge(second);
  await copy.receive(CHANNEL, mail("only in the second world"));
  await copy.sync();
  assertEquals((await other.client.messages.list(CHANNEL)).messages.length, 5);
  for (let count = 0; count < 2; count++) assertEquals((await other.client.submit.ping()).delivered, true);
  world.replaceEdge(first);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 4);
  // The edge has to hand on what the device handed in, or not acknowledge it, which the device sees.
  const entries = await handedIn(second);
  first.lies.list = () => Promise.resolve({ entries, next: null });
  return { first, second, copy };
}

Deno.test("every device is told, in every head, of a head that one reports and the manager never signed (INBOX-12, HEAD-07)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const { manager } = world;
  await twoWorlds(setting);
  const { inbox, pushed } = await manager.sync();
  assertEquals([pushed.generation, inbox.done, inbox.contradicting.length, inbox.gaps], [3, 0, 1, []]);
  assertEquals((await openAlarms(manager.db)).map(({ code }) => code), ["forked"]);
  const alarm = { generation: 2, time: world.clock.now() };
  assertEquals((await device.client.head()).alarm, alarm);
  assertEquals((await device.start().login()).alarm, alarm);
  assertEquals((await lastHead(manager)).acks, []);
  // It goes on reading, and handing in; the alarm stays with what it is of.
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 4);
  world.clock.advance(60_000);
  await manager.sync({ rotate: true });
  assertEquals((await device.client.head()).alarm, alarm);
  assertEquals((await openAlarms(manager.db)).length, 1);
  // Who was shown the other world is told by what it remembers.
  await assertRejects(() => other.client.head(), "forked");
});

Deno.test("a report counts although the other copy has taken what came before it (INBOX-12)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const { first, second, copy } = await twoWorlds(setting);
  world.replaceEdge(second);
  await copy.sync();
  await other.client.head();
  await other.client.submit.ping();
  const entries = (await handedIn(second)).slice(-1);
  world.replaceEdge(first);
  first.lies.list = () => Promise.resolve({ entries, next: null });
  const { inbox } = await world.manager.sync();
  assertEquals([inbox.contradicting.length, inbox.gaps], [1, []]);
  assertEquals((await device.client.head()).alarm?.generation, 3);
});

Deno.test("what the owner has cleared raises no alarm again, and what waited is taken (INBOX-12)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { manager } = world;
  await twoWorlds(setting);
  await manager.sync();
  assertEquals(await clearForks(manager.db, world.clock.now()), 1);
  await clearAlarms(manager.db, await openAlarms(manager.db), world.clock.now());
  const { inbox } = await manager.sync();
  assertEquals([inbox.done, inbox.contradicting], [2, []]);
  assertEquals(await openAlarms(manager.db), []);
  assertEquals((await device.client.head()).alarm, null);
  assertEquals((await lastHead(manager)).acks.map(({ number }) => number), [2]);
});

Deno.test("what a revoked device reports raises no alarm (INBOX-12, INBOX-08)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const { manager } = world;
  await twoWorlds(setting);
  await manager.revoke(other.profile.device);
  assertEquals((await manager.sync()).inbox.refused, 2);
  assertEquals(await openAlarms(manager.db), []);
  assertEquals((await device.client.head()).alarm, null);
});

Deno.test("two devices that were shown two worlds see it when they compare heads, and so does the manager (HEAD-09, HEAD-11)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const { manager } = world;
  const { first, copy } = await twoWorlds(setting);
  first.lies.list = () => Promise.resolve({ entries: [], next: null });
  const [one, two] = [await device.client.headCode(), await other.client.headCode()];
  assertEquals([one.generation, two.generation], [2, 2]);
  for (const written of [two.code, two.text]) {
    await assertRejects(() => device.client.compareHeadCode(written), "forked");
    await assertRejects(() => compareHead(manager.db, parseOtherHead(written), null), "forked");
    assertEquals((await compareHead(copy.db, parseOtherHead(written), null)).result, "agree");
  }
  // Of an earlier generation, too, and at once of a later one.
  await manager.sync();
  await device.client.head();
  await assertRejects(() => device.client.compareHeadCode(two.text), "forked");
  assertEquals(await compareHead(manager.db, parseOtherHead(one.code), null), { result: "agree", own: 3 });
  await copy.db.execute({ sql: "DELETE FROM heads WHERE generation > 1", params: [] });
  await assertRejects(() => compareHead(copy.db, parseOtherHead(two.code), null), "forked");
  // Nobody was told yet: that is the owner's word, since a code may be misheard.
  assertEquals((await device.client.head()).alarm, null);
  await assertRejects(() => compareHead(manager.db, parseOtherHead(two.code), world.clock.now()), "forked");
  await manager.sync();
  assertEquals((await device.client.head()).alarm, { generation: 2, time: world.clock.now() });
});

Deno.test("a device whose view is frozen sees it when it compares heads (HEAD-09)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await device.client.login();
  const frozen = await world.copyEdge();
  await world.manager.sync();
  await other.client.login();
  const { code, text } = await other.client.headCode();
  const live = world.replaceEdge(frozen);
  for (const written of [code, text]) {
    await assertRejects(() => device.client.compareHeadCode(written), "withheld");
  }
  world.replaceEdge(live);
  assertEquals((await device.client.compareHeadCode(code)).result, "agree");
  assertEquals((await other.client.compareHeadCode((await device.client.headCode()).text)).result, "agree");
});

/** What lies in an edge's inbox, as its store would list it. */
async function handedIn({ database }: TestEdge): Promise<[number, Bytes][]> {
  const { rows } = await database.execute<{ readonly arrival: number; readonly body: Bytes }>({
    sql: "SELECT arrival, body FROM inbox_bodies ORDER BY arrival",
    params: [],
  });
  return rows.map(({ arrival, body }) => [arrival, body]);
}

Deno.test("PosternDevice.login() throws forked when a device paired in one world is shown the other (PAIR-02)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const head = await lastHead(world.manager);
  const device = await world.pair("new");
  await world.manager.sync();
  await showForgedHead(
    world.edge,
    world.manager,
    { ...head, time: head.time + 1 },
    await managersSigner(world.manager),
  );
  await assertRejects(() => device.client.login(), "forked");
});

Deno.test("PosternDevice.login() throws rolled_back when a paired device is shown less than pairing named (PAIR-02)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const head = await lastHead(world.manager);
  await world.manager.sync();
  const device = await world.pair("new");
  await world.manager.sync();
  await showForgedHead(world.edge, world.manager, head, await managersSigner(world.manager));
  await assertRejects(() => device.client.login(), "rolled_back");
});

Deno.test("PosternDevice.head() throws forked when something is acknowledged that it never handed in (INBOX-09)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.submit.ping();
  await world.manager.sync();
  await device.client.head();
  assertEquals((await device.client.submit.status()).pending, []);
  // From here on another program acts as this device, or another manager invents what it did, in a head that builds on what was seen.
  await world.manager.sync();
  const { acks } = await lastHead(world.manager);
  assertEquals(acks.length, 1);
  const lies = [
    acks.map((ack) => ({ ...ack, number: ack.number + 1 })),
    acks.map((ack) => ({ ...ack, hash: webCryptoRandom(32) })),
  ];
  for (const lie of lies) {
    await showForgedHead(
      world.edge,
      world.manager,
      { acks: lie },
      await managersSigner(world.manager),
    );
    await assertRejects(() => device.start().login(), "forked");
  }
});

Deno.test("PosternDevice.head() throws rolled_back when an acknowledgement is taken back (INBOX-09)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  for (let count = 0; count < 2; count++) await device.client.submit.ping();
  await world.manager.sync();
  await device.client.head();
  await world.manager.sync();
  const { acks } = await lastHead(world.manager);
  const lie = acks.map((ack) => ({ ...ack, number: ack.number - 1 }));
  await showForgedHead(
    world.edge,
    world.manager,
    { acks: lie },
    await managersSigner(world.manager),
  );
  await assertRejects(() => device.start().login(), "rolled_back");
});
