/** Promise: restoring the manager is not an attack, and an attack is not a restore. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { verifyStatement } from "../../shared/protocol/statement.ts";
import { putStatement } from "../../manager/owner/statement.ts";
import { META, setBytes } from "../../manager/store/meta.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestManager } from "../fixtures/manager.ts";
import { showStatement } from "./edge_database.ts";
import { forgeStatement, lastHead, managersSigner, showForgedHead } from "./forge.ts";
import { CHANNEL, mail, pushedWorld } from "./setting.ts";

/** A new life of the manager's database, in the owner's own words: a statement by the root, and a head under it. */
async function restart(manager: TestManager): Promise<Uint8Array> {
  const incarnation = webCryptoRandom(16);
  const signed = await forgeStatement(manager, { number: 2 + 2 ** 20, incarnation });
  await manager.db.batch([
    putStatement(2 + 2 ** 20, signed, manager.clock.now()),
    setBytes(META.incarnation, incarnation),
  ]);
  await manager.sync({ rotate: true });
  return incarnation;
}

Deno.test("PosternDevice.login() throws restored until the new incarnation is confirmed, once (STMT-03)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await device.client.login();
  await other.client.login();
  await world.manager.receive(CHANNEL, mail("after the restore"));
  const incarnation = await restart(world.manager);

  await assertRejects(() => device.client.messages.list(CHANNEL), "restored");
  await assertRejects(() => device.client.submit.message({ channel: "out", raw: mail("no") }), "restored");
  const { restore } = device.client;
  assert(restore !== null && equalBytes(restore.incarnation, incarnation));
  await device.client.confirmRestore(restore.incarnation);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 5);
  // Confirmed on this device, and nowhere else.
  assertEquals((await device.start().login()).statement, 2 + 2 ** 20);
  await assertRejects(() => other.client.login().then(() => other.client.head()), "restored");
});

Deno.test("PosternDevice.login() throws restored again when another incarnation is shown than was confirmed (STMT-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  await restart(world.manager);
  await device.client.confirmRestore(webCryptoRandom(16));
  await assertRejects(() => device.start().login(), "restored");
});

Deno.test("PosternDevice.login() throws tampered when a restore is signed by anybody but the root (STMT-01)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { device, other, world } = setting;
  await device.client.login();
  const stranger = world.managers[1];
  assert(stranger !== undefined);
  const incarnation = webCryptoRandom(16);
  for (const signer of [other.keys.sign, await managersSigner(world.manager), await managersSigner(stranger)]) {
    const signed = await forgeStatement(world.manager, { number: 9, incarnation }, signer);
    await assertRejects(() => verifyStatement(signed, world.owner), "tampered");
    await showStatement(world.edge, signed);
    await assertRejects(() => device.start().login(), "tampered");
    assertEquals(device.start().restore, null);
  }
});

Deno.test("PosternDevice.login() throws rolled_back when an old state is passed off without a new incarnation (HEAD-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const copy = await world.copyManager();
  const earlier = await world.copyEdge();
  await world.manager.sync();
  await world.manager.sync();
  assertEquals((await device.client.login()).generation, 3);
  // A manager from an old copy of its database that does not say so, at an edge that was put back with it.
  world.replaceEdge(earlier);
  await copy.sync();
  await assertRejects(() => device.start().login(), "rolled_back");
});

Deno.test("PosternDevice.login() throws forked when a restore builds on another history than was seen (HEAD-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { generation } = await device.client.login();
  const incarnation = webCryptoRandom(16);
  const base = { generation, head: webCryptoRandom(32) };
  await showStatement(world.edge, await forgeStatement(world.manager, { number: 9, incarnation, base }));
  await device.client.confirmRestore(incarnation);
  await assertRejects(() => device.start().login(), "forked");
});

Deno.test("PosternDevice.login() throws tampered when the head is of another incarnation than its statement (HEAD-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const head = await lastHead(world.manager);
  const change = { generation: head.generation + 1, incarnation: webCryptoRandom(16) };
  await showForgedHead(world.edge, world.manager, change, await managersSigner(world.manager));
  await assertRejects(() => device.client.login(), "tampered");
});
