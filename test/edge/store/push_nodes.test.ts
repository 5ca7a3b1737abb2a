/** Nodes of trees on their way in: taken once, visible with the commit, gone with what they stand for. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import type { NodesFixture } from "../../fixtures/nodes.ts";
import { NOW, type OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import { asManager, counts, pushBody, sendChunk, sendNodes } from "./fixture.ts";
import { fresh } from "./push_scene.ts";

const hash = (n: number) => sha256(Uint8Array.of(n));

/** A block of this path that nobody's tree has. */
function block(path: string, n = 0): Bytes {
  return encodeBlock([4 * path.length, hash(n), hash(n + 1)]);
}

/** Paths of an owner's blocks of table 2 at a generation, with the blocks. */
async function blocksAt(database: Database, { id }: OwnerFixture, generation: number): Promise<Record<string, Bytes>> {
  const { rows } = await database.execute<{ token: Bytes; body: Bytes }>({
    sql: `SELECT r.token, r.body FROM owners o JOIN rows r ON r.owner = o.no AND r.space = o.space AND r.tbl = 12
      AND r.born <= ? AND r.died > ? WHERE o.id = ? ORDER BY r.token`,
    params: [generation, generation, id],
  });
  return Object.fromEntries(rows.map(({ token, body }) => [new TextDecoder().decode(token), body]));
}

async function count(database: Database, table: "history" | "push_nodes" | "rows", { id }: OwnerFixture) {
  const { rows: [row] } = await database.execute<{ n: number }>({
    sql: `SELECT COUNT(*) AS n FROM ${table} WHERE owner = (SELECT no FROM owners WHERE id = ?)`,
    params: [id],
  });
  return row?.n;
}

async function sweep(store: EdgeStore, now: number): Promise<void> {
  for (let i = 0; i < 1_000; i++) if (!(await store.sweep(now)).more) return;
  throw new Error("sweeping does not come to an end");
}

onEveryDatabase("nodes of a push", async (t, { database }) => {
  /** Generation 1, with these blocks of table 2. */
  const withBlocks = async (blocks: Readonly<Record<string, Bytes>>, history: NodesFixture["history"] = []) => {
    const { owner, store, manager } = await fresh(database);
    const body = pushBody(owner, { chunks: 0 });
    await store.begin(manager, body, NOW);
    const nodes = Object.entries(blocks).map(([path, one]) => [2, path, one] as const);
    await sendNodes(store, manager, body.id, 0, { blocks: nodes, history });
    const head = await owner.head({ generation: 1, previous: null, epoch: 1, tables: counts(0) });
    const commit = { heads: [head.signed], statements: [owner.statement.signed], nodes: 1 };
    await store.commit(manager, body.id, commit, NOW);
    return { owner, store, manager, head };
  };
  /** Begins a delta on generation 1. */
  const begin = async ({ owner, store, manager }: Awaited<ReturnType<typeof withBlocks>>) => {
    const body = pushBody(owner, { base: 1, full: false, chunks: 0 });
    await store.begin(manager, body, NOW);
    return body.id;
  };
  const commit = async (
    { owner, store, manager, head }: Awaited<ReturnType<typeof withBlocks>>,
    id: Bytes,
    nodes: number,
    tables: Head["tables"] = counts(0),
  ) => {
    const next = await owner.head({ generation: 2, previous: head.hash, epoch: 1, tables });
    return await store.commit(manager, id, { heads: [next.signed], statements: [], nodes }, NOW);
  };

  await t.step("PUSH-13: takeNodes() brings blocks that replace, join and remove those of the base", async () => {
    const state = await withBlocks({ "": block(""), "1": block("1"), "2a": block("2a") });
    const id = await begin(state);
    const blocks = [[2, "1", block("1", 7)], [2, "2a", null], [2, "3", block("3")], [3, "1", block("1")]] as const;
    await sendNodes(state.store, state.manager, id, 0, { blocks });
    const before = { "": block(""), "1": block("1"), "2a": block("2a") };
    assertEquals(await blocksAt(database, state.owner, 1), before, "PUSH-04: nothing is seen before the commit");
    await commit(state, id, 1);
    assertEquals(await blocksAt(database, state.owner, 2), { "": block(""), "1": block("1", 7), "3": block("3") });
    assertEquals(await blocksAt(database, state.owner, 1), before, "READ-02: the generation before stays");
    await sweep(state.store, NOW + LIMITS.readGraceMillis);
    assertEquals(await count(database, "rows", state.owner), 4);
  });

  await t.step(
    "PUSH-13: takeNodes() takes the same body again without effect, and no other under its number",
    async () => {
      const state = await withBlocks({ "": block("") });
      const id = await begin(state);
      const body = { blocks: [[2, "", null]], history: [[0, 0, hash(1)]] } as const;
      for (let i = 0; i < 2; i++) await sendNodes(state.store, state.manager, id, 0, body);
      await assertRejects(() => sendNodes(state.store, state.manager, id, 0, { blocks: [] }), "conflict");
      assertEquals(await commit(state, id, 1), 2);
      assertEquals(await blocksAt(database, state.owner, 2), {});
    },
  );

  await t.step(
    "PUSH-13: takeNodes() is conflict for a path that comes twice, and a block removed that is not there",
    async () => {
      const state = await withBlocks({ "": block(""), "1": block("1") });
      const id = await begin(state);
      const send = (n: number, ...blocks: NodesFixture["blocks"]) =>
        sendNodes(state.store, state.manager, id, n, { blocks });
      await assertRejects(() => send(0, [2, "1", null], [2, "1", block("1")]), "conflict");
      await assertRejects(() => send(0, [2, "2", null]), "conflict");
      await assertRejects(() => send(0, [3, "1", null]), "conflict");
      await send(0, [2, "1", null], [2, "2", block("2")], [2, "", block("", 5)]);
      for (const again of [[2, "1", null], [2, "1", block("1")], [2, "2", null], [2, "2", block("2")]] as const) {
        await assertRejects(() => send(1, again), "conflict");
      }
      await assertRejects(() => send(1, [2, "", block("", 6)]), "conflict");
      await send(1, [3, "1", block("1")]);
      assertEquals(await commit(state, id, 2), 2);
      const full = pushBody(state.owner, { base: 2, epoch: 2, chunks: 0 });
      await state.store.begin(state.manager, full, NOW);
      await assertRejects(
        () => sendNodes(state.store, state.manager, full.id, 0, { blocks: [[2, "1", null]] }),
        "conflict",
      );
    },
  );

  await t.step("PUSH-13: commitPush() is conflict unless all bodies of nodes are there", async () => {
    const state = await withBlocks({ "": block("") });
    const id = await begin(state);
    for (const nodes of [1, 2]) await assertRejects(() => commit(state, id, nodes), "conflict");
    await sendNodes(state.store, state.manager, id, 1, { blocks: [[2, "1", block("1")]] });
    for (const nodes of [0, 1, 2]) await assertRejects(() => commit(state, id, nodes), "conflict");
    await sendNodes(state.store, state.manager, id, 0, {});
    assertEquals(await commit(state, id, 2), 2);
  });

  await t.step("PUSH-08: what a discarded delta brought is undone before the next one begins", async () => {
    const state = await withBlocks({ "": block(""), "1": block("1") });
    const dropped = await begin(state);
    const blocks = [[2, "1", null], [2, "", block("", 9)], [2, "2", block("2")]] as const;
    await sendNodes(state.store, state.manager, dropped, 0, { blocks });
    await assertRejects(() => sendNodes(state.store, state.manager, hash(1).slice(0, 16), 0, {}), "not_found");
    const id = await begin(state);
    await assertRejects(() => sendNodes(state.store, state.manager, dropped, 1, {}), "conflict");
    await sendNodes(state.store, state.manager, id, 0, { blocks: [[2, "2", block("2", 3)]] });
    await commit(state, id, 1);
    assertEquals(await blocksAt(database, state.owner, 2), { "": block(""), "1": block("1"), "2": block("2", 3) });
  });

  await t.step(
    "PUSH-13: takeNodes() is malformed for a block that is none of its path, and too_large when full",
    async () => {
      const state = await withBlocks({ "": block("") });
      const id = await begin(state);
      const send = (blocks: NodesFixture["blocks"], store = state.store) =>
        sendNodes(store, state.manager, id, 0, { blocks });
      await assertRejects(() => send([[2, "1", block("2a")]]), "malformed");
      await assertRejects(() => send([[2, "G", block("1")]]), "malformed");
      await assertRejects(() => send([[2, "1", new Uint8Array(LIMITS.maxBlockBytes + 1)]]), "too_large");
      const narrow = await EdgeStore.open(database, { ownerBytes: block("").length + block("1").length });
      await assertRejects(() => send([[2, "1", block("1")], [2, "2", block("2")]], narrow), "too_large");
      await send([[2, "1", block("1")]], narrow);
    },
  );

  await t.step("PUSH-14: the history's nodes are kept once, and refused when they are others", async () => {
    const state = await withBlocks({}, [[0, 0, hash(1)], [0, 1, hash(2)], [1, 0, hash(3)]]);
    const id = await begin(state);
    const send = (n: number, ...history: NodesFixture["history"]) =>
      sendNodes(state.store, state.manager, id, n, { history });
    await send(0, [0, 1, hash(2)], [0, 2, hash(4)]);
    await assertRejects(() => send(1, [1, 0, hash(9)]), "conflict");
    await assertRejects(() => send(1, [0, 3, hash(5)], [0, 3, hash(5)]), "conflict");
    assertEquals(await count(database, "history", state.owner), 4);
    await commit(state, id, 1);
    await sweep(state.store, NOW + LIMITS.readGraceMillis);
    assertEquals(await count(database, "history", state.owner), 4);
  });

  await t.step(
    "PUSH-09, PUSH-14: the history goes with the tables, and nodes that a push brought with the push",
    async () => {
      const state = await withBlocks({ "": block("") }, [[0, 0, hash(1)]]);
      await state.store.deleteTables(state.manager, 1, NOW);
      await sweep(state.store, NOW + LIMITS.pushMemoryMillis);
      for (const table of ["history", "push_nodes", "rows"] as const) {
        assertEquals(await count(database, table, state.owner), 0, table);
      }
    },
  );

  await t.step("PUSH-13: only the manager brings nodes", async () => {
    const { owner, store, manager } = await withBlocks({ "": block("") });
    const body = pushBody(owner, { base: 1, full: false, chunks: 1 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, {});
    const device = { ...asManager(owner), manager: false };
    await assertRejects(() => sendNodes(store, device, body.id, 0, {}), "forbidden");
  });
});
