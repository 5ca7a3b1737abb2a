/** What every driver must do alike; each test file runs it against real databases. */
import fc from "fast-check";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { Database, Row, Statement, Value } from "../../../shared/database/database.ts";
import { failedConstraint } from "../../../shared/database/failures.ts";
import { migrate, type Migration } from "../../../shared/database/migrations.ts";
import { builder, query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

interface Tables {
  counters: { id: number; n: number };
  mixed: { id: number; v: Value };
}

const db = builder<Tables>();
const insert = query((p: { id: number; n: number }) => db.insertInto("counters").values({ id: p.id, n: p.n }));
const increment = query((p: { id: number }) =>
  db.updateTable("counters").set((e) => ({ n: e("n", "+", 1) })).where("id", "=", p.id)
);
const counter = query((p: { id: number }) => db.selectFrom("counters").select("n").where("id", "=", p.id).limit(1));
const raw = (sql: string, ...params: Value[]): Statement => ({ sql, params });

const SCHEMA: readonly Migration[] = [
  {
    version: 1,
    name: "counters",
    statements: [
      "CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, CONSTRAINT positive CHECK (n >= 0))",
    ],
  },
  {
    version: 2,
    name: "others",
    statements: [
      "CREATE TABLE mixed (id INTEGER PRIMARY KEY, v)",
      "CREATE TABLE children (parent INTEGER REFERENCES counters (id) DEFERRABLE INITIALLY DEFERRED)",
      "CREATE TRIGGER guard BEFORE INSERT ON counters WHEN NEW.id = 666 BEGIN SELECT RAISE(ABORT, 'wrong_base'); END",
    ],
  },
];

/** Opens another connection to the same database, or the first one. */
export type Open = () => Promise<Database>;

/** What a database does not promise, each with its reason. */
export interface Exceptions {
  /** Calls of one caller run in any order: with `coalesce: false` each travels on its own connection. */
  readonly unordered?: boolean;
}

/** Runs the whole contract on one empty database. */
export async function contract(t: Deno.TestContext, open: Open, exceptions: Exceptions = {}): Promise<void> {
  const database = await open();
  const count = async (sql: string) => Number((await database.execute(raw(sql))).rows[0]?.["n"]);

  await t.step("migrate() applies every step once when two processes start together", async () => {
    const other = await open();
    const [a, b] = await Promise.all([migrate(database, SCHEMA), migrate(other, SCHEMA)]);
    assertEquals([a.to, b.to], [2, 2]);
    assertEquals(await migrate(database, SCHEMA), { from: 2, to: 2 });
    assertEquals(await count("SELECT count(*) AS n FROM postern_migrations"), 2);
    await other.close();
  });

  await t.step("migrate() leaves nothing of a step when a statement of it fails", async () => {
    const broken = [...SCHEMA, {
      version: 3,
      name: "broken",
      statements: ["CREATE TABLE half (x)", "CREATE TABLE half (y)"],
    }];
    await assertRejects(() => migrate(database, broken), "usage");
    assertEquals(await count("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'"), 0);
    assertEquals(await migrate(database, SCHEMA), { from: 2, to: 2 });
  });

  await t.step("migrate() refuses with both versions and the remedy when the schema is newer", async () => {
    const { message } = await assertRejects(() => migrate(database, SCHEMA.slice(0, 1)), "storage");
    assert(/version 2.*up to 1.*update the program/.test(message), message);
  });

  await t.step("migrate() refuses when the schema is another program's", async () => {
    await assertRejects(
      () => migrate(database, [{ ...SCHEMA[0], version: 1, name: "else", statements: [] }, ...SCHEMA.slice(1)]),
      "storage",
    );
  });

  await t.step("execute() gives back what was stored, for every kind of value", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value(), { minLength: 1, maxLength: 12 }), async (values) => {
        await database.batch([
          raw("DELETE FROM mixed"),
          ...values.map((v, i) => raw("INSERT INTO mixed VALUES (?, ?)", i, v)),
        ]);
        const { rows } = await database.execute(raw("SELECT v, typeof(v) AS t FROM mixed ORDER BY id"));
        assertEquals<readonly Row[]>(rows, values.map((v) => ({ v, t: storageClass(v) })));
      }),
      { numRuns: 40 },
    );
  });

  await t.step("execute() returns bytes as a plain Uint8Array of their own", async () => {
    const given = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    const { rows: [row] } = await database.execute(raw("SELECT ? AS v, length(?) AS n", given, given));
    assertEquals(row?.["n"], 2);
    const found = row?.["v"];
    assert(found instanceof Uint8Array && Object.getPrototypeOf(found) === Uint8Array.prototype);
    assertEquals([...found], [1, 2]);
  });

  await t.step("execute() keeps integers integers when a query computes with them", async () => {
    const { rows } = await database.execute(raw("SELECT ? / 2 AS half, typeof(?) AS t", 5, 5));
    assertEquals<readonly Row[]>(rows, [{ half: 2, t: "integer" }]);
  });

  const largest = Number.MAX_SAFE_INTEGER;
  for (const v of [0, 1, -1, largest, -largest]) {
    await t.step(`execute() stores the integer ${v} exactly`, async () => {
      assertEquals((await database.execute(raw("SELECT ? AS v", v))).rows[0]?.["v"], v);
    });
  }
  const never: unknown = [true, 1n, undefined, {}, new Date(0), [1]];
  for (const bad of [largest + 1, -largest - 1, 1.5, NaN, Infinity, ...never as Value[]]) {
    await t.step(`execute() refuses with usage when a parameter is ${String(bad)} (${typeof bad})`, async () => {
      await assertRejects(() => database.execute(raw("SELECT ? AS v", bad)), "usage");
      await assertRejects(() => database.batch([raw("DELETE FROM mixed WHERE v = ?", bad)]), "usage");
    });
  }
  for (const bad of ["a\0b", "\0", "\ud800", "x\udc00y"]) {
    await t.step(`execute() refuses with malformed when a text is ${JSON.stringify(bad)}`, async () => {
      await assertRejects(() => database.execute(raw("SELECT ? AS v", bad)), "malformed");
    });
  }
  await t.step("execute() refuses with unsupported when a stored integer is beyond 2^53-1", async () => {
    const hit = database.execute(raw("SELECT 9007199254740993 AS v"));
    const [answer] = await Promise.allSettled([
      hit,
      ...Array.from({ length: 8 }, (_, i) => database.execute(raw("SELECT ? AS v", i))),
    ]);
    assert(
      answer.status === "rejected" && answer.reason instanceof PosternError && answer.reason.code === "unsupported",
    );
  });
  await t.step("execute() refuses with usage when parameters are missing, too many, or named", async () => {
    await assertRejects(() => database.execute(raw("SELECT ? AS a, ? AS b", 1)), "usage");
    await assertRejects(() => database.execute(raw("SELECT ? AS a", 1, 2)), "usage");
    await assertRejects(() => database.execute(raw("SELECT :a AS a", 1)), "usage");
    await assertRejects(() => database.execute(raw("SELECT ?1 AS a", 1)), "usage");
  });
  for (const sql of ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT x", "SELECT 1; SELECT 2", "", "-- nothing", "selec 1"]) {
    await t.step(`execute() refuses with usage when the statement is ${JSON.stringify(sql)}`, async () => {
      await assertRejects(() => database.execute(raw(sql)), "usage");
    });
  }
  await t.step(
    "execute() refuses with usage when the SQL does not parse, with storage when a table is missing",
    async () => {
      await assertRejects(() => database.execute(raw("SELECT FROM WHERE")), "usage");
      await assertRejects(() => database.execute(raw("SELECT * FROM nowhere")), "storage");
      await assertRejects(() => database.batch([raw("SELECT 1 AS n"), raw("DELETE FROM nowhere")]), "storage");
    },
  );
  await t.step("batch() refuses with usage when a PRAGMA is in it, and gives nothing for nothing", async () => {
    await assertRejects(() => database.batch([raw("PRAGMA foreign_keys = OFF")]), "usage");
    assertEquals<unknown>(await database.batch([]), []);
  });

  await t.step("execute() returns rows and changes of a RETURNING statement", async () => {
    const added = await database.execute(raw("INSERT INTO counters VALUES (1, 5), (2, 6) RETURNING id, n"));
    assertEquals<unknown>(added, { rows: [{ id: 1, n: 5 }, { id: 2, n: 6 }], changes: 2 });
    const none = await database.execute(raw("UPDATE counters SET n = 0 WHERE id = 99 RETURNING n"));
    assertEquals<unknown>(none, { rows: [], changes: 0 });
    assertEquals((await database.execute(raw("UPDATE counters SET n = n + 1"))).changes, 2);
    assertEquals((await database.execute(raw("SELECT * FROM counters"))).changes, 0);
    assertEquals((await database.execute(raw("DELETE FROM counters"))).changes, 2);
  });

  await t.step("batch() returns one result for each statement in order, seeing its own changes", async () => {
    const [added, found, raised, again] = await database.batch([
      insert.bind({ id: 1, n: 41 }),
      counter.bind({ id: 1 }),
      increment.bind({ id: 1 }),
      counter.bind({ id: 1 }),
    ]);
    assertEquals([added.changes, found.rows[0]?.n, raised.changes, again.rows[0]?.n], [1, 41, 1, 42]);
  });

  await t.step("batch() leaves nothing when a statement in the middle fails", async () => {
    for (
      const failing of [insert.bind({ id: 1, n: 0 }), insert.bind({ id: 4, n: -1 }), insert.bind({ id: 666, n: 0 })]
    ) {
      await assertRejects(
        () => database.batch([insert.bind({ id: 3, n: 0 }), increment.bind({ id: 1 }), failing]),
        "conflict",
      );
      assertEquals((await database.execute(counter.bind({ id: 1 }))).rows, [{ n: 42 }]);
      assertEquals((await database.execute(counter.bind({ id: 3 }))).rows, []);
    }
  });

  await t.step("failedConstraint() names the constraint", async () => {
    const failed = async (statement: Statement<never>, inBatch: boolean) =>
      failedConstraint(
        await assertRejects(
          () => inBatch ? database.batch([counter.bind({ id: 1 }), statement]) : database.execute(statement),
          "conflict",
        ),
      );
    for (const inBatch of [false, true]) {
      assertEquals(await failed(insert.bind({ id: 1, n: 0 }), inBatch), { kind: "unique", name: "counters.id" });
      assertEquals(await failed(insert.bind({ id: 7, n: -1 }), inBatch), { kind: "check", name: "positive" });
      assertEquals(await failed(insert.bind({ id: 666, n: 1 }), inBatch), { kind: "raised", name: "wrong_base" });
      assertEquals(await failed(raw("INSERT INTO counters VALUES (7, NULL)") as Statement<never>, inBatch), {
        kind: "not_null",
        name: "counters.n",
      });
      assertEquals(await failed(raw("INSERT INTO children VALUES (99)") as Statement<never>, inBatch), {
        kind: "foreign_key",
        name: "",
      });
    }
  });

  await t.step("execute() lets 63 of 64 concurrent writers succeed when one fails", async () => {
    for (
      const failing of [
        insert.bind({ id: 1, n: 0 }),
        raw("INSERT INTO children VALUES (99)"),
        raw("INSERT OR ROLLBACK INTO counters VALUES (1, 1)"),
      ]
    ) {
      const writers = Array.from(
        { length: 64 },
        (_, i) =>
          i === 40
            ? database.execute<unknown>(failing)
            : database.execute<unknown>(insert.bind({ id: 1000 + i, n: i })),
      );
      const outcomes = await Promise.allSettled(writers);
      assertEquals(outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []), [40]);
      assertEquals((await database.execute(raw("DELETE FROM counters WHERE id >= 1000"))).changes, 63);
      assertEquals(await count("SELECT count(*) AS n FROM children"), 0);
    }
  });

  await t.step("batch() keeps every member atomic when 32 batches run at once and some fail", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 32 }, (_, i) =>
      database.batch([
        insert.bind({ id: 2000 + 2 * i, n: i }),
        // Every third fails after its first statement.
        insert.bind({ id: 2001 + 2 * i, n: i % 3 === 0 ? -1 : i }),
      ])));
    assertEquals(
      outcomes.map(({ status }) => status === "fulfilled"),
      Array.from({ length: 32 }, (_, i) => i % 3 !== 0),
    );
    const { rows } = await database.execute(
      raw("SELECT n, count(*) AS twice FROM counters WHERE id >= 2000 GROUP BY n ORDER BY n"),
    );
    assertEquals<readonly Row[]>(
      rows,
      Array.from({ length: 32 }, (_, i) => ({ n: i, twice: 2 })).filter(({ n }) => n % 3 !== 0),
    );
    await database.execute(raw("DELETE FROM counters WHERE id >= 2000"));
  });

  await t.step("execute() loses no update when 64 writers on two connections increment one counter", async () => {
    const other = await open();
    await database.execute(insert.bind({ id: 10, n: 0 }));
    await Promise.all(Array.from({ length: 64 }, async (_, i) => {
      for (let k = 0; k < 4; k++) await (i % 2 === 0 ? database : other).execute(increment.bind({ id: 10 }));
    }));
    assertEquals((await database.execute(counter.bind({ id: 10 }))).rows, [{ n: 256 }]);
    await other.close();
  });

  const order = exceptions.unordered ? "any order" : "the order they were asked for";
  await t.step(`execute() applies concurrent writes in ${order}`, async () => {
    await database.execute(insert.bind({ id: 11, n: 0 }));
    const append = (digit: number) => raw("UPDATE counters SET n = n * 10 + ? WHERE id = 11", digit);
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => database.execute(append(digit))));
    const digits = [...String((await database.execute(counter.bind({ id: 11 }))).rows[0]?.n)];
    assertEquals((exceptions.unordered ? digits.sort() : digits).join(""), "123456789");
  });

  await t.step("execute() shows to a read what was awaited before", async () => {
    await database.execute(insert.bind({ id: 12, n: 0 }));
    for (let i = 1; i <= 20; i++) {
      await database.execute(increment.bind({ id: 12 }));
      const [single, [batched]] = await Promise.all([
        database.execute(counter.bind({ id: 12 })),
        database.batch([counter.bind({ id: 12 }), raw("SELECT 1 AS one")]),
      ]);
      assertEquals([single.rows[0]?.n, batched.rows[0]?.n], [i, i]);
    }
  });

  await t.step("batch() stores and returns rows of almost a megabyte, many at once", async () => {
    const large = (seed: number): Bytes => new Uint8Array(900_000).fill(seed);
    await database.execute(raw("DELETE FROM mixed"));
    await Promise.all(
      Array.from({ length: 16 }, (_, i) => database.execute(raw("INSERT INTO mixed VALUES (?, ?)", i, large(i)))),
    );
    // Together more than a server puts into one answer.
    const found = await Promise.all(
      Array.from({ length: 16 }, (_, i) => database.execute(raw("SELECT v FROM mixed WHERE id = ?", i))),
    );
    for (const [i, { rows: [row] }] of found.entries()) assertEquals(row?.["v"], large(i));
    await database.execute(raw("DELETE FROM mixed"));
  });

  await t.step("execute() sees a new column when the table was changed under a cached statement", async () => {
    const all = raw("SELECT * FROM mixed");
    await database.execute(raw("INSERT INTO mixed VALUES (1, ?)", utf8("a")));
    assertEquals(Object.keys((await database.execute(all)).rows[0] ?? {}), ["id", "v"]);
    const other = await open();
    await other.execute(raw("ALTER TABLE mixed ADD COLUMN w TEXT"));
    await other.close();
    assertEquals(Object.keys((await database.execute(all)).rows[0] ?? {}), ["id", "v", "w"]);
  });

  await t.step("close() waits for writes under way and refuses later calls with storage", async () => {
    const closing = await open();
    const writes = Array.from({ length: 10 }, (_, i) => closing.execute(insert.bind({ id: 3000 + i, n: i })));
    const closed = closing.close();
    await assertRejects(() => closing.execute(counter.bind({ id: 1 })), "storage");
    await assertRejects(() => closing.batch([increment.bind({ id: 1 })]), "storage");
    assertEquals((await Promise.allSettled(writes)).filter(({ status }) => status === "fulfilled").length, 10);
    await closed;
    await closing.close();
    assertEquals(await count("SELECT count(*) AS n FROM counters WHERE id >= 3000"), 10);
  });

  await database.close();
}

function value(): fc.Arbitrary<Value> {
  return fc.oneof(
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\0")),
    fc.uint8Array({ maxLength: 40 }).map((bytes): Bytes => new Uint8Array(bytes)),
  ).map((v) => Object.is(v, -0) ? 0 : v);
}

function storageClass(v: Value): string {
  return v === null ? "null" : typeof v === "number" ? "integer" : typeof v === "string" ? "text" : "blob";
}
