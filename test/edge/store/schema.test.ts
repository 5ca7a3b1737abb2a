/** The tables as the migrations make them are those that the queries' types describe. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { EDGE_MIGRATIONS } from "../../../edge/store/migrations.ts";
import type { EdgeSchema } from "../../../edge/store/schema.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals } from "../../assert.ts";

/** Every column of every table, so that the compiler complains when one is missing here. */
const COLUMNS: { readonly [T in keyof EdgeSchema]: { readonly [C in keyof EdgeSchema[T]]: true } } = {
  owners: {
    ...{ no: true, id: true, statement_number: true, space: true, generation: true, epoch: true, delete_number: true },
    ...{ incarnation: true, history: true, head_hash: true, statement_hash: true, head: true, statement: true },
  },
  spaces: {
    ...{ no: true, owner: true, push: true, state: true, bytes: true },
    ...{ devices: true, certificates: true, messages: true, changes: true },
  },
  generations: { owner: true, generation: true, space: true, epoch: true, until: true },
  rows: {
    ...{ id: true, owner: true, space: true, tbl: true, token: true, number: true },
    ...{ born: true, died: true, size: true, body: true },
  },
  devices: {
    ...{ owner: true, space: true, device: true, born: true, died: true },
    ...{ registration: true, row: true, public_key: true },
  },
  pushes: {
    ...{ owner: true, id: true, state: true, base: true, epoch: true, incarnation: true, is_full: true, chunks: true },
    ...{ space: true, stamp: true, received: true, nodes: true, touched: true, is_undone: true },
    ...{ added_devices: true, added_certificates: true, added_messages: true, added_changes: true },
    ...{ removed_devices: true, removed_certificates: true, removed_messages: true, removed_changes: true },
  },
  push_chunks: { owner: true, push: true, n: true, digest: true },
  push_nodes: { owner: true, push: true, n: true, digest: true },
  history: { id: true, owner: true, incarnation: true, level: true, idx: true, hash: true },
  spent_challenges: { owner: true, random: true, expires: true },
  ended_sessions: { owner: true, session: true, expires: true },
  inbox: {
    ...{ owner: true, arrival: true, device: true, stream: true, number: true },
    ...{ digest: true, size: true, gone: true },
  },
  inbox_bodies: { owner: true, arrival: true, body: true },
  inbox_parts: { owner: true, device: true, hash: true, size: true, created: true, refs: true },
  inbox_part_bodies: { owner: true, device: true, hash: true, body: true },
  inbox_named: { owner: true, arrival: true, hash: true, device: true },
  inbox_usage: { owner: true, device: true, submissions: true, bytes: true },
  inbox_arrivals: { owner: true, last: true },
  checks: { reason: true },
};

Deno.test("STORE-02: the migrations make the tables that the types describe, all of them keyed by owner", async () => {
  const database = await openDatabase(":memory:", {});
  await migrate(database, EDGE_MIGRATIONS);
  const { rows: tables } = await database.execute<{ name: string }>({
    sql: "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name <> ?",
    params: ["postern_migrations"],
  });
  assertEquals(tables.map(({ name }) => name).sort(), Object.keys(COLUMNS).sort());
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const { rows } = await database.execute<{ name: string }>({
      sql: "SELECT name FROM pragma_table_info(?)",
      params: [table],
    });
    assertEquals(rows.map(({ name }) => name).sort(), Object.keys(columns).sort(), table);
    if (table !== "owners" && table !== "checks") assertEquals("owner" in columns, true, table);
  }
  await database.close();
});

Deno.test("SESS-04: a challenge that was spent before an update of the tables is still spent after it", async () => {
  const database = await openDatabase(":memory:", {});
  await migrate(database, EDGE_MIGRATIONS.slice(0, 2));
  const [owner, spent, fresh] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Bytes, Bytes, Bytes];
  await database.execute({ sql: "INSERT INTO owners (id) VALUES (?)", params: [owner] });
  await database.execute({
    sql: "INSERT INTO spent_challenges (owner, random, expires) SELECT no, ?, 5 FROM owners",
    params: [spent],
  });
  const store = await EdgeStore.open(database);
  assertEquals(await store.spendChallenge(owner, spent, 5), false);
  assertEquals(await store.spendChallenge(owner, fresh, 5), true);
  await database.close();
});
