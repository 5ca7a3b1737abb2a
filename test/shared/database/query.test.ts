import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Result, Statement } from "../../../shared/database/database.ts";
import { openEmbedded } from "../../../shared/database/embedded.ts";
import { builder, compile, fromFlag, type Query, query, toFlag } from "../../../shared/database/query.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

interface Tables {
  rows: { owner: number; token: Bytes; note: string | null; usable: number };
}

const db = builder<Tables>();
const token = new Uint8Array([1, 2, 3]);

/** Compiles only if both types are the same. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false): void {}

Deno.test("query() places each value where the query names it, as often as it does", () => {
  const found = query((p: { token: Bytes; owner: number }) =>
    db.selectFrom("rows").select(["note", "usable"]).where("owner", "=", p.owner)
      .where((e) => e.or([e("token", "=", p.token), e("owner", "=", p.owner)])).where("usable", "=", 1)
  );
  assertEquals(
    found.sql,
    'select "note", "usable" from "rows" where "owner" = ? and ("token" = ? or "owner" = ?) and "usable" = ?',
  );
  const statement = found.bind({ owner: 7, token });
  assertEquals(statement.params, [7, token, 7, 1]);
  assertEquals(statement.single, false);
  same<typeof statement, Statement<{ note: string | null; usable: number }>>(true);
});

Deno.test("query() gives no rows to a change, and those of RETURNING to one that has it", async () => {
  const insert = query((p: Tables["rows"]) =>
    db.insertInto("rows").values({ owner: p.owner, token: p.token, note: p.note, usable: p.usable })
      .onConflict((c) => c.columns(["owner", "token"]).doUpdateSet({ note: p.note }))
  );
  const remove = query((p: { owner: number }) => db.deleteFrom("rows").where("owner", "=", p.owner).returning("token"));
  same<typeof insert, Query<Tables["rows"], never>>(true);
  same<typeof remove, Query<{ owner: number }, { token: Bytes }>>(true);

  const database = await openEmbedded(":memory:");
  await database.execute({
    sql: "CREATE TABLE rows (owner INTEGER, token BLOB, note TEXT, usable INTEGER, PRIMARY KEY (owner, token)) STRICT",
    params: [],
  });
  const row = { owner: 1, token, note: null, usable: toFlag(true) };
  const [inserted, , removed] = await database.batch([
    insert.bind(row),
    insert.bind({ ...row, note: "again" }),
    remove.bind({ owner: 1 }),
  ]);
  same<typeof removed, Result<{ token: Bytes }>>(true);
  assertEquals([inserted.changes, removed.changes, removed.rows[0]?.token], [1, 1, token]);
  await database.close();
});

Deno.test("query() marks a statement as single only when its SQL ends in LIMIT 1", () => {
  const rows = db.selectFrom("rows").select("note");
  assertEquals(compile(rows.limit(1)).single, true);
  assertEquals(compile(rows.limit(2)).single, false);
  assertEquals(compile(rows).single, false);
  assertEquals(compile(db.deleteFrom("rows")).single, false);
  assertEquals(
    query((p: { owner: number }) => rows.where("owner", "=", p.owner).limit(1)).bind({ owner: 1 }).single,
    true,
  );
  assertEquals(query((p: { most: number }) => rows.limit(p.most)).bind({ most: 1 }).single, false);
});

Deno.test("query() throws usage when a value is missing or a place is computed with", () => {
  const byOwner = query((p: { owner: number }) => db.selectFrom("rows").select("note").where("owner", "=", p.owner));
  const missing: unknown = {};
  assertThrows(() => byOwner.bind(missing as { owner: number }), "usage");
  assertThrows(
    () => query((p: { owner: number }) => db.selectFrom("rows").select("note").where("owner", "=", p.owner + 1)),
    "usage",
  );
});

Deno.test("compile() takes values as they are and refuses with usage what no column takes", () => {
  const statement = compile(db.selectFrom("rows").select("owner").where("token", "in", [token, token]));
  assertEquals(statement.params, [token, token]);
  same<typeof statement, Statement<{ owner: number }>>(true);
  assertEquals(compile(db.selectFrom("rows").select(sql<number>`count(*) + ${2}`.as("n"))).params, [2]);
  for (const bad of [true, 1n, new Date(0), { a: 1 }]) {
    assertThrows(() => compile(db.selectFrom("rows").select(sql`${bad}`.as("x"))), "usage");
  }
});

Deno.test("toFlag() and fromFlag() agree, and fromFlag() refuses with malformed when it is neither 0 nor 1", () => {
  for (const flag of [true, false]) assertEquals(fromFlag(toFlag(flag)), flag);
  for (const bad of [2, -1, 0.5, NaN]) assertThrows(() => fromFlag(bad), "malformed");
  assert(fromFlag(1));
});
