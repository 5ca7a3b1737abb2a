/**
 * The floor: the least that an authenticated lookup can cost here. A bare Hono route, the session in memory, one cached
 * native SELECT of libSQL, two hashes, and a body of the size that the edge's answer has.
 *
 *   deno run -A bench/servers/floor.ts SETTINGS.json
 */
import { Hono } from "hono";
import { Native } from "../../shared/database/native.ts";
import { answerAuth, type FloorSettings, requestAuth, rowName } from "./floor_auth.ts";
import { serveControl } from "./control.ts";

function fill(database: InstanceType<typeof Native>, { rows, bodyBytes }: FloorSettings): void {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE certificates (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB NOT NULL)");
  const insert = database.prepare("INSERT INTO certificates (name, body) VALUES (?, ?)");
  database.exec("BEGIN");
  for (let number = 0; number < rows; number++) {
    insert.run([rowName(number), crypto.getRandomValues(new Uint8Array(bodyBytes))]);
  }
  database.exec("COMMIT");
}

if (import.meta.main) {
  const settings = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")) as FloorSettings;
  const database = new Native(settings.databasePath, { timeout: 0 });
  fill(database, settings);
  const select = database.prepare("SELECT body FROM certificates WHERE name = ?").raw(true);
  const sessions = new Map(settings.sessions.map(([id, key]) => [id, { key, counter: 0 }]));
  const app = new Hono();
  app.get("/certificate", (c) => {
    const session = sessions.get(c.req.header("x-session") ?? "");
    const counter = Number(c.req.header("x-counter"));
    const target = c.req.url.slice(c.req.url.indexOf("/", "http://".length));
    if (session === undefined || c.req.header("x-auth") !== requestAuth(session.key, target, counter)) {
      return c.body(null, 401);
    }
    if (!(counter > session.counter)) return c.body(null, 409);
    session.counter = counter;
    const body = select.get([c.req.query("dn") ?? ""])?.[0];
    if (!(body instanceof Uint8Array)) return c.body(null, 404);
    const bytes = new Uint8Array(body);
    return c.body(bytes, 200, {
      "content-type": "application/octet-stream",
      "x-auth": answerAuth(session.key, counter, bytes),
    });
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  await serveControl({ port: server.addr.port });
  await server.shutdown();
  database.close();
}
