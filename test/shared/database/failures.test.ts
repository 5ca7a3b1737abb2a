import { openEmbedded } from "../../../shared/database/embedded.ts";
import { failedConstraint, isBusy, plainMessage, sqliteError, sqliteName } from "../../../shared/database/failures.ts";
import { type ErrorCode, PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const CODES: readonly (readonly [string, string, ErrorCode])[] = [
  ["SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: t.x", "conflict"],
  ["SQLITE_CONSTRAINT", "CHECK constraint failed: c", "conflict"],
  ["SQLITE_BUSY", "database is locked", "storage"],
  ["SQLITE_BUSY_SNAPSHOT", "database is locked", "storage"],
  ["SQLITE_FULL", "database or disk is full", "storage"],
  ["SQLITE_CORRUPT_INDEX", "database disk image is malformed", "storage"],
  ["SQLITE_IOERR_WRITE", "disk I/O error", "storage"],
  ["SQLITE_READONLY_DBMOVED", "attempt to write a readonly database", "storage"],
  ["SQLITE_CANTOPEN", "unable to open database file", "storage"],
  ["SQLITE_NOTADB", "file is not a database", "storage"],
  ["SQLITE_TOOBIG", "string or blob too big", "too_large"],
  ["SQLITE_AUTH", "not authorized", "forbidden"],
  ["SQLITE_ERROR", "no such table: t", "storage"],
  ["SQLITE_UNKNOWN", "no such column: t.x", "storage"],
  ["SQLITE_ERROR", 'near "FROM": syntax error', "usage"],
  ["SQL_PARSE_ERROR", "SQL string could not be parsed", "usage"],
];

for (const [sqlite, message, code] of CODES) {
  Deno.test(`sqliteError() is ${code} when SQLite reports ${sqlite}: ${message}`, () => {
    const cause = new Error(message);
    const error = sqliteError(sqlite, message, { place: "data.db", keyed: false }, cause);
    assertEquals([error.code, error.cause], [code, cause]);
    assert(error.message.includes("data.db"), error.message);
  });
}

Deno.test("sqliteError() is wrong_key when the file cannot be read with the key given", () => {
  assertEquals(sqliteError("SQLITE_NOTADB", "", { place: "x", keyed: true }, undefined).code, "wrong_key");
});

Deno.test("sqliteName() names the primary code when it is given an extended one", () => {
  const named = [5, 261, 19, 3091, 266, 26, 1, 999].map(sqliteName).map((name) => name.slice(7));
  assertEquals(named, ["BUSY", "BUSY", "CONSTRAINT", "CONSTRAINT", "IOERR", "NOTADB", "ERROR", "ERROR"]);
});

Deno.test("isBusy() holds for locks only", () => {
  for (const code of ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED_SHAREDCACHE"]) assert(isBusy(code));
  for (const code of ["SQLITE_FULL", "SQLITE_CONSTRAINT", "", "BUSY"]) assert(!isBusy(code));
});

Deno.test("plainMessage() takes off what server and client put before SQLite's words, and nothing else", () => {
  const plain = "UNIQUE constraint failed: t.x";
  assertEquals(plainMessage(plain), plain);
  assertEquals(plainMessage(`SQLITE_CONSTRAINT: SQLITE_CONSTRAINT: SQLite error: ${plain}`), plain);
  assertEquals(plainMessage("SQLITE_CONSTRAINT: SQLite error: BASE: wrong"), "BASE: wrong");
});

Deno.test("failedConstraint() is undefined when an error is no refused constraint of a database", () => {
  for (const error of [new Error("UNIQUE constraint failed: t.x"), new PosternError("conflict", "x"), "x", undefined]) {
    assertEquals(failedConstraint(error), undefined);
  }
});

Deno.test("failedConstraint() tells a value of the wrong type when the table is STRICT", async () => {
  const database = await openEmbedded(":memory:");
  await database.execute({ sql: "CREATE TABLE t (x INTEGER) STRICT", params: [] });
  const error = await assertRejects(
    () => database.execute({ sql: "INSERT INTO t VALUES (?)", params: ["x"] }),
    "conflict",
  );
  assertEquals(failedConstraint(error)?.kind, "datatype");
  await database.close();
});
