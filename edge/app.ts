/** The edge as one function from requests to responses; `hosts/` puts it on Deno, Deno Deploy and Cloudflare Workers. */
import { type Context, Hono } from "hono";
import { type NativeKeys, webCryptoKeys } from "../shared/crypto/native_keys.ts";
import type { RandomBytes } from "../shared/crypto/random.ts";
import { ROUTES } from "../shared/protocol/paths.ts";
import type { EdgeConfig } from "./config.ts";
import { lastAddress } from "./http/address.ts";
import { ENTERING } from "./http/entering.ts";
import type { Endpoint } from "./http/endpoint.ts";
import { Gate } from "./http/gate.ts";
import { Health } from "./http/health.ts";
import { INBOX } from "./http/inbox.ts";
import { openApiDocument } from "./http/openapi.ts";
import { PUSHING } from "./http/pushing.ts";
import { RateLimits } from "./http/rate_limit.ts";
import { READING } from "./http/reading.ts";
import { refusal, respond, respondToPreflight, respondWithJson } from "./http/respond.ts";
import { describeError } from "./report.ts";
import { loadIdentity } from "./session/identity.ts";
import { Logins } from "./session/login.ts";
import type { EdgeStore } from "./store/store.ts";

/** Every endpoint with an owner in its path. */
export const ENDPOINTS: readonly Endpoint[] = [...ENTERING, ...READING, ...PUSHING, ...INBOX];

/** What an edge is made of. */
export interface EdgeParts {
  readonly config: EdgeConfig;
  readonly store: EdgeStore;
  /** Millis since 1970. */
  readonly clock: () => number;
  readonly random: RandomBytes;
  /** What keys work with; WebCrypto by default. */
  readonly keys?: NativeKeys;
  /**
   * The address of the client as the host knows it, given the second argument of {@link Edge.fetch}; null if it does not. Behind a
   * proxy the configured header counts instead.
   */
  readonly clientAddress?: (request: Request, host: unknown) => string | null;
  /** Takes a line about an error of the edge's own. It holds nothing of a request (spec: STORE-01). */
  readonly log?: (line: string) => void;
}

export interface Edge {
  /** Answers a request below the base path of the configured origin. @param host what `clientAddress` is given */
  fetch(request: Request, host?: unknown): Promise<Response>;
  /** Deletes what is past its time, in bounded steps (spec: STORE-03), and forgets keys that may not be kept. */
  sweep(maxSteps?: number): Promise<void>;
}

/** What one call of {@link Edge.sweep} does at the most. */
const MAX_SWEEP_STEPS = 1_000;
/** Between two steps, so that requests do not wait for all of them. */
const SWEEP_PAUSE_MILLIS = 5;

/** Makes an edge. @throws `configuration` when the keys cannot be derived */
export async function createEdge(parts: EdgeParts): Promise<Edge> {
  const { config, store, clock, keys = webCryptoKeys } = parts;
  const identity = await loadIdentity(config, keys);
  const logins = new Logins(identity, store, parts.random, keys);
  const report = (place: string, error: unknown) => parts.log?.(describeError(place, error));
  const gate = new Gate({
    ...{ identity, store, logins, clock, report },
    limits: new RateLimits(config.rates.addressPerMinute, config.rates.ownerPerMinute),
    clientAddress: addressFinder(parts),
  });
  const app = mount(config, gate, new Health(store, (error) => report(ROUTES.health, error)), clock, report);
  return {
    fetch: (request, host) => Promise.resolve(app.fetch(request, host as object)),
    async sweep(maxSteps = MAX_SWEEP_STEPS) {
      logins.forget(clock());
      for (let step = 0; step < maxSteps; step++) {
        const { deleted, more } = await store.sweep(clock());
        if (!more) return;
        if (deleted > 0) await new Promise((resume) => setTimeout(resume, SWEEP_PAUSE_MILLIS));
      }
    },
  };
}

function mount(
  { origin, basePath }: EdgeConfig,
  gate: Gate,
  health: Health,
  clock: () => number,
  report: (place: string, error: unknown) => void,
): Hono {
  const app = new Hono().basePath(basePath === "" ? "/" : basePath);
  for (const endpoint of ENDPOINTS) {
    app.on(endpoint.method, ROUTES[endpoint.route], (context) => gate.serve(endpoint, context));
  }
  app.get(ROUTES.health, async ({ req }) => {
    const now = clock();
    if (!await health.isWell(now)) return respond(req.raw, refusal("storage"));
    return respondWithJson(req.raw, JSON.stringify({ ok: true, time: now }), "no-store");
  });
  let document: string | undefined;
  app.get(ROUTES.openapi, ({ req }) => {
    document ??= openApiDocument(origin, ENDPOINTS);
    return respondWithJson(req.raw, document, "public, max-age=300");
  });
  app.options("*", () => respondToPreflight());
  app.notFound((context) => gate.serveNothing(context, ownerIn(context.req.path, basePath)));
  app.onError((error, { req }) => {
    report("edge", error);
    return respond(req.raw, refusal("storage"));
  });
  return app;
}

/** The owner that a path below `/v1/` names, if it does. */
function ownerIn(path: string, basePath: string): string | undefined {
  const start = `${basePath}/v1/`;
  return path.startsWith(start) ? /^([0-9a-f]{64})\//.exec(path.slice(start.length))?.[1] : undefined;
}

function addressFinder({ config, clientAddress }: EdgeParts): (context: Context) => string | null {
  const { addressHeader } = config;
  if (addressHeader !== null) return ({ req }) => lastAddress(req.raw.headers.get(addressHeader));
  return ({ req, env }) => clientAddress?.(req.raw, env) ?? null;
}
