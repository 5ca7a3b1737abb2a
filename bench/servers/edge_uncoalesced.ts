/** The same edge, except that every statement goes to its database server by itself: what coalescing is compared with. */
import { createEdge } from "../../edge/app.ts";
import { readConfig } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { serveControl } from "./control.ts";

if (import.meta.main) {
  const config = readConfig(Deno.env.toObject());
  const database = await openDatabase(config.databaseUrl, { coalesce: false });
  const edge = await createEdge({
    ...{ config, clock: Date.now, random: webCryptoRandom, log: (line) => console.error(line) },
    store: await EdgeStore.open(database),
  });
  const { hostname, port } = config.listen;
  const server = Deno.serve({ hostname, port, onListen: () => {} }, (request, info) => edge.fetch(request, info));
  await serveControl({ port: server.addr.port });
  await server.shutdown();
  await database.close();
}
