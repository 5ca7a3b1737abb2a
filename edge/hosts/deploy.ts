/** The edge on Deno Deploy: like Workers, without a disk; unlike them, requests may share a connection. */
import { reveal } from "../../shared/crypto/redacted.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openRemote } from "../../shared/database/remote.ts";
import { createEdge } from "../app.ts";
import { readConfig } from "../config.ts";
import { describeError } from "../report.ts";
import { EdgeStore } from "../store/store.ts";
import { nodeKeys } from "./node_keys.ts";

const log = (line: string) => console.error(line);

// Whatever is wrong here ends the deployment's start, and its log says what.
const config = readConfig(Deno.env.toObject());
const database = openRemote(
  config.databaseUrl,
  config.databaseToken === null ? {} : { authToken: reveal(config.databaseToken) },
);
const edge = await createEdge({
  ...{
    config,
    store: await EdgeStore.open(database, config),
    clock: Date.now,
    random: webCryptoRandom,
    keys: nodeKeys,
    log,
  },
  clientAddress: (_, info) => (info as Deno.ServeHandlerInfo<Deno.NetAddr>).remoteAddr.hostname,
});

export default {
  fetch: (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Promise<Response> => edge.fetch(request, info),
};

/** Stable on Deno Deploy, not in the Deno that checks these types. */
interface WithCron {
  cron?(name: string, schedule: string, handler: () => Promise<void>): unknown;
}

(Deno as WithCron).cron?.(
  "sweep",
  "*/5 * * * *",
  () => edge.sweep().catch((error: unknown) => log(describeError("sweep", error))),
);
