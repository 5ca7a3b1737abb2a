import { completeHistory, historyNodes, readHistory } from "../../../manager/heads/history.ts";
import { findHead, newestHead } from "../../../manager/heads/repository.ts";
import { appendToHistory, EMPTY_HISTORY, historyLeafHash, type HistoryNode } from "../../../shared/merkle/history.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

async function nodesOf(world: World, from: number, to: number): Promise<HistoryNode[]> {
  return (await Array.fromAsync(historyNodes(world.manager.db, from, to))).flat();
}

const order = (a: HistoryNode, b: HistoryNode) => a.level - b.level || a.index - b.index;

async function pushed(generations: number): Promise<World> {
  const world = await World.create();
  for (let i = 0; i < generations; i++) {
    await world.manager.sync();
    world.clock.advance(60_000);
  }
  return world;
}

Deno.test("every head's nodes of the history are stored with it, TREE-06", async () => {
  await using world = await pushed(6);
  const { db } = world.manager;
  let history = EMPTY_HISTORY;
  const expected: HistoryNode[] = [];
  for (let generation = 1; generation <= 6; generation++) {
    const head = await findHead(db, generation);
    const extended = appendToHistory(history, head?.hash ?? new Uint8Array(0));
    history = extended.history;
    assertEquals(await nodesOf(world, generation, generation), extended.nodes);
    expected.push(...extended.nodes);
  }
  assertEquals(await readHistory(db), history);
  assertEquals(await nodesOf(world, 1, 6), expected);
  assertEquals((await nodesOf(world, 3, 6)).length, expected.length - 3);
});

Deno.test("completeHistory() makes the nodes of heads that were signed before they were kept", async () => {
  await using world = await pushed(5);
  const { db } = world.manager;
  const before = await nodesOf(world, 1, 5);
  await db.execute({ sql: "DELETE FROM history", params: [] });
  await completeHistory(db);
  assertEquals(await nodesOf(world, 1, 5), before);
  // Cut off in the middle, it starts over.
  await db.execute({ sql: "DELETE FROM history WHERE generation > 2", params: [] });
  await completeHistory(db);
  assertEquals((await nodesOf(world, 1, 5)).sort(order), before.sort(order));
  const { generation, hash } = await newestHead(db) ?? { generation: 0, hash: new Uint8Array(0) };
  assertEquals([generation, before.filter(({ level }) => level === 0).at(-1)?.hash], [5, historyLeafHash(hash)]);
});

Deno.test("completeHistory() refuses heads that are not those of the history", async () => {
  await using world = await pushed(3);
  const { db } = world.manager;
  await db.execute({ sql: "DELETE FROM history", params: [] });
  await db.execute({ sql: "UPDATE heads SET hash = zeroblob(32) WHERE generation = 2", params: [] });
  await assertRejects(() => completeHistory(db), "storage");
});
