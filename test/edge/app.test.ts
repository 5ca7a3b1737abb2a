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
  const edge = await createEdge({
    config: readConfig({ ...cast.settings, [SETTINGS.databaseUrl]: ":memory:", ...settings }),
    ...{ store: await EdgeStore.open(database), clock: clock.now, random: webCryptoRandom },
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
    assertEquals(lines.length, 2);
    assert(lines[0]?.startsWith("postern edge: GET statement: storage: "), lines[0]);
    assert(lines[1]?.startsWith("postern edge: /health: storage: "), lines[1]);
    for (const word of [owner, "seen by nobody", "203.0.113.7"]) assert(!lines.join().includes(word), word);
    // What needs no database is answered all the same.
    assertEquals((await edge.fetch(new Request(`${ORIGIN}/v1/${owner}/challenge`), "203.0.113.8")).status, 200);
  });
});

Deno.test("createEdge() limits challenges, logins and statements by address and by owner, known or not", async () => {
  const limits = { [SETTINGS.rateAddress]: "4", [SETTINGS.rateOwner]: "6" };
  await withEdge(limits, async ({ edge, cast, clock }) => {
    const ask = async (address: string, owner: string, route = "challenge", method = "GET") => {
      const answer = await edge.fetch(new Request(`${ORIGIN}/v1/${owner}/${route}`, { method }), address);
      await answer.body?.cancel();
      return [answer.status, answer.headers.get("retry-after")];
    };
    for (const owner of [toHex(cast.takeOwner().id), toHex(cast.stranger.id)]) {
      // One client, whatever it asks for, and whatever address of its IPv6 network it uses.
      const network = `2001:db8:${owner.slice(0, 4)}:1`;
      assertEquals((await ask(`${network}::1`, owner))[0], 200);
      assertEquals((await ask(`${network}::2`, owner, "statement"))[0], 200);
      assertEquals((await ask(`${network}::3`, owner, "login", "POST"))[0], 400);
      assertEquals((await ask(`${network}::4`, toHex(nobody(32))))[0], 200);
      assertEquals(await ask(`${network}::5`, toHex(nobody(32))), [429, "15"]);
      // One owner, whoever asks.
      for (let i = 0; i < 3; i++) assertEquals((await ask(`192.0.2.${i}`, owner))[0], 200);
      assertEquals(await ask("192.0.2.9", owner), [429, "10"]);
      assertEquals(await ask("192.0.2.9", owner, "login", "POST"), [429, "10"]);
    }
    clock.advance(60_000);
    assertEquals((await ask("192.0.2.9", toHex(cast.stranger.id)))[0], 200);
  });
});

Deno.test("createEdge() counts nothing under a name that cannot be an owner's", async () => {
  await withEdge({ [SETTINGS.rateOwner]: "1" }, async ({ edge }) => {
    for (let i = 0; i < 3; i++) {
      const answer = await edge.fetch(new Request(`${ORIGIN}/v1/${"x".repeat(2_000)}/challenge`), "192.0.2.1");
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
