/** The edge as a whole, where what it runs on fails or is asked too often. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { createEdge, type Edge, ENDPOINTS } from "../../edge/app.ts";
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { ROUTES } from "../../shared/protocol/paths.ts";
import { assert, assertEquals } from "../assert.ts";
import { TestClock } from "../fixtures/clock.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { PushBody } from "../../edge/store/push/state.ts";
import { codeOf, managerLogin, RawClient } from "./contract/client.ts";
import { pushBody, rawRow, token } from "./store/fixture.ts";
import { type Cast, makeCast, nobody } from "./contract/target.ts";

const ORIGIN = "https://edge.test";

interface Setup {
  readonly edge: Edge;
  readonly cast: Cast;
  readonly database: Database;
  readonly clock: TestClock;
  readonly lines: string[];
}

/** An edge of its own; clients give their address as the host's part of a call. */
async function withEdge(settings: Record<string, string>, run: (setup: Setup) => Promise<void>): Promise<void> {
  const cast = await makeCast(2, ORIGIN);
  const database = await openDatabase(":memory:");
  const lines: string[] = [];
  const clock = new TestClock();
  const config = readConfig({ ...cast.settings, [SETTINGS.databaseUrl]: ":memory:", ...settings });
  const edge = await createEdge({
    config,
    ...{ store: await EdgeStore.open(database, config), clock: clock.now, random: webCryptoRandom },
    clientAddress: (_, host) => host as string,
    log: (line) => void lines.push(line),
  });
  try {
    await run({ edge, cast, database, clock, lines });
  } finally {
    await database.close();
  }
}

async function code(answer: Response): Promise<string> {
  return (await answer.json() as { code: string }).code;
}

Deno.test("createEdge() answers storage to everybody and logs no more than where when the database is gone (STORE-01)", async () => {
  await withEdge({}, async ({ edge, cast, database, lines }) => {
    const owner = toHex(cast.takeOwner().id);
    await database.close();
    const secret = { headers: { "x-secret": "seen by nobody" } };
    const answer = await edge.fetch(new Request(`${ORIGIN}/v1/${owner}/statement`, secret), "203.0.113.7");
    assertEquals([answer.status, await code(answer)], [503, "storage"]);
    const health = await edge.fetch(new Request(`${ORIGIN}/health`, secret), "203.0.113.7");
    assertEquals([health.status, await code(health)], [503, "storage"]);
    // However often it is asked, neither the database nor the log is, within a second.
    const again = await Promise.all(Array.from({ length: 50 }, () => edge.fetch(new Request(`${ORIGIN}/health`))));
    for (const each of again) assertEquals([each.status, await code(each)], [503, "storage"]);
    assertEquals(lines.length, 2);
    assert(lines[0]?.startsWith("postern edge: GET statement: storage: "), lines[0]);
    assert(lines[1]?.startsWith("postern edge: /health: storage: "), lines[1]);
    for (const word of [owner, "seen by nobody", "203.0.113.7"]) assert(!lines.join().includes(word), word);
    // What needs no database is answered all the same.
    assertEquals((await edge.fetch(new Request(`${ORIGIN}/v1/${owner}/challenge`), "203.0.113.8")).status, 200);
  });
});

interface Question {
  readonly owner: string;
  readonly route?: string;
  readonly method?: string;
}

/** Status and `retry-after` of an answer. */
async function ask(edge: Edge, address: string | null, { owner, route = "challenge", method = "GET" }: Question) {
  const answer = await edge.fetch(new Request(`${ORIGIN}/v1/${owner}/${route}`, { method }), address);
  await answer.body?.cancel();
  return [answer.status, answer.headers.get("retry-after")];
}

Deno.test("createEdge() limits challenges, logins and statements by address, whatever the owner", async () => {
  await withEdge({ [SETTINGS.rateAddress]: "4" }, async ({ edge, cast, clock }) => {
    for (const owner of [toHex(cast.takeOwner().id), toHex(cast.stranger.id)]) {
      // One client, whatever it asks for, and whatever address of its IPv6 network it uses.
      const network = `2001:db8:${owner.slice(0, 4)}:1`;
      assertEquals((await ask(edge, `${network}::1`, { owner }))[0], 200);
      assertEquals((await ask(edge, `${network}::2`, { owner, route: "statement" }))[0], 200);
      assertEquals((await ask(edge, `${network}::3`, { owner, route: "login", method: "POST" }))[0], 400);
      assertEquals((await ask(edge, `${network}::4`, { owner: toHex(nobody(32)) }))[0], 200);
      assertEquals(await ask(edge, `${network}::5`, { owner: toHex(nobody(32)) }), [429, "15"]);
    }
    clock.advance(60_000);
    const owner = toHex(cast.stranger.id);
    assertEquals((await ask(edge, `2001:db8:${owner.slice(0, 4)}:1::1`, { owner }))[0], 200);
  });
});

Deno.test("createEdge() lets an owner in, however many strangers ask under the owner's name from elsewhere", async () => {
  await withEdge({ [SETTINGS.rateAddress]: "4", [SETTINGS.rateOwner]: "6" }, async ({ edge, cast }) => {
    const owner = toHex(cast.takeOwner().id);
    for (let i = 0; i < 20; i++) {
      for (const route of ["challenge", "statement"]) await ask(edge, `192.0.2.${i}`, { owner, route });
      await ask(edge, `192.0.2.${i}`, { owner, route: "login", method: "POST" });
    }
    assertEquals((await ask(edge, "198.51.100.7", { owner }))[0], 200);
    assertEquals((await ask(edge, "198.51.100.7", { owner, route: "login", method: "POST" }))[0], 400);
  });
});

Deno.test("createEdge() limits the logins of an owner, known or not, where it is told no addresses", async () => {
  await withEdge({ [SETTINGS.rateAddress]: "4", [SETTINGS.rateOwner]: "6" }, async ({ edge, cast, clock }) => {
    for (const owner of [toHex(cast.takeOwner().id), toHex(cast.stranger.id)]) {
      for (let i = 0; i < 20; i++) assertEquals((await ask(edge, null, { owner }))[0], 200);
      const login = { owner, route: "login", method: "POST" };
      for (let i = 0; i < 6; i++) assertEquals((await ask(edge, null, login))[0], 400);
      assertEquals(await ask(edge, null, login), [429, "10"]);
      clock.advance(10_000);
      assertEquals((await ask(edge, null, login))[0], 400);
    }
  });
});

Deno.test("createEdge() tells the manager what to do when the owner may take up no more, and when to try again (PUSH-12)", async () => {
  await withEdge({ [SETTINGS.ownerBytes]: "1 MiB" }, async ({ edge, cast, clock, lines }) => {
    const fetch = (target: string, init: RequestInit) => edge.fetch(new Request(ORIGIN + target, init), "192.0.2.1");
    const client = new RawClient({ fetch, clock, log: () => lines.join() }, cast);
    const owner = cast.takeOwner();
    const { session } = await client.login(managerLogin(owner));
    const begin = (body: PushBody) => session.exchange({ route: "push", body: { ...body } });
    const body = pushBody(owner, { chunks: 2 });
    assertEquals((await begin(body)).answer.status, 200);
    const chunk = (n: number) => {
      const rows = [rawRow(2, token(n), 0, 600_000)];
      return session.exchange({
        method: "PUT",
        route: "pushChunk",
        path: { id: body.id, n },
        body: { rows, remove: [] },
      });
    };
    assertEquals((await chunk(0)).answer.status, 200);
    const { answer, isSigned } = await chunk(1);
    assertEquals([answer.status, codeOf(answer), isSigned], [413, "too_large", true]);
    const { title } = JSON.parse(new TextDecoder().decode(answer.body)) as { title: string };
    assert(title.includes(SETTINGS.ownerBytes) && /^[\x20-\x7e]{1,200}$/.test(title), title);
    for (let epoch = 2; epoch < 2 + LIMITS.maxPushesGivenUp; epoch++) {
      assertEquals((await begin(pushBody(owner, { epoch }))).answer.status, 200);
    }
    const { answer: later } = await begin(pushBody(owner, { epoch: 100 }));
    assertEquals([later.status, codeOf(later), later.headers.get("retry-after")], [429, "rate_limited", "60"]);
    assertEquals(lines, []);
  });
});

Deno.test("createEdge() counts nothing under a name that cannot be an owner's", async () => {
  await withEdge({ [SETTINGS.rateOwner]: "1" }, async ({ edge }) => {
    for (let i = 0; i < 3; i++) {
      const target = `${ORIGIN}/v1/${"x".repeat(2_000)}/login`;
      const answer = await edge.fetch(new Request(target, { method: "POST" }), null);
      assertEquals([answer.status, await code(answer)], [400, "malformed"]);
    }
  });
});

Deno.test("ENDPOINTS serve every route but the two for people, each with a method of its own", () => {
  const served = new Set<string>(ENDPOINTS.map(({ route }) => route));
  assertEquals(Object.keys(ROUTES).filter((route) => !served.has(route)), ["health", "openapi"]);
  const names = ENDPOINTS.map(({ method, route }) => `${method} ${route}`);
  assertEquals(new Set(names).size, names.length);
});
