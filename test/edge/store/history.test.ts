/** Paths of earlier heads in the history of the present one. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { EMPTY_HISTORY, historyLeafHash, historyRoot } from "../../../shared/merkle/history.ts";
import { verifyInclusion } from "../../../shared/merkle/history_proofs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type HeadFixture, OwnerFixture } from "../../fixtures/owner.ts";
import { deviceEntry, ManagerFixture, type PreparedPush } from "../../fixtures/pushes.ts";
import { onEveryDatabase } from "./databases.ts";
import { asDevice, asManager, openStore, send } from "./fixture.ts";

/** spec: READ-07: the head `seen` is in the history of `now`. */
function check(path: readonly Bytes[] | null, seen: HeadFixture, now: HeadFixture): void {
  assert(path !== null);
  const { history: { size, root }, generation } = now.head;
  const index = size - (generation - seen.head.generation);
  verifyInclusion({ index, size, leafHash: historyLeafHash(seen.hash), root }, path);
}

onEveryDatabase("history of heads", async (t, { database }) => {
  const start = async () => {
    const owner = await OwnerFixture.create();
    const store = await openStore(database, owner);
    const manager = new ManagerFixture(owner);
    const device = await owner.device();
    const heads: HeadFixture[] = [];
    const push = async (prepared: PreparedPush) => {
      await send(store, owner, prepared);
      heads.push(prepared.head);
    };
    await push(await manager.full([deviceEntry(device)]));
    return { owner, store, manager, device, heads, push };
  };

  await t.step("READ-07: head(), record() and both logins prove every head of the incarnation", async () => {
    const { owner, store, manager, device, heads, push } = await start();
    for (let i = 0; i < 12; i++) await push(i === 5 ? await manager.full() : await manager.delta([]));
    const newest = heads.at(-1);
    assert(newest);
    for (const seen of heads.slice(0, -1)) {
      const { generation } = seen.head;
      check((await store.head(asDevice(owner, device), generation)).history, seen, newest);
      check((await store.record(asDevice(owner, device), generation)).history, seen, newest);
      check((await store.head(asManager(owner), generation)).history, seen, newest);
      check((await store.loginData(owner.id, device.id, generation))?.history ?? null, seen, newest);
      check((await store.managerLoginData(owner.id, generation)).history, seen, newest);
    }
    for (const seen of [undefined, 13, 14, Number.MAX_SAFE_INTEGER]) {
      assertEquals((await store.head(asDevice(owner, device), seen)).history, null);
    }
    assertEquals((await store.managerLoginData(webCryptoRandom(32), 3)).history, null);
    assertEquals(await store.loginData(owner.id, webCryptoRandom(16), 3), null);
  });

  await t.step("READ-07: history is null when the edge was not handed all the nodes", async () => {
    const { owner, store, manager, device, push } = await start();
    for (let i = 0; i < 3; i++) await push(await manager.delta([]));
    const { nodes: [full], ...rest } = await manager.delta([]);
    await push({ ...rest, nodes: [{ blocks: full?.blocks ?? [], history: [] }] });
    assertEquals((await store.head(asDevice(owner, device), 4)).history?.length, 2, "made of older nodes alone");
    assertEquals((await store.head(asDevice(owner, device), 1)).history, null);
    assertEquals((await store.head(asDevice(owner, device), 1)).generation, 5);
  });

  await t.step(
    "READ-07: history is null for a head before the incarnation",
    async () => {
      const { owner, store, manager, device, heads, push } = await start();
      for (let i = 0; i < 3; i++) await push(await manager.delta([]));
      // What a restored manager would push: its history begins anew, on top of generation 4.
      const restored = await manager.full(undefined, { history: { size: 0, root: historyRoot(EMPTY_HISTORY) } });
      await push({ ...restored, nodes: restored.nodes.map(({ blocks }) => ({ blocks, history: [] })) });
      const { generation, history } = await store.head(asDevice(owner, device), 4);
      assertEquals([generation, history, heads.length], [5, null, 5]);
    },
  );
});
