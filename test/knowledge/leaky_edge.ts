/**
 * The edge, with a leak: what it is told in a file it receives, answers, stores and says in so many words. It proves that whoever watches
 * an edge looks at all four. Run as a program; its one argument is the file, a JSON array of base64 texts.
 */
import { Buffer } from "node:buffer";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { createEdge } from "../../edge/app.ts";
import { readConfig } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";

const [file = ""] = Deno.args;
const leaks: string[] = JSON.parse(await Deno.readTextFile(file));
const config = readConfig(Deno.env.toObject());
const database = await openDatabase(config.databaseUrl);
const log = (line: string) => console.error(line);
const edge = await createEdge({
  ...{ config, store: await EdgeStore.open(database), clock: Date.now, random: webCryptoRandom, log },
});
await database.execute({ sql: "CREATE TABLE leaks (body BLOB)", params: [] });

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  const index = /\/leak\/(\d+)$/.exec(request.url)?.[1];
  const leak = Buffer.from(leaks[Number(index)] ?? "", "base64");
  if (index === undefined) return await edge.fetch(request);
  await request.bytes();
  await database.execute({ sql: "INSERT INTO leaks VALUES (?)", params: [new Uint8Array(leak)] });
  Deno.stdout.writeSync(Buffer.concat([leak, Buffer.from("\n")]));
  return new Response(new Uint8Array(leak));
});
console.error(`leaky edge: listening on 127.0.0.1:${server.addr.port}`);
Deno.addSignalListener("SIGTERM", () => {
  server.shutdown().then(() => database.close()).then(() => Deno.exit(0));
});
