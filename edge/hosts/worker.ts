/**
 * The edge on Cloudflare Workers.
 *
 * A request there must not wait for what another one started: if the first is given up, nobody would ever wake the others. So only
 * finished things are shared between requests, and requests that come before there is an edge each make one.
 */
import { reveal } from "../../shared/crypto/redacted.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openRemote } from "../../shared/database/remote.ts";
import { PosternError } from "../../shared/errors.ts";
import { createEdge, type Edge } from "../app.ts";
import { readConfig, SETTINGS } from "../config.ts";
import { refusal, respond } from "../http/respond.ts";
import { describeError } from "../report.ts";
import { EdgeStore } from "../store/store.ts";

/** Variables and secrets are texts; other kinds of bindings may stand beside them. */
type Bindings = Readonly<Record<string, unknown>>;

/** As much of a worker's execution context as is used. */
interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** Where Cloudflare tells a client's address; a client cannot set it. */
const ADDRESS_HEADER = "cf-connecting-ip";
/** Each takes about three requests to the database, of which an invocation may make 50 on the smallest plan. */
const SWEEP_STEPS = 12;

let shared: Edge | undefined;

async function start(bindings: Bindings): Promise<Edge> {
  const config = readConfig(textsOf(bindings));
  if (/^(?:file:|:memory:)/.test(config.databaseUrl)) {
    throw new PosternError("configuration", `${SETTINGS.databaseUrl} names a file, but a worker has no disk.`);
  }
  const database = openRemote(config.databaseUrl, {
    coalesce: false,
    ...(config.databaseToken === null ? {} : { authToken: reveal(config.databaseToken) }),
  });
  return await createEdge({
    ...{ config, store: await EdgeStore.open(database, config), clock: Date.now, random: webCryptoRandom, log },
    clientAddress: (request) => request.headers.get(ADDRESS_HEADER),
  });
}

function textsOf(bindings: Bindings): Record<string, string> {
  const texts = Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(texts);
}

function log(line: string): void {
  console.error(line);
}

/** The edge of this isolate; null when it cannot be made, which the log says. */
async function edgeOf(bindings: Bindings): Promise<Edge | null> {
  if (shared !== undefined) return shared;
  try {
    return shared = await start(bindings);
  } catch (error) {
    log(describeError("start", error));
    return null;
  }
}

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const edge = await edgeOf(bindings);
    return edge === null ? respond(request, refusal("storage")) : await edge.fetch(request);
  },

  /** Run by a cron trigger: deletes what is past its time. */
  scheduled(_: unknown, bindings: Bindings, context: ExecutionContext): void {
    context.waitUntil(sweep(bindings));
  },
};

async function sweep(bindings: Bindings): Promise<void> {
  const edge = await edgeOf(bindings);
  await edge?.sweep(SWEEP_STEPS).catch((error: unknown) => log(describeError("sweep", error)));
}
