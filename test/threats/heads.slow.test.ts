/** Promise: the edge cannot turn back time, or stop it, unnoticed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Head } from "../../shared/protocol/head.ts";
import { openAlarms } from "../../manager/sync/alarms.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { INTERVAL_MILLIS } from "../fixtures/manager.ts";
import { run } from "./edge_database.ts";
import { lastHead, managersSigner, showForgedHead } from "./forge.ts";
import { CHANNEL, mail, pushedWorld, SUBJECTS } from "./setting.ts";

Deno.test("PosternDevice.login() throws rolled_back when the edge shows an earlier generation (HEAD-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await world.copyEdge();
  await world.manager.sync();
  assertEquals((await device.client.login()).generation, 2);
  world.replaceEdge(earlier);
  await assertRejects(() => device.start().login(), "rolled_back");
});

Deno.test("PosternDevice.head() throws rolled_back when the edge goes back within a session (HEAD-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await world.copyEdge();
  await world.manager.sync();
  await device.client.login();
  world.replaceEdge(earlier);
  await assertRejects(() => device.client.head(), "rolled_back");
});

Deno.test("messages.list() throws rolled_back when an answer is from before what was seen (READ-05)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await world.copyEdge();
  await world.manager.receive(CHANNEL, mail("four"));
  await world.manager.sync();
  await device.client.login();
  world.replaceEdge(earlier);
  await assertRejects(() => device.client.messages.list(CHANNEL), "rolled_back");
  await assertRejects(() => device.client.certificates.bySubject(SUBJECTS[0] ?? ""), "rolled_back");
  // A whole table is asked for by its generation, which the earlier state has not.
  await assertRejects(() => device.client.tables.verify("messages"), "rolled_back");
});

Deno.test("messages.list() throws withheld when the edge names a generation and shows no head of it (READ-05)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  await run(world.edge, "UPDATE owners SET generation = 7");
  await assertRejects(() => device.client.messages.list(CHANNEL), "tampered");
  await run(world.edge, "UPDATE owners SET generation = 1, head = NULL");
  await assertRejects(() => device.client.head(), "withheld");
});

Deno.test("PosternDevice.login() throws withheld when the edge says that nothing was pushed", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  world.edge.lies.loginData = async (store, ...asked) => {
    const data = await store.loginData(...asked);
    return data === null ? null : { ...data, generation: 0 };
  };
  await assertRejects(() => device.client.login(), "withheld");
});

Deno.test("messages.list() throws withheld when the edge keeps the record of a new epoch to itself (READ-04)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  await world.manager.sync({ rotate: true });
  world.edge.lies.record = async (store, ...asked) => ({ ...await store.record(...asked), record: null });
  await assertRejects(() => device.client.messages.list(CHANNEL), "withheld");
  delete world.edge.lies.record;
  assertEquals((await device.client.messages.list(CHANNEL)).asOf.epoch, 2);
});

/** What a second copy of the manager could sign: with the right key, and saying something else. */
const FORKS: Readonly<Record<string, (head: Head) => Partial<Head>>> = {
  "the same generation, other time": (head) => ({ time: head.time + 1 }),
  "the same generation, other count": (head) => ({
    tables: { ...head.tables, messages: { ...head.tables.messages, count: head.tables.messages.count + 1 } },
  }),
  "the next generation, on another head": (head) => ({
    generation: head.generation + 1,
    previous: webCryptoRandom(32),
  }),
  "the next generation, on none": (head) => ({ generation: head.generation + 1, previous: null }),
};

for (const [name, change] of Object.entries(FORKS)) {
  Deno.test(`PosternDevice.head() throws forked when the edge shows a head of ${name} (HEAD-03)`, async () => {
    await using setting = await pushedWorld();
    const { device, world } = setting;
    await device.client.login();
    const head = await lastHead(world.manager);
    await showForgedHead(world.edge, world.manager, change(head), await managersSigner(world.manager));
    await assertRejects(() => device.client.head(), "forked");
    await assertRejects(() => device.start().login(), "forked");
  });
}

Deno.test("PosternDevice.head() throws rolled_back when a later head goes back in epoch or time (HEAD-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await world.manager.sync({ rotate: true });
  await device.client.login();
  const head = await lastHead(world.manager);
  const later = { generation: head.generation + 5, previous: webCryptoRandom(32) };
  const signer = await managersSigner(world.manager);
  await showForgedHead(world.edge, world.manager, { ...later, time: head.time - 1 }, signer);
  await assertRejects(() => device.client.head(), "rolled_back");
  await showForgedHead(world.edge, world.manager, { ...later, epoch: head.epoch - 1 }, signer);
  await run(world.edge, "UPDATE owners SET epoch = epoch - 1");
  await assertRejects(() => device.client.head(), "rolled_back");
});

const SIGNERS: Readonly<Record<string, (setting: Awaited<ReturnType<typeof pushedWorld>>) => Promise<Sign>>> = {
  "a device's key": ({ device }) => Promise.resolve(device.keys.sign),
  "another owner's manager": ({ world: { managers } }) => managersSigner(managers[1] ?? missing()),
  "nobody": () => Promise.resolve(() => Promise.resolve(new Uint8Array(64))),
};

type Sign = (message: Bytes) => Promise<Bytes>;

for (const [name, signerOf] of Object.entries(SIGNERS)) {
  Deno.test(`PosternDevice.login() throws tampered when the head is signed by ${name} (HEAD-02)`, async () => {
    await using setting = await pushedWorld({ owners: 2 });
    const { device, world } = setting;
    const head = await lastHead(world.manager);
    const next = { generation: head.generation + 1, previous: webCryptoRandom(32) };
    for (const change of [{}, next]) {
      await showForgedHead(world.edge, world.manager, change, await signerOf(setting));
      await assertRejects(() => device.client.login(), "tampered");
    }
  });
}

Deno.test("PosternDevice.login() throws tampered when the head of another owner is shown (HEAD-02)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { device, world } = setting;
  const stranger = world.managers[1] ?? missing();
  await world.pair("theirs", {}, stranger);
  await stranger.sync();
  const [mine, theirs] = [await lastHead(world.manager), await lastHead(stranger)];
  await run(
    world.edge,
    "UPDATE owners SET head = (SELECT head FROM owners WHERE id = ?) WHERE id = ?",
    ...[stranger.owner, world.owner],
  );
  assertEquals(mine.generation, theirs.generation);
  await assertRejects(() => device.client.login(), "tampered");
});

Deno.test("PosternDevice.head() says overdue, and submissions throw stale, when the edge stops time (HEAD-04, INBOX-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const stopped = await world.copyEdge();
  world.replaceEdge(stopped);
  assertEquals((await device.client.login()).freshness, "fresh");
  const { nextDue } = await device.client.head();
  world.clock.advance(nextDue + LIMITS.headGraceMillis - world.clock.now());
  assertEquals((await device.client.head()).freshness, "fresh");
  world.clock.advance(1);
  assertEquals((await device.client.head()).freshness, "overdue");
  assertEquals((await device.client.messages.list(CHANNEL)).asOf.freshness, "overdue");
  const sent = device.traffic.exchanges.length;
  await assertRejects(() => device.client.submit.message({ channel: "out", raw: mail("late") }), "stale");
  assert(device.traffic.exchanges.slice(sent).every(({ request }) => request.method === "GET"));
  assertEquals((await device.client.submit.status()).pending, []);
});

Deno.test("messages.list() throws stale when the head is overdue and stale reads are to be refused (HEAD-04)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const device = await world.pair("strict", { staleReads: "refuse" });
  await world.manager.sync();
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 4);
  world.clock.advance(3 * INTERVAL_MILLIS + LIMITS.headGraceMillis + 1);
  await assertRejects(() => device.client.messages.list(CHANNEL), "stale");
  await assertRejects(() => device.client.tables.verify("messages"), "stale");
});

Deno.test("submit.message() throws clock when the head is of a time that the device has not reached (HEAD-04)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const device = await world.pair("slow", { offMillis: -LIMITS.maxClockLeadMillis - 1 });
  await world.manager.sync();
  assertEquals((await device.client.login()).freshness, "ahead");
  await assertRejects(() => device.client.submit.message({ channel: "out", raw: mail("early") }), "clock");
});

Deno.test("Manager.sync() fills the edge anew and raises an alarm when it went back behind a commit", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await world.copyEdge();
  await world.manager.receive(CHANNEL, mail("four"));
  await world.manager.sync();
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 5);
  world.replaceEdge(earlier);
  const { reason, pushed } = await world.manager.sync();
  assertEquals([reason, pushed.generation], ["edge lost", 3]);
  assertEquals((await openAlarms(world.manager.db)).map(({ code }) => code), ["rolled_back"]);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 5);
});

Deno.test("Manager.sync() throws forked when the edge shows a newer head of its own key (PUSH-11)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const copy = await world.copyManager();
  await copy.receive(CHANNEL, mail("four"));
  await copy.sync();
  await assertRejects(() => world.manager.sync(), "forked");
});

Deno.test("Manager.sync() throws tampered when the edge shows a head that its key did not sign", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const head = await lastHead(world.manager);
  await showForgedHead(world.edge, world.manager, { generation: head.generation + 1 }, device.keys.sign);
  await assertRejects(() => world.manager.sync(), "tampered");
});

function missing(): never {
  throw new Error("The setting has no such part");
}
