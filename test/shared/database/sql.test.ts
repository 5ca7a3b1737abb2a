import { batchKind, inspect, type StatementKind } from "../../../shared/database/sql.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const KINDS: readonly (readonly [string, StatementKind, number])[] = [
  ["SELECT 1", "read", 0],
  ["  select ? , ?", "read", 2],
  ["-- first\n/* and */ VALUES (?)", "read", 1],
  ["EXPLAIN DELETE FROM t", "read", 0],
  ["WITH a AS (SELECT ?) SELECT * FROM a", "read", 1],
  ["WITH a AS (SELECT 1) DELETE FROM t WHERE x IN a", "write", 0],
  ["with a as (select 1) insert into t select * from a returning x", "write", 0],
  ["INSERT INTO t VALUES (?, '?', \"?\", `?`, [?]) -- ?", "write", 1],
  ["INSERT INTO t VALUES ('it''s ?', ?) /* ? */;", "write", 1],
  ["UPDATE t SET x = ? /* open comment ?", "write", 1],
  ["REPLACE INTO t VALUES (?)", "write", 1],
  ["DELETE FROM t;  -- done", "write", 0],
  ["CREATE TABLE t (x)", "schema", 0],
  ["CREATE TRIGGER g BEFORE INSERT ON t BEGIN DELETE FROM u; DELETE FROM v; END;", "schema", 0],
  ["ALTER TABLE t ADD COLUMN y", "schema", 0],
  ["DROP INDEX i", "schema", 0],
  ["PRAGMA foreign_keys", "alone", 0],
  ["VACUUM INTO ?", "alone", 1],
];

for (const [sql, kind, parameters] of KINDS) {
  Deno.test(`inspect() finds ${kind} with ${parameters} parameters when the SQL is ${JSON.stringify(sql)}`, () => {
    assertEquals(inspect(sql), { kind, parameters });
  });
}

const REFUSED = [
  "",
  "   ",
  "/* nothing */",
  ";",
  "BEGIN",
  "begin immediate",
  "COMMIT",
  "END",
  "ROLLBACK TO x",
  "RELEASE x",
  "ATTACH 'other.db' AS o",
  "DETACH o",
  "SELECT 1; DELETE FROM t",
  "SELECT 1;;",
  "DELETE FROM t; --\nDROP TABLE t",
  "SELECT :name",
  "SELECT @name",
  "SELECT $name",
  "SELECT ?1",
];

for (const sql of REFUSED) {
  Deno.test(`inspect() refuses with usage when the SQL is ${JSON.stringify(sql)}`, () => {
    assertThrows(() => inspect(sql), "usage");
  });
}

Deno.test("batchKind() is read only when every statement reads, and refuses what must stand alone", () => {
  const kinds = (...texts: string[]) => batchKind(texts.map(inspect));
  assertEquals(kinds("SELECT 1", "VALUES (1)"), "read");
  assertEquals(kinds("SELECT 1", "DELETE FROM t"), "write");
  assertEquals(kinds("SELECT 1", "CREATE TABLE t (x)"), "write");
  assertThrows(() => kinds("SELECT 1", "PRAGMA foreign_keys"), "usage");
  assertThrows(() => kinds("VACUUM"), "usage");
});
