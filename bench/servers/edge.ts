/** The edge itself, as its settings in the environment say. */
import { createEdge } from "../../edge/app.ts";
import { readConfig } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { serveControl } from "./control.ts";

if (import.meta.main) {
  const config = readConfig(Object.fromEntries(Object.entries(Deno.env.toObject())));
  const db = await openDatabase(config.databaseUrl);
  const edge = await createEdge({
    config,
    store: await EdgeStore.open(db),
    clock: Date.now,
    random: webCryptoRandom,
    log: (l) => console.error(l),
  });
  const { hostname, port } = config.listen;
  const server = Deno.serve({ hostname, port, onListen: () => {} }, (r, info) => edge.fetch(r, info));
  await serveControl({ port: server.addr.port });
  await server.shutdown();
  await db.close();
}
