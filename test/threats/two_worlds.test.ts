/** Promise: the edge cannot show two devices two worlds unnoticed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import type { TestEdge } from "../fixtures/edge.ts";
import { lastHead, managersSigner, showForgedHead } from "./forge.ts";
import { CHANNEL, mail, pushedWorld } from "./setting.ts";

Deno.test("Manager.sync() throws forked when a device reports a head that it did not sign (INBOX-12)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  // Another copy of the manager signs its own second generation; the edge shows each device one of the two worlds.
  const copy = await world.copyManager();
  const second = await world.copyEdge();
  await world.manager.sync();
  const first = world.replaceEdge(second);
  await copy.receive(CHANNEL, mail("only in the second world"));
  await copy.sync();
  assertEquals((await other.client.messages.list(CHANNEL)).messages.length, 5);
  const report = await other.client.submit.ping();
  assertEquals(report.delivered, true);

  world.replaceEdge(first);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 4);
  // The edge has to hand on what the device handed in, or not acknowledge it, which the device sees.
  const entries = await handedIn(second);
  first.lies.list = () => Promise.resolve({ entries, next: null });
  await assertRejects(() => world.manager.sync(), "forked");
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
