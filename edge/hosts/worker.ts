/** The edge on Cloudflare Workers. */
import { reveal } from "../../shared/crypto/redacted.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openRemote } from "../../shared/database/remote.ts";
import { createEdge, type Edge } from "../app.ts";
import { readConfig } from "../config.ts";
import { describeError } from "../report.ts";
import { EdgeStore } from "../store/store.ts";

type Bindings = Readonly<Record<string, string | undefined>>;

/** Where Cloudflare tells a client's address; a client cannot set it. */
const ADDRESS_HEADER = "cf-connecting-ip";

/** Made with the first request, since a worker has its settings only then; made again if that failed. */
let started: Promise<Edge> | undefined;

async function start(bindings: Bindings): Promise<Edge> {
  const config = readConfig(bindings);
  // Requests of one isolate may not wait for each other's answers from the network: no coalescing (measured, tested).
  const database = await openRemote(config.databaseUrl, {
    coalesce: false,
    ...(config.databaseToken === null ? {} : { authToken: reveal(config.databaseToken) }),
  });
  return await createEdge({
    ...{ config, store: await EdgeStore.open(database), clock: Date.now, random: webCryptoRandom },
    clientAddress: (request) => request.headers.get(ADDRESS_HEADER),
    log: (line) => console.error(line),
  });
}

async function edgeOf(bindings: Bindings): Promise<Edge | null> {
  started ??= start(bindings);
  try {
    return await started;
  } catch (error) {
    started = undefined;
    console.error(describeError("start", error));
    return null;
  }
}

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const edge = await edgeOf(bindings);
    return edge === null ? new Response(null, { status: 503 }) : await edge.fetch(request, bindings);
  },

  /** Run by a cron trigger: deletes what is past its time. */
  async scheduled(_: unknown, bindings: Bindings): Promise<void> {
    await (await edgeOf(bindings))?.sweep();
  },
};
