/** Placing what is staged, and dropping it again: in steps that look only at what they place or drop. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import type { Leaf } from "../../../shared/merkle/tree_hash.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import { contentLeaves, dropPlaced, placedLeaves, placeStaged } from "../../../manager/push/trees/placed.ts";
import { stageChunk } from "../../../manager/push/plan/staged.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { assert, assertEquals } from "../../assert.ts";
import { recording } from "../../fixtures/recording_database.ts";

const EPOCH = 3;
const ROWS = 40;

/** Of that many bytes, in which order counts as it does in a key. */
function bytes(length: number, value: number): Bytes {
  return new Uint8Array(length).fill(value);
}

/** Rows of two tables, the last first; keys of the content tree's leaves end in zeros. */
async function staged(): Promise<Database> {
  const db = await openDatabase(":memory:", {});
  await migrate(db, MIGRATIONS);
  const rows = Array.from({ length: ROWS }, (_, index) => ROWS - index).map((place) => ({
    ...{ contentKey: new Uint8Array([...bytes(32, place), ...bytes(8, 0)]), contentHash: bytes(32, place) },
    ...{ tbl: place % 2 === 0 ? TABLES.messages : TABLES.certificates, token: bytes(32, 7), number: place },
    rowHash: bytes(32, 100 + place),
  }));
  await db.batch(stageChunk(0, rows));
  return db;
}

async function all(pages: AsyncGenerator<Leaf[]>): Promise<number[]> {
  const values: number[] = [];
  for await (const page of pages) values.push(...page.map(({ rowHash }) => rowHash[0] ?? 0));
  return values;
}

/** What lies in the epoch: the leaves of the content tree, and of each table. */
async function placed(db: Database): Promise<readonly number[][]> {
  return [
    await all(contentLeaves(db, EPOCH)),
    await all(placedLeaves(db, EPOCH, TABLES.certificates)),
    await all(placedLeaves(db, EPOCH, TABLES.messages)),
  ];
}

Deno.test("what is staged is placed in order, once, however often that begins again, and goes whole", async () => {
  const db = await staged();
  for (let times = 0; times < 2; times++) {
    await placeStaged(db, EPOCH, ROWS);
    const places = Array.from({ length: ROWS }, (_, index) => index + 1);
    const leaves = (odd: number) => places.filter((place) => place % 2 === odd).map((place) => 100 + place);
    assertEquals(await placed(db), [places, leaves(1), leaves(0)]);
  }
  await dropPlaced(db, EPOCH);
  assertEquals(await placed(db), [[], [], []]);
  await db.close();
});

Deno.test("each step of dropping an epoch finds what it drops by whole keys, never through all that is placed", async () => {
  const db = await staged();
  const kept = new Map<string, Statement<unknown>>();
  await dropPlaced(recording(db, kept), EPOCH);
  assertEquals(kept.size, 2);
  for (const { sql, params } of kept.values()) {
    const { rows } = await db.execute<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}`, params });
    const detail = rows[0]?.detail ?? "";
    assert(/(?:content_key|token=\? AND number)=\?\)$/.test(detail), detail);
  }
  await db.close();
});
