/** Lookups with proofs, checked as a device checks them, over a table whose contents the test knows. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { concat } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { rootOfSorted } from "../../../shared/merkle/sorted_root.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import { rowHash } from "../../../shared/protocol/row.ts";
import type { RowsRequest } from "../../../edge/store/read/rows.ts";
import { BlockCache } from "../../../edge/store/read/block_cache.ts";
import { type ProvenAnswer, readProven } from "../../../edge/store/read/proven.ts";
import { assert, assertEquals } from "../../assert.ts";
import { blockChanges, type BlockMap, blocksOf, leafOfRow } from "../../fixtures/nodes.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import { asManager, counts, openStore, pushBody, rawRow, sendChunk, sendNodes } from "./fixture.ts";

interface Placed {
  readonly key: { readonly table: 3; readonly token: Bytes; readonly number: number };
  readonly row: Bytes;
}

const tokenOf = (list: number) => sha256(Uint8Array.of(list));

function place(list: number, number: number, size = 20): Placed {
  const token = tokenOf(list);
  return { key: { table: 3, token, number }, row: rawRow(3, token, number, size) };
}

function sorted(rows: readonly Placed[]): Placed[] {
  const text = ({ key: { token, number } }: Placed) => [...token, number].join();
  const byKey = new Map(rows.map((row) => [text(row), row]));
  return [...byKey.values()].sort((a, b) => {
    const [x, y] = [a, b].map(({ key }) => [...treeKey(key.token, key.number)]);
    const at = x?.findIndex((byte, i) => byte !== y?.[i]) ?? 0;
    return (x?.[at] ?? 0) - (y?.[at] ?? 0);
  });
}

const roots = new WeakMap<readonly Placed[], Bytes>();

function rootOf(truth: readonly Placed[]): Bytes {
  const root = roots.get(truth) ?? rootOfSorted(truth.map(leafOfRow)).root;
  roots.set(truth, root);
  return root;
}

/** Checks what READ-09 says that an answer claims, and that the rows are those that there are. */
function check(answer: ProvenAnswer, request: RowsRequest, truth: readonly Placed[]): void {
  const { token, limit } = request;
  const isAscending = "from" in request;
  const inList = truth.filter(({ key }) => String(key.token) === String(token));
  const all = isAscending
    ? inList.filter(({ key }) => key.number >= request.from)
    : inList.filter(({ key }) => key.number < request.before).reverse();
  const expected = all.slice(0, limit);
  assertEquals([answer.rows, answer.more], [expected.map(({ row }) => row), all.length > limit]);
  assert(answer.proof, "there is no proof");
  const keys = expected.map(({ key }) => treeKey(token, key.number));
  const end = answer.more ? keys.at(-1) : undefined;
  const rows = expected.map(({ row }, index) => ({ key: keys[index] ?? token, rowHash: rowHash(row) }));
  const claim = isAscending
    ? { lowest: treeKey(token, request.from), highest: end ?? concat(token, new Uint8Array(8).fill(255)), rows }
    : { lowest: end ?? treeKey(token, 0), highest: treeKey(token, request.before - 1), rows: rows.reverse() };
  verifyProof(answer.proof, claim, rootOf(truth));
}

function* requests(epoch: number, lists: readonly number[]): Generator<RowsRequest> {
  for (const list of lists) {
    for (const limit of [1, 2, 100, 1_000]) {
      for (const at of [0, 1, 4, 1_000]) {
        yield { table: 3, epoch, token: tokenOf(list), from: at, limit };
        yield { table: 3, epoch, token: tokenOf(list), before: at + 1, limit };
      }
    }
  }
}

onEveryDatabase("lookups with proofs", async (t, { database }) => {
  const start = async () => {
    const owner = await OwnerFixture.create();
    const store = await openStore(database, owner);
    const manager = asManager(owner);
    let [truth, blocks, previous]: [Placed[], BlockMap | null, Bytes | null] = [[], null, null];
    let [base, epoch] = [0, 0];
    const push = async (next: readonly Placed[], full: boolean, nodes = true) => {
      const rows = sorted(next);
      epoch += full ? 1 : 0;
      const after = blocksOf(rows);
      const old = full ? [] : truth.filter((row) => !rows.includes(row));
      const body = pushBody(owner, { base, epoch, full });
      const head = await owner.head({ generation: base + 1, previous, epoch, tables: counts(0, 0, rows.length) });
      await store.begin(manager, body, NOW);
      await sendChunk(store, manager, body.id, 0, {
        rows: rows.filter((row) => full || !truth.includes(row)).map(({ row }) => row),
        remove: old.map(({ key }) => [3, key.token, key.number] as const),
      });
      if (nodes) await sendNodes(store, manager, body.id, 0, { blocks: blockChanges(full ? null : blocks, after) });
      const commit = { heads: [head.signed], statements: [owner.statement.signed], nodes: nodes ? 1 : 0 };
      await store.commit(manager, body.id, commit, NOW);
      [truth, blocks, previous, base] = [rows, after, head.hash, base + 1];
      return rows;
    };
    return { store, manager, push };
  };
  const some = [
    ...Array.from({ length: 60 }, (_, list) => place(list, 0)),
    ...Array.from({ length: 12 }, (_, number) => place(100, number)),
    ...[1, 4, 5, 9].map((number) => place(101, number)),
    place(102, 4),
    place(103, 1_000),
  ];
  const lists = [0, 7, 33, 100, 101, 102, 103, 200, 201, 202, 203, 204];

  await t.step("READ-06, READ-09: proven() proves what is there, and what is not, page by page", async () => {
    const { store, manager, push } = await start();
    const truth = await push(some, true);
    for (const request of requests(1, lists)) check(await store.proven(manager, request, NOW), request, truth);
  });

  await t.step("READ-09: readProven() proves the same when hardly a block is remembered", async () => {
    const { manager, push } = await start();
    const truth = await push(some, true);
    for (const most of [1, 3, 6, 12]) {
      const cache = new BlockCache(most);
      await Promise.all(
        requests(1, [7, 102, 201]).map(async (request) => {
          check(await readProven(database, cache, manager, request, NOW), request, truth);
        }),
      );
      assert(cache.cuts > 0);
    }
  });

  await t.step(
    "READ-09: proven() proves the state of each delta, with what was read before still in memory",
    async () => {
      const { store, manager, push } = await start();
      let truth = await push(some, true);
      for (let round = 0; round < 4; round++) {
        for (const request of requests(1, [round, 100, 101, 200])) {
          check(await store.proven(manager, request, NOW), request, truth);
        }
        const gone = (row: Placed) => truth.indexOf(row) % 5 === round;
        truth = await push([...truth.filter((row) => !gone(row)), place(200, round), place(100, 20 + round)], false);
      }
    },
  );

  await t.step("READ-09: proven() proves that tables of no row and of one row have no other", async () => {
    const { store, manager, push } = await start();
    const none = await push([], true);
    for (const request of requests(1, [1])) check(await store.proven(manager, request, NOW), request, none);
    const one = await push([place(1, 4)], false);
    for (const request of requests(1, [1, 2])) check(await store.proven(manager, request, NOW), request, one);
    const before = await store.proven(manager, { table: 3, epoch: 1, token: tokenOf(1), before: 0, limit: 1 }, NOW);
    assertEquals([before.rows, before.proof?.length], [[], 1]);
  });

  await t.step("READ-01, READ-09: proven() proves a page that is cut where its rows pass the bound", async () => {
    const { store, manager, push } = await start();
    const rows = [0, 1, 2, 3].map((number) => place(5, number, 300_000));
    const truth = await push([...rows, place(6, 0)], true);
    const request = { table: 3, epoch: 1, token: tokenOf(5), from: 0, limit: 10 } as const;
    const answer = await store.proven(manager, request, NOW);
    assertEquals([answer.rows.length, answer.more], [2, true]);
    check(answer, { ...request, limit: 2 }, truth);
    const down = { table: 3, epoch: 1, token: tokenOf(5), before: 9, limit: 10 } as const;
    check(await store.proven(manager, down, NOW), { ...down, limit: 2 }, truth);
  });

  await t.step("READ-06: proof is null when the edge was handed no blocks, or blocks of another tree", async () => {
    const { store, manager, push } = await start();
    await push(some, true, false);
    for (const request of requests(1, [7, 100, 200])) {
      assertEquals((await store.proven(manager, request, NOW)).proof, null);
    }
    await push([...some, place(200, 1), place(201, 1)], false, false);
    assertEquals(
      (await store.proven(manager, { table: 3, epoch: 1, token: tokenOf(200), from: 0, limit: 1 }, NOW)).proof,
      null,
    );
  });

  await t.step("READ-02: proven() answers for the epoch before with that epoch's last state", async () => {
    const { store, manager, push } = await start();
    const truth = await push(some, true);
    await push(some.slice(0, 3), true);
    const request = { table: 3, epoch: 1, token: tokenOf(100), from: 0, limit: 100 } as const;
    const single = { table: 3, epoch: 1, token: tokenOf(200), from: 0, limit: 1 } as const;
    for (const one of [request, single]) check(await store.proven(manager, one, NOW), one, truth);
  });
});
