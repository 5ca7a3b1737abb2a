import { parse as parseToml } from "@std/toml/parse";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { buildWorker, type Bundle, weigh } from "../../scripts/worker/bundle.ts";
import { assert, assertEquals } from "../assert.ts";
import { CACHE_FOLDER } from "./built_worker.ts";
import { start } from "./workerd.ts";

const WORKER = `
import { Hono } from "hono";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { createHash } from "node:crypto";
const app = new Hono<{ Bindings: { TARGET: string; SECRET: string } }>();
app.get("/fetch", async (c) => c.text(await (await fetch(c.env.TARGET)).text()));
app.get("/secret", (c) => c.text(c.env.SECRET));
app.get("/equal", (c) => c.json(timingSafeEqual(new Uint8Array(2), new Uint8Array(2))));
app.get("/hash", (c) => c.text(createHash("sha256").update("x").digest("hex")));
app.get("/log", (c) => { console.log("said by the worker"); return c.text(""); });
export default app;
`;

/** Builds the worker above with the project's settings, from a folder in which packages resolve as they do for edge/. */
async function buildThrowaway(): Promise<Bundle> {
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: CACHE_FOLDER, prefix: "throwaway-" });
  try {
    const settings = parseToml(await Deno.readTextFile(`${PROJECT_ROOT}/wrangler.toml`)) as Record<string, unknown>;
    const config = {
      name: "throwaway",
      main: "worker.ts",
      compatibility_date: settings["compatibility_date"],
      compatibility_flags: settings["compatibility_flags"],
      alias: { "@std/crypto/timing-safe-equal": "deno-std/crypto/timing_safe_equal.js" },
    };
    await Deno.writeTextFile(`${folder}/worker.ts`, WORKER);
    await Deno.writeTextFile(`${folder}/wrangler.json`, JSON.stringify(config));
    return await buildWorker({ config: `${folder}/wrangler.json` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("workerd start() runs what wrangler builds, with variables, Node's modules and a way to loopback", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("from loopback"));
  const target = `http://127.0.0.1:${server.addr.port}/`;
  const bundle = await buildThrowaway();
  const worker = await start({ bundle, env: { TARGET: target, SECRET: 'quotes " and\nlines \u00e9' } });
  try {
    const get = async (path: string) => await (await fetch(worker.origin + path)).text();
    assertEquals(await get("/fetch"), "from loopback");
    assertEquals(await get("/secret"), 'quotes " and\nlines \u00e9');
    assertEquals(await get("/equal"), "true");
    assertEquals(await get("/hash"), "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    await get("/log");
    assert(worker.output().includes("said by the worker"));
  } finally {
    await worker.stop();
    await server.shutdown();
  }
  const weight = await weigh(bundle);
  assert(weight.gzipBytes > 5_000 && weight.gzipBytes < weight.bytes && weight.bytes < 500_000, JSON.stringify(weight));
});

Deno.test("workerd start() says what the worker said when it does not start", async () => {
  const files = [{ name: "worker.js", bytes: new TextEncoder().encode("throw new Error('broken from the start')") }];
  const outcome = await start({ bundle: { main: "worker.js", files } }).then(
    () => "started",
    (error: Error) => error.message,
  );
  assert(outcome.includes("broken from the start"), outcome);
});

Deno.test("buildWorker() fails with wrangler's words when a module is missing", async () => {
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: CACHE_FOLDER, prefix: "throwaway-" });
  try {
    await Deno.writeTextFile(`${folder}/worker.ts`, 'import "no-such-package"; export default {};');
    const config = { name: "x", main: "worker.ts", compatibility_date: "2026-01-01" };
    await Deno.writeTextFile(`${folder}/wrangler.json`, JSON.stringify(config));
    const build = buildWorker({ config: `${folder}/wrangler.json` });
    const outcome = await build.then(() => "built", (error: Error) => error.message);
    assert(outcome.includes("no-such-package"), outcome);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
