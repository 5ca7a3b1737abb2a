import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { historyNodes } from "../../../manager/heads/history.ts";
import { newestHead } from "../../../manager/heads/repository.ts";
import { putEntry, removeEntry } from "../../../manager/store/entries.ts";
import { assert, assertEquals } from "../../assert.ts";
import type { Interceptor } from "../../fixtures/traffic.ts";
import { World } from "../../fixtures/world.ts";
import { keptBlocks, rebuiltBlocks } from "./kept_blocks.ts";

/** The blocks that the edge answers from, by table and path. */
async function edgeBlocks({ edge }: World): Promise<Map<string, Bytes>> {
  const { rows } = await edge.database.execute<{ tbl: number; path: Bytes; body: Bytes }>({
    sql:
      `SELECT r.tbl - 10 AS tbl, r.token AS path, r.body FROM owners o JOIN rows r ON r.owner = o.no AND r.space = o.space
      WHERE r.tbl > 10 AND r.born <= o.generation AND r.died > o.generation`,
    params: [],
  });
  const text = new TextDecoder();
  return inOrder(rows.map(({ tbl, path, body }) => [`${tbl} ${text.decode(path)}`, body]));
}

/** The nodes of the history that it has. */
async function edgeHistory({ edge }: World): Promise<Map<string, string>> {
  const { rows } = await edge.database.execute<{ level: number; idx: number; hash: Bytes }>({
    sql: "SELECT level, idx, hash FROM history",
    params: [],
  });
  return new Map(rows.map(({ level, idx, hash }) => [`${level} ${idx}`, toHex(hash)]));
}

function inOrder<V>(pairs: Iterable<readonly [string, V]>): Map<string, V> {
  return new Map([...pairs].sort(([a], [b]) => a < b ? -1 : 1));
}

/** After a push: what the manager keeps and what the edge has is what the leaves and the heads say. */
async function check(world: World): Promise<void> {
  const { db } = world.manager;
  const expected = await rebuiltBlocks(db);
  assertEquals(await keptBlocks(db), expected);
  assertEquals(await edgeBlocks(world), inOrder([...expected].filter(([place]) => !place.startsWith("0 "))));
  const newest = (await newestHead(db))?.generation ?? 0;
  const history = await edgeHistory(world);
  // What the newest head completes is sent with the next one: no head covers it yet.
  for (const { level, index, hash } of (await Array.fromAsync(historyNodes(db, 0, newest - 1))).flat()) {
    assertEquals(history.get(`${level} ${index}`), toHex(hash));
  }
}

const LISTS = ["fingerprint", "subject", "channel", "receipt"] as const;
const NAMES = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2)), sha256(Uint8Array.of(3))] as const;

const put = fc.record({
  kind: fc.constantFrom(...LISTS),
  name: fc.constantFrom(...NAMES),
  number: fc.nat(5),
  value: fc.option(fc.nat(3), { freq: 3 }),
});
const moves = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ move: fc.constant("change" as const), puts: fc.array(put, { maxLength: 12 }) }),
    },
    { weight: 3, arbitrary: fc.record({ move: fc.constantFrom("push", "rotate", "copy edge", "old edge") }) },
    { weight: 2, arbitrary: fc.record({ move: fc.constantFrom("cut", "deaf"), at: fc.nat(6) }) },
  ),
  { minLength: 4, maxLength: 16 },
);

/** Whether a request is part of a push. */
const pushes = ({ url }: { readonly url: string }) => new URL(url).pathname.includes("/push");

/** Brings nothing of a push to the edge from its n-th request on. */
function cutAt(n: number): Interceptor {
  let left = n;
  return {
    request(request) {
      if (pushes(request) && left-- <= 0) throw new TypeError("cut");
      return request;
    },
  };
}

/** Brings everything to the edge, and no answer back from the n-th request of a push on. */
function deafAt(n: number): Interceptor {
  let left = n;
  return {
    answer(answer, request) {
      if (pushes(request) && left-- <= 0) throw new TypeError("cut");
      return answer;
    },
  };
}

Deno.test("PUSH-13, PUSH-14: whatever is pushed and cut off, the edge has the nodes of what it holds", async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (list) => {
      await using world = await World.create();
      const { manager } = world;
      const sync = async (options = {}) => {
        world.clock.advance(60_000);
        await manager.sync(options);
        await check(world);
      };
      const broken = async (interceptor: Interceptor) => {
        try {
          await manager.traffic.with(interceptor, () => manager.sync());
        } catch (error) {
          if (!isPosternError(error, "network")) throw error;
        }
      };
      let old: typeof world.edge | null = null;
      for (const step of list) {
        switch (step.move) {
          case "change":
            for (const { kind, name, number, value } of step.puts) {
              const list = { kind, name };
              await manager.db.execute(
                value === null ? removeEntry(list, number) : putEntry(list, number, Uint8Array.of(value)),
              );
            }
            break;
          case "push":
            await sync();
            break;
          case "rotate":
            await sync({ rotate: true });
            break;
          case "copy edge":
            old = await world.copyEdge();
            break;
          case "old edge":
            if (old !== null) world.replaceEdge(old);
            old = null;
            break;
          case "cut":
            await broken(cutAt(step.at));
            break;
          case "deaf":
            await broken(deafAt(step.at));
            break;
        }
      }
      await sync();
      await sync();
    }),
    { numRuns: 10 },
  );
});

Deno.test("PUSH-13: a push that is cut off goes on with the same bodies, and those of heads signed meanwhile behind them", async () => {
  await using world = await World.create();
  const { manager } = world;
  await manager.db.execute(putEntry({ kind: "channel", name: NAMES[0] }, 1, Uint8Array.of(1)));
  await manager.sync();
  await manager.db.execute(putEntry({ kind: "channel", name: NAMES[0] }, 2, Uint8Array.of(2)));
  const noCommit: Interceptor = {
    request(request) {
      if (request.url.endsWith("/commit")) throw new TypeError("cut");
      return request;
    },
  };
  for (let i = 0; i < 2; i++) {
    await manager.traffic.with(noCommit, () => manager.sync()).then(() => assert(false), () => {});
    world.clock.advance(60_000);
  }
  await manager.sync();
  const bodies = manager.traffic.exchanges.flatMap(({ request: { url, body }, answer }) => {
    const [, id, n] = new URL(url).pathname.match(/\/push\/(\w+)\/nodes\/(\d+)$/) ?? [];
    return id === undefined || answer.status !== 200 ? [] : [{ id, n: Number(n), body: toHex(body) }];
  });
  const last = bodies.filter(({ id }) => id === bodies.at(-1)?.id);
  assertEquals(last.map(({ n }) => n).sort(), [0, 0, 0, 1, 1, 2]);
  assertEquals(new Set(last.map(({ n, body }) => `${n} ${body}`)).size, 3);
  await check(world);
});
