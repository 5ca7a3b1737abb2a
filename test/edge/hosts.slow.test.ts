/** The hosts as programs: what they say when they cannot start, how they stop, whom they count. */
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Statement } from "../../shared/database/database.ts";
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { serveEdge } from "../../edge/hosts/deno.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { TestClock } from "../fixtures/clock.ts";
import { needs } from "../tools/needs.ts";
import { start as startSqld } from "../tools/sqld.ts";
import { start as startWorkerd } from "../tools/workerd.ts";
import { makeCast, nobody } from "./contract/target.ts";

const ORIGIN = "https://edge.test/postern";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-hosts-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function program(env: Record<string, string>): Deno.ChildProcess {
  const args = ["run", "-A", "--quiet", `${PROJECT_ROOT}/edge/hosts/deno.ts`];
  const common = { stdin: "null", stdout: "null", stderr: "piped" } as const;
  return new Deno.Command(Deno.execPath(), { args, env, ...common }).spawn();
}

Deno.test("edge/hosts/deno.ts names every missing variable and ends with 78 when it is not configured", async () => {
  const { code, stderr } = await program({}).output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 78);
  for (const name of ["POSTERN_OWNERS", "POSTERN_EDGE_KEY", "POSTERN_ORIGIN", "POSTERN_DATABASE_URL"]) {
    assert(said.includes(`${name} is missing`), said);
  }
});

Deno.test("edge/hosts/deno.ts serves until it is told to stop, and its data is there the next time", async () => {
  await inFolder(async (folder) => {
    const cast = await makeCast(1, ORIGIN);
    const env = {
      ...cast.settings,
      [SETTINGS.databaseUrl]: `file:${folder}/edge.db`,
      [SETTINGS.listen]: "127.0.0.1:0",
    };
    for (let round = 0; round < 2; round++) {
      const child = program(env);
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      const line = (await reader.read()).value ?? "";
      const port = /listening on 127\.0\.0\.1:(\d+) for https:\/\/edge\.test\/postern, 1 owner/.exec(line)?.[1];
      assert(port !== undefined, line);
      const answer = await fetch(`http://127.0.0.1:${port}/postern/health`);
      assertEquals([answer.status, (await answer.json()).ok], [200, true]);
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
      await reader.cancel();
    }
    assert((await Deno.stat(`${folder}/edge.db`)).size > 0);
  });
});

Deno.test("serveEdge() says which setting to change when the port is taken", async () => {
  const cast = await makeCast(1, ORIGIN);
  const settings = { ...cast.settings, [SETTINGS.databaseUrl]: ":memory:" };
  const first = await serveEdge(readConfig({ ...settings, [SETTINGS.listen]: "127.0.0.1:0" }), { log: () => {} });
  try {
    const config = readConfig({ ...settings, [SETTINGS.listen]: `127.0.0.1:${first.address.port}` });
    const { message } = await assertRejects(() => serveEdge(config, { log: () => {} }), "configuration");
    assert(message.includes(SETTINGS.listen) && message.includes(String(first.address.port)), message);
  } finally {
    await first.stop();
  }
});

Deno.test("serveEdge() counts challenges by the address that connects, or by what the proxy in front tells", async () => {
  const cast = await makeCast(1, ORIGIN);
  const settings = {
    ...cast.settings,
    [SETTINGS.databaseUrl]: ":memory:",
    [SETTINGS.listen]: "127.0.0.1:0",
    [SETTINGS.rateAddress]: "3",
  };
  for (const header of [undefined, "X-Forwarded-For"]) {
    const proxy = header === undefined ? {} : { [SETTINGS.addressHeader]: header };
    const clock = new TestClock();
    const edge = await serveEdge(readConfig({ ...settings, ...proxy }), { log: () => {}, clock: clock.now });
    try {
      const ask = async (forwarded: string) => {
        const url = `http://127.0.0.1:${edge.address.port}/postern/v1/${toHex(nobody(32))}/challenge`;
        const answer = await fetch(url, { headers: { "x-forwarded-for": forwarded } });
        await answer.body?.cancel();
        return [answer.status, answer.headers.get("retry-after")];
      };
      for (let i = 0; i < 3; i++) assertEquals(await ask(`198.51.100.${i}, 192.0.2.1`), [200, null]);
      assertEquals(await ask("198.51.100.9, 192.0.2.1"), [429, "20"]);
      // Without a proxy to trust, what the client says of itself changes nothing.
      assertEquals((await ask("192.0.2.1, 192.0.2.2"))[0], header === undefined ? 429 : 200);
      clock.advance(20_000);
      assertEquals((await ask("192.0.2.1"))[0], 200);
    } finally {
      await edge.stop();
    }
  }
});

needs("workerd").test("edge/hosts/worker.ts names the variable in its log, and says nothing outside", async () => {
  const cast = await makeCast(1, ORIGIN);
  for (
    const [database, said] of [
      [{}, `${SETTINGS.databaseUrl} is missing`],
      [{ [SETTINGS.databaseUrl]: "file:edge.db" }, `${SETTINGS.databaseUrl} names a file`],
      [
        { [SETTINGS.databaseUrl]: "http://127.0.0.1:1" },
        "start: storage: The database http://127.0.0.1:1/ gave no answer",
      ],
    ] as const
  ) {
    const workerd = await startWorkerd({ env: { ...cast.settings, ...database } });
    try {
      const answer = await fetch(`${workerd.origin}/postern/health`);
      const problem = await answer.text();
      assertEquals([answer.status, JSON.parse(problem).code], [503, "storage"]);
      assert(!problem.includes("POSTERN"), problem);
      // The log comes by another way than the answer.
      for (let waited = 0; waited < 2_000 && !workerd.output().includes(said); waited += 20) {
        await new Promise((resume) => setTimeout(resume, 20));
      }
      assert(workerd.output().includes("postern edge: start: ") && workerd.output().includes(said), workerd.output());
      assert(!workerd.output().includes(cast.settings[SETTINGS.key] ?? "?"));
    } finally {
      await workerd.stop();
    }
  }
});

needs("sqld").test(
  "edge/hosts/worker.ts sweeps when its cron trigger fires, and counts by Cloudflare's address (STORE-03)",
  async () => {
    const cast = await makeCast(1, ORIGIN);
    const sqld = await startSqld();
    const { openRemote } = await import("../../shared/database/remote.ts");
    const database = openRemote(sqld.url);
    try {
      const bindings = {
        ...cast.settings,
        [SETTINGS.databaseUrl]: sqld.url,
        [SETTINGS.rateAddress]: "1",
        NAMESPACE: { not: "a text" },
      };
      const worker = (await import("../../edge/hosts/worker.ts")).default;
      const ask = (address: string) => {
        const url = `${ORIGIN}/v1/${toHex(nobody(32))}/challenge`;
        return worker.fetch(new Request(url, { headers: { "cf-connecting-ip": address } }), bindings);
      };
      assertEquals([(await ask("192.0.2.1")).status, (await ask("192.0.2.1")).status], [200, 429]);
      assertEquals((await ask("192.0.2.2")).status, 200);

      const store = await EdgeStore.open(database);
      await store.recordManager(cast.takeOwner().id, nobody(32), 1);
      const count = async () => {
        const counting: Statement = { sql: "SELECT COUNT(*) AS n FROM spent_challenges", params: [] };
        return (await database.execute(counting)).rows[0]?.["n"];
      };
      assertEquals(await count(), 1);
      const waited: Promise<unknown>[] = [];
      worker.scheduled(null, bindings, { waitUntil: (promise) => void waited.push(promise) });
      assertEquals(waited.length, 1);
      await Promise.all(waited);
      assertEquals(await count(), 0);
    } finally {
      await database.close();
      await sqld.stop();
    }
  },
);
