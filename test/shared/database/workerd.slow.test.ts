/** The remote driver on workerd, where a request must not wait for what another one started. */
import { parse as parseToml } from "@std/toml/parse";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { buildWorker } from "../../../scripts/worker/bundle.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CACHE_FOLDER } from "../../tools/built_worker.ts";
import { needs } from "../../tools/needs.ts";
import { start as startSqld } from "../../tools/sqld.ts";
import { start as startWorkerd } from "../../tools/workerd.ts";

const WORKER = `
import { openRemote } from "${PROJECT_ROOT}/shared/database/remote.ts";
let database;
export default {
  async fetch(request, env) {
    database ??= openRemote(env.DATABASE_URL, { coalesce: false, authToken: env.TOKEN });
    try {
      const { searchParams } = new URL(request.url);
      const [changed, found] = await database.batch([
        { sql: "UPDATE counter SET n = n + ? WHERE n >= 0", params: [Number(searchParams.get("add"))] },
        { sql: "SELECT n, x'0102' AS b FROM counter", params: [] },
      ]);
      const bytes = found.rows[0].b instanceof Uint8Array ? [...found.rows[0].b] : "none";
      return Response.json({ changes: changed.changes, bytes });
    } catch (error) {
      return Response.json({ code: error.code, message: error.message }, { status: 500 });
    }
  },
};
`;

needs("workerd", "sqld").test(
  "openRemote() on workerd serves concurrent requests from one isolate when coalesce is false",
  async () => {
    await Deno.mkdir(CACHE_FOLDER, { recursive: true });
    const folder = await Deno.makeTempDir({ dir: CACHE_FOLDER, prefix: "throwaway-" });
    const settings = parseToml(await Deno.readTextFile(`${PROJECT_ROOT}/wrangler.toml`)) as Record<string, unknown>;
    await Deno.writeTextFile(`${folder}/worker.ts`, WORKER);
    await Deno.writeTextFile(
      `${folder}/wrangler.json`,
      JSON.stringify({
        name: "throwaway",
        main: "worker.ts",
        compatibility_date: settings["compatibility_date"],
        compatibility_flags: settings["compatibility_flags"],
      }),
    );
    const bundle = await buildWorker({ config: `${folder}/wrangler.json` }).finally(() =>
      Deno.remove(folder, { recursive: true })
    );
    const code = bundle.files.map(({ bytes }) => new TextDecoder().decode(bytes)).join();
    assert(!code.includes("@neon-rs"), "the bundle holds the native package");

    const sqld = await startSqld({ auth: true });
    const workerd = await startWorkerd({ bundle, env: { DATABASE_URL: sqld.url, TOKEN: sqld.token } });
    try {
      const add = async (n: number) => await (await fetch(`${workerd.origin}/?add=${n}`)).json();
      assertEquals((await add(0)).code, "storage");
      const { openRemote } = await import("../../../shared/database/remote.ts");
      const database = openRemote(sqld.url, { authToken: sqld.token });
      await database.batch([
        { sql: "CREATE TABLE counter (n)", params: [] },
        { sql: "INSERT INTO counter VALUES (0)", params: [] },
      ]);
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => add(i)));
        for (const answer of answers) assertEquals(answer, { changes: 1, bytes: [1, 2] });
      }
      assertEquals((await database.execute({ sql: "SELECT n FROM counter", params: [] })).rows, [{ n: 360 }]);
      await database.close();
    } finally {
      await workerd.stop();
      await sqld.stop();
    }
  },
);
