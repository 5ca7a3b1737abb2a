/** Several isolates of one edge: what they share is the secret and the database, and nothing else. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { LIMITS } from "../../shared/limits.ts";
import { newEdgeKey } from "../../shared/protocol/edge_key.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { createEdge, type Edge } from "../../edge/app.ts";
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { assert, assertEquals } from "../assert.ts";
import { TestClock } from "../fixtures/clock.ts";
import { codeOf, deviceLogin, RawClient, send } from "./contract/client.ts";
import { Household } from "./contract/household.ts";
import { type Cast, makeCast, type Target } from "./contract/target.ts";

const ORIGIN = "https://edge.test";

type Isolate = Target & Pick<Edge, "sweep">;

interface Isolates {
  readonly cast: Cast;
  readonly clock: TestClock;
  readonly lines: string[];
  /** Another isolate on the same database. */
  start(settings?: Record<string, string>, parts?: Partial<Parameters<typeof createEdge>[0]>): Promise<Isolate>;
}

async function withDatabase(run: (isolates: Isolates) => Promise<void>): Promise<void> {
  const cast = await makeCast(2, ORIGIN);
  const database = await openDatabase(":memory:");
  const clock = new TestClock();
  const lines: string[] = [];
  const start: Isolates["start"] = async (settings = {}, parts = {}) => {
    const edge: Edge = await createEdge({
      config: readConfig({ ...cast.settings, [SETTINGS.databaseUrl]: ":memory:", ...settings }),
      ...{ store: await EdgeStore.open(database), clock: clock.now, random: webCryptoRandom },
      log: (line) => void lines.push(line),
      ...parts,
    });
    const fetch: Target["fetch"] = (path, init) => edge.fetch(new Request(ORIGIN + path, init));
    return { fetch, clock, log: () => lines.join("\n"), sweep: edge.sweep };
  };
  try {
    await run({ cast, clock, lines, start });
  } finally {
    await database.close();
  }
}

Deno.test("createEdge() takes sessions, logouts and challenges of another isolate with the same secret (SESS-04, SESS-14)", async () => {
  await withDatabase(async ({ cast, start }) => {
    const [one, two] = [await start(), await start()];
    const home = await Household.move(new RawClient(one, cast));
    const { session } = await new RawClient(one, cast).login(deviceLogin(home.owner, home.device()));
    const { place, init } = session.prepare({ route: "head" });
    // Each isolate has a window of its own, so a read can be repeated at another one; only its device can open the answer.
    assertEquals([(await send(one, place, init)).status, (await send(two, place, init)).status], [200, 200]);
    assertEquals(codeOf(await send(two, place, init)), "unauthorized");

    const { challenge } = await new RawClient(one, cast).challenge(home.owner.id);
    const login = { ...deviceLogin(home.owner, home.device()), challenge };
    assertEquals((await new RawClient(two, cast).tryLogin(login)).answer.status, 200);
    assertEquals((await new RawClient(one, cast).tryLogin(login)).answer.status, 401);

    await session.ask("empty", { method: "POST", route: "logout" });
    const later = session.prepare({ route: "head" });
    assertEquals(codeOf(await send(two, later.place, later.init)), "unauthorized");
  });
});

Deno.test("createEdge() refuses a spent challenge where the clock is behind, also after it was swept elsewhere (SESS-04)", async () => {
  await withDatabase(async ({ cast, clock, start }) => {
    const behind = LIMITS.challengeMillis - 1;
    const [one, slow] = [await start(), await start({}, { clock: () => clock.now() - behind })];
    const home = await Household.move(new RawClient(one, cast));
    const { challenge } = await new RawClient(one, cast).challenge(home.owner.id);
    const login = { ...deviceLogin(home.owner, home.device()), challenge };
    assertEquals((await new RawClient(one, cast).tryLogin(login)).answer.status, 200);
    clock.advance(LIMITS.challengeMillis + behind);
    await one.sweep();
    assertEquals((await new RawClient(slow, cast).tryLogin(login)).answer.status, 401);
  });
});

Deno.test("createEdge() goes on with sessions of the secret before, and with no other one's (SESS-16)", async () => {
  await withDatabase(async ({ cast, start }) => {
    const before = await start();
    const home = await Household.move(new RawClient(before, cast));
    const session = await home.asDevice();
    const { secret } = await newEdgeKey(webCryptoRandom);
    const former = cast.settings[SETTINGS.key] ?? "";
    const rotated = { [SETTINGS.key]: secret, [SETTINGS.previousKey]: former };
    const [after, forgotten] = [await start(rotated), await start({ [SETTINGS.key]: secret })];
    const ask = session.prepare({ route: "head" });
    assertEquals((await send(after, ask.place, ask.init)).status, 200);
    assertEquals(codeOf(await send(forgotten, ask.place, ask.init)), "unauthorized");
    // It no longer proves to be the edge that statements name: logins meant for the old key fail.
    const login = deviceLogin(home.owner, home.device());
    assertEquals((await new RawClient(after, cast).tryLogin(login)).answer.status, 401);
    const others = await start({ ...rotated, [SETTINGS.owners]: "0".repeat(64) });
    const again = session.prepare({ route: "head" });
    assertEquals(codeOf(await send(others, again.place, again.init)), "unauthorized");
  });
});

Deno.test("createEdge() tells nothing of a failure that nobody expected, wherever it comes from (STORE-01)", async () => {
  await withDatabase(async ({ cast, start, lines }) => {
    const fail = () => {
      throw new TypeError("the secret of the runtime");
    };
    const owner = cast.takeOwner().id;
    const failing = [await start({}, { random: fail }), await start({}, { clock: fail })];
    for (const target of failing) {
      const answer = await send(target, new RawClient(target, cast).at("challenge", { owner }));
      assertEquals([answer.status, codeOf(answer)], [503, "storage"]);
      assert(!new TextDecoder().decode(answer.body).includes("secret"));
    }
    assertEquals(lines.length, 2);
    for (const line of lines) assert(/^postern edge: .*: TypeError at /.test(line) && !line.includes("secret"), line);
  });
});
