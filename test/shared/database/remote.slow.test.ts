import fc from "fast-check";
import type { Database, Statement, Value } from "../../../shared/database/database.ts";
import { openRemote, type RemoteOptions, split } from "../../../shared/database/remote.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";

const sqld = needs("sqld");
const raw = (sql: string, ...params: Value[]): Statement => ({ sql, params });
const ADD = "UPDATE counter SET n = n + 1";
const COUNT = raw("SELECT n FROM counter");

/** What stands between driver and server and goes wrong on command. */
type Fault = "none" | "answer lost" | "silent" | "unavailable";

interface Proxy {
  readonly url: string;
  /** Requests since the last time this was set. */
  requests: number;
  /** What happens to the next requests, first to last; then nothing more. */
  faults: Fault[];
  stop(): Promise<void>;
}

function proxy(target: string): Proxy {
  const hanging: (() => void)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    state.requests++;
    const fault = state.faults.shift() ?? "none";
    if (fault === "unavailable") return new Response("no", { status: 503 });
    const body = await request.arrayBuffer();
    if (fault === "silent") {
      await new Promise<void>((resume) => hanging.push(resume));
      return new Response("late", { status: 503 });
    }
    const { pathname } = new URL(request.url);
    const answer = await fetch(target + pathname, { method: request.method, headers: request.headers, body });
    if (fault === "answer lost") {
      await answer.body?.cancel();
      return new Response("bad gateway", { status: 502 });
    }
    return answer;
  });
  const state: Proxy = {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests: 0,
    faults: [],
    async stop() {
      for (const resume of hanging) resume();
      await server.shutdown();
    },
  };
  return state;
}

sqld.test("openRemote() on a real server behind a proxy", async (t) => {
  const server = await start();
  const between = proxy(server.url);
  const open = (options?: RemoteOptions) => openRemote(between.url, options);
  const database = open();
  const count = async () => (await database.execute(COUNT)).rows[0]?.["n"];
  await database.batch([
    raw("CREATE TABLE counter (n INTEGER NOT NULL)"),
    raw("INSERT INTO counter VALUES (0)"),
    raw("CREATE TABLE rows (v PRIMARY KEY)"),
  ]);
  const reset = async () => {
    between.faults = [];
    await database.batch([raw("UPDATE counter SET n = 0"), raw("DELETE FROM rows")]);
    between.requests = 0;
  };

  await t.step("execute() sends one request when 64 writers ask in the same turn, two with readers", async () => {
    await reset();
    await Promise.all(Array.from({ length: 64 }, () => database.execute(raw(ADD))));
    assertEquals(between.requests, 1);
    await Promise.all(Array.from({ length: 64 }, (_, i) => i % 2 === 0 ? database.execute(raw(ADD)) : count()));
    assertEquals(between.requests, 3);
    assertEquals(await count(), 96);
  });

  await t.step("execute() needs three more requests when one of 64 writers fails", async () => {
    await reset();
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: 64 },
        (_, i) => database.execute(i === 40 ? raw("INSERT INTO counter VALUES (NULL)") : raw(ADD)),
      ),
    );
    assertEquals(outcomes.filter(({ status }) => status === "rejected").length, 1);
    assertEquals(between.requests, 4);
    assertEquals(await count(), 63);
  });

  await t.step("execute() gathers what is asked while a request is under way into the next", async () => {
    await reset();
    const first = database.execute(raw(ADD));
    await new Promise((resume) => setTimeout(resume, 0));
    const later = Array.from({ length: 20 }, () => database.execute(raw(ADD)));
    await Promise.all([first, ...later]);
    assertEquals(between.requests, 2);
  });

  await t.step("execute() sends each call by itself when coalesce is false", async () => {
    await reset();
    const apart = open({ coalesce: false });
    await Promise.all(Array.from({ length: 8 }, () => apart.execute(raw(ADD))));
    await apart.close();
    assertEquals(between.requests, 8);
    assertEquals(await count(), 8);
  });

  await t.step("execute() bounds a request when the parameters together are too large for one", async () => {
    await reset();
    const large = (i: number) => raw("INSERT INTO rows VALUES (?)", new Uint8Array(300_000).fill(i));
    await Promise.all([1, 2, 3, 4, 5, 6].map((i) => database.execute(large(i))));
    assertEquals(between.requests, 3);
  });

  await t.step(
    "batch() refuses with too_large before sending when one call is beyond what a server takes",
    async () => {
      await reset();
      const parts = Array.from({ length: 9 }, () => raw("SELECT ?", new Uint8Array(900_000)));
      await assertRejects(() => database.batch(parts), "too_large");
      assertEquals(between.requests, 0);
    },
  );

  await t.step(
    "execute() does not repeat a write when its answer was lost, and says that its outcome is not known",
    async () => {
      await reset();
      between.faults = ["answer lost"];
      const { message } = await assertRejects(() => database.execute(raw(ADD)), "network");
      assert(message.includes("is not known"), message);
      assertEquals(between.requests, 1);
      assertEquals(await count(), 1);
    },
  );

  await t.step("batch() repeats a write when it is idempotent, and only that one of a group", async () => {
    await reset();
    between.faults = ["answer lost"];
    const [plain, idempotent] = await Promise.allSettled([
      database.execute(raw(ADD)),
      database.batch([raw("INSERT OR REPLACE INTO rows VALUES (1)"), raw("SELECT v FROM rows")], { idempotent: true }),
    ]);
    assert(plain.status === "rejected" && plain.reason instanceof PosternError && plain.reason.code === "network");
    assert(idempotent.status === "fulfilled");
    assertEquals(idempotent.value[1].rows, [{ v: 1 }]);
    assertEquals(await count(), 1);
  });

  await t.step(
    "execute() repeats a read when the server is unavailable for a moment, and gives up in the end",
    async () => {
      await reset();
      between.faults = ["unavailable", "answer lost", "unavailable"];
      assertEquals(await count(), 0);
      assertEquals(between.requests, 4);
      between.faults = Array.from({ length: 4 }, () => "unavailable" as const);
      const { message } = await assertRejects(count, "network");
      assert(!message.includes("is not known") && message.includes("Check that it runs"), message);
    },
  );

  await t.step(
    "execute() gives up with network when the server is silent, and the next call goes through",
    async () => {
      await reset();
      between.faults = ["silent"];
      const impatient = open({ answerMillis: 100 });
      const { message } = await assertRejects(() => impatient.execute(raw(ADD)), "network");
      assert(message.includes("no answer within 100 ms"), message);
      await impatient.execute(raw(ADD));
      between.faults = ["silent"];
      assertEquals((await impatient.execute(COUNT)).rows, [{ n: 1 }]);
      await impatient.close();
    },
  );

  await t.step("execute() asks once when the server takes nothing from 32 callers", async () => {
    let requests = 0;
    const web = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
      requests++;
      return new Response("no", { status: 401 });
    });
    const denied = openRemote(`http://127.0.0.1:${web.addr.port}`);
    await Promise.all(Array.from({ length: 32 }, () => assertRejects(() => denied.execute(raw(ADD)), "wrong_key")));
    assertEquals(requests, 1);
    await web.shutdown();
  });

  await t.step("execute() fails with network when the answer is no answer of a libSQL server", async () => {
    const web = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      ({ url }) => url.includes("/text/") ? new Response("hello") : new Response("not here", { status: 404 }),
    );
    const { message } = await assertRejects(
      () => openRemote(`http://127.0.0.1:${web.addr.port}`).execute(COUNT),
      "network",
    );
    assert(message.includes("check the URL"), message);
    await assertRejects(() => openRemote(`http://127.0.0.1:${web.addr.port}/text/`).execute(raw(ADD)), "network");
    await web.shutdown();
  });

  await database.close();
  await between.stop();
  await server.stop();
});

for (const over of ["url", "wsUrl"] as const) {
  sqld.test(`openRemote() when a server goes and comes back, over ${over === "url" ? "HTTP" : "WebSocket"}`, async (t) => {
    const server = await start();
    const database = openRemote(server[over], { answerMillis: 2_000 });
    await database.batch([raw("CREATE TABLE counter (n)"), raw("INSERT INTO counter VALUES (0)")]);

    await t.step("execute() fails with network when it is gone, naming the place and what to do", async () => {
      await server.kill();
      const { message } = await assertRejects(() => database.execute(raw(ADD)), "network");
      assert(message.includes(new URL(server[over]).host) && message.includes("Check that it runs"), message);
    });

    await t.step("execute() bridges the gap when a read or an idempotent write meets a restart", async () => {
      const calls = Promise.all([
        database.execute(COUNT),
        database.execute(raw("UPDATE counter SET n = 7"), { idempotent: true }),
      ]);
      await new Promise((resume) => setTimeout(resume, 60));
      await server.restart();
      await calls;
      assertEquals((await database.execute(COUNT)).rows, [{ n: 7 }]);
    });

    await database.close();
    await server.stop();
  });
}

sqld.test("openRemote() with tokens", async (t) => {
  const server = await start({ auth: true });
  const first = (database: Database) => database.execute(raw("SELECT 1 AS n")).finally(() => database.close());
  for (const over of ["url", "wsUrl"] as const) {
    await t.step(
      `execute() fails with wrong_key over ${over} when the token is missing, garbled or foreign`,
      async () => {
        const [head, body, signature = ""] = server.token.split(".");
        const foreign = `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
        for (const options of [{}, { authToken: "garbled" }, { authToken: foreign }]) {
          const { message } = await assertRejects(() => first(openRemote(server[over], options)), "wrong_key");
          assert(message.includes("token") && !message.includes(foreign), message);
        }
        assertEquals((await first(openRemote(server[over], { authToken: server.token }))).rows, [{ n: 1 }]);
      },
    );
  }
  await server.stop();
});

for (
  const url of [
    "",
    "data.db",
    "file:data.db",
    "ftp://host",
    "http:///",
    "https://user@host",
    "https://user:secret@host",
    "https://host?authToken=secret",
    "https://host/#x",
    "libsql://host?tls=2",
  ]
) {
  Deno.test(`openRemote() refuses with configuration when the URL is ${JSON.stringify(url)}`, () => {
    const { message } = assertThrows(() => openRemote(url), "configuration");
    assert(!message.includes("secret"), message);
  });
}

Deno.test("split() keeps every member once, in order, and isolates the one that failed", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 20 }),
    fc.option(fc.nat(120), { nil: undefined }),
    (sizes, failed) => {
      const group = sizes.map((size, id) => ({ id, statements: Array.from({ length: size }, () => id) }));
      const flat = group.flatMap(({ statements }) => statements);
      const parts = split(group, failed);
      assertEquals(parts.flat(), group);
      assert(parts.every((part) => part.length > 0 && part.length < group.length));
      const culprit = failed === undefined ? undefined : flat[failed];
      if (culprit !== undefined) assert(parts.some((part) => part.length === 1 && part[0]?.id === culprit));
    },
  ));
});

sqld.test("openRemote() survives 32 concurrent writers on a real server", async () => {
  const server = await start();
  const database = openRemote(server.wsUrl);
  await database.batch([raw("CREATE TABLE counter (n)"), raw("INSERT INTO counter VALUES (0)")]);
  await Promise.all(Array.from({ length: 32 }, async () => {
    for (let i = 0; i < 50; i++) await database.execute(raw(ADD));
  }));
  assertEquals((await database.execute(COUNT)).rows, [{ n: 1600 }]);
  assert(LIMITS.databaseGroupStatements >= 32);
  await database.close();
  await server.stop();
});
