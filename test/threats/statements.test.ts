/** Promise: only the owner's root says which keys, edges and incarnation count, and the edge cannot go back behind its word. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import type { OwnerStatement } from "../../shared/protocol/statement.ts";
import { issueStatement } from "../../manager/owner/statement.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { newEdgeIdentity } from "../fixtures/edge.ts";
import type { TestManager } from "../fixtures/manager.ts";
import { showStatement } from "./edge_database.ts";
import { forgeStatement, lastHead, managersSigner, showForgedHead } from "./forge.ts";
import { pushedWorld } from "./setting.ts";

async function restate(manager: TestManager): Promise<void> {
  await issueStatement(manager.db, {}, manager.clock.now());
}

Deno.test("PosternDevice.login() throws rolled_back when the edge shows an earlier owner statement (STMT-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await world.copyEdge();
  const first = await forgeStatement(world.manager, {});
  await restate(world.manager);
  await world.manager.sync();
  assertEquals((await device.client.login()).statement, 2);
  await showStatement(world.edge, first);
  await assertRejects(() => device.start().login(), "rolled_back");
  world.replaceEdge(earlier);
  await assertRejects(() => device.start().login(), "rolled_back");
});

Deno.test("PosternDevice.login() throws forked when there are two statements of one number (STMT-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { statement } = await device.client.login();
  assertEquals(statement, 1);
  await showStatement(world.edge, await forgeStatement(world.manager, { time: world.clock.now() + 1 }));
  await assertRejects(() => device.start().login(), "forked");
});

Deno.test("PosternDevice.login() throws tampered when the statement is not signed by its owner's root (STMT-01)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { device, world } = setting;
  const stranger = world.managers[1];
  assert(stranger !== undefined);
  const changes: Partial<OwnerStatement>[] = [{}, { number: 2 }, { number: 2, incarnation: webCryptoRandom(16) }];
  const signers = [device.keys.sign, await managersSigner(world.manager), await managersSigner(stranger)];
  for (const change of changes) {
    for (const signer of signers) {
      await showStatement(world.edge, await forgeStatement(world.manager, change, signer));
      await assertRejects(() => device.start().login(), "tampered");
    }
  }
  await showStatement(world.edge, await forgeStatement(stranger, {}));
  await assertRejects(() => device.start().login(), "tampered");
  await showStatement(world.edge, await forgeStatement(stranger, { owner: world.owner }));
  await assertRejects(() => device.start().login(), "tampered");
});

Deno.test("PosternDevice.login() throws rolled_back when the head is of an earlier statement than shown (HEAD-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await showStatement(world.edge, await forgeStatement(world.manager, { number: 2 }));
  await assertRejects(() => device.client.login(), "rolled_back");
});

Deno.test("PosternDevice.login() throws withheld when the head names a statement that is not shown (HEAD-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const first = await forgeStatement(world.manager, {});
  await restate(world.manager);
  await world.manager.sync();
  await showStatement(world.edge, first);
  await assertRejects(() => device.client.login(), "withheld");
});

Deno.test("PosternDevice.login() throws tampered when the head names other bytes of its statement (HEAD-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const head = await lastHead(world.manager);
  const statement = { number: head.statement.number, hash: webCryptoRandom(32) };
  await showForgedHead(world.edge, world.manager, { statement }, await managersSigner(world.manager));
  await assertRejects(() => device.client.login(), "tampered");
});

Deno.test("PosternDevice.login() leaves an edge for good when the newest statement names another one (STMT-04)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { name } = await newEdgeIdentity("https://elsewhere.test");
  await showStatement(world.edge, await forgeStatement(world.manager, { number: 2, edges: [name] }));
  // Nobody answers there, so that what is left is what the old edge did.
  await assertRejects(() => device.client.login(), "network");
  const requests = device.traffic.exchanges.map(({ request }) => new URL(request.url).origin);
  assert(requests.every((origin) => origin === new URL(world.edge.identity.name.origin).origin));
});

Deno.test("PosternDevice.login() throws rolled_back or forked when the edge shows less than pairing named (PAIR-02)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const earlier = await world.copyEdge();
  const first = await forgeStatement(world.manager, {});
  await restate(world.manager);
  await world.manager.sync();
  const device = await world.pair("new");
  await world.manager.sync();
  const now = await world.copyEdge();

  await showStatement(world.edge, first);
  await assertRejects(() => device.start().login(), "rolled_back");
  await showStatement(world.edge, await forgeStatement(world.manager, { time: world.clock.now() + 1 }));
  await assertRejects(() => device.start().login(), "forked");

  world.replaceEdge(earlier);
  // It does not know the device, but whose statement it shows is what the device goes by.
  await assertRejects(() => device.start().login(), "rolled_back");
  world.replaceEdge(now);
  assertEquals((await device.start().login()).statement, 2);
});

Deno.test("Manager.sync() throws unauthorized when its statement is older than the one the edge holds (SESS-03)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const copy = await world.copyManager();
  await restate(world.manager);
  await world.manager.sync();
  await assertRejects(() => copy.sync(), "unauthorized");
});

Deno.test("Manager.sync() throws unauthorized when its owner is not in the edge's configuration (SESS-03)", async () => {
  await using setting = await pushedWorld();
  await using stranger = await pushedWorld();
  const { world } = setting;
  // The statement names the edge where it now knocks, and is well signed: the owner id alone is unknown.
  await issueStatement(
    stranger.world.manager.db,
    { edges: [world.edge.identity.name] },
    stranger.world.clock.now(),
  );
  stranger.world.replaceEdge(world.edge);
  await assertRejects(() => stranger.world.manager.sync(), "unauthorized");
});
