import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

Deno.test("The manager writes a receipt for everything that it takes, and the device reads what came of it", async () => {
  await using world = await World.create();
  const { manager } = world;
  const device = await world.pair();
  await manager.sync();
  const { submit } = device.client;
  await device.client.login();
  const message = await submit.message({ channel: "out", raw: utf8("Subject: x\r\n\r\nhello\r\n") });
  const ping = await submit.ping();
  assertEquals(await submit.outcome(message), null);
  world.clock.advance(60_000);
  assertEquals((await manager.sync()).inbox.done, 2);
  assertEquals(await submit.outcome(message), { outcome: "done", text: "out" });
  assertEquals(await submit.outcome(ping), { outcome: "done", text: "" });
  const { contents } = await device.client.verifyAll();
  assertEquals(contents.receipts, 2);
  assert((await submit.status()).pending.length === 0);
});
