/** The edge on a machine of its own, with Deno: `deno run -A edge/hosts/deno.ts`, settings in the environment. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { createEdge } from "../app.ts";
import { type EdgeConfig, readConfig, SETTINGS } from "../config.ts";
import { describeError } from "../report.ts";
import { EdgeStore } from "../store/store.ts";
import { nodeKeys } from "./node_keys.ts";

/** An edge that serves. */
export interface ServingEdge {
  /** Where it listens; behind a proxy or with a base path that is not its public origin. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Answers what is under way, for a few seconds at the most, then lets go of the port and the database. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Takes lines about errors of the edge's own. */
  readonly log: (line: string) => void;
  /** Millis since 1970; the system's clock by default. */
  readonly clock?: () => number;
}

/** How often what is past its time is deleted. */
const SWEEP_MILLIS = 60_000;
/** How long requests under way may take once the edge is told to stop. */
const STOP_MILLIS = 5_000;

/**
 * Starts an edge.
 *
 * @throws `configuration` when the port is taken or the settings do not fit; `storage`, `network` or `wrong_key` when the database
 * cannot be opened
 */
export async function serveEdge(config: EdgeConfig, { log, clock = Date.now }: ServeOptions): Promise<ServingEdge> {
  const database = await openConfigured(config);
  try {
    const store = await EdgeStore.open(database, config);
    const edge = await createEdge({
      ...{ config, store, clock, random: webCryptoRandom, keys: nodeKeys, log },
      clientAddress: (_, info) => remoteHost(info),
    });
    const server = listen(config, {
      handle: (request, info) => edge.fetch(request, info),
      fail: (error) => log(describeError("serve", error)),
    });
    const sweep = () => edge.sweep().catch((error: unknown) => log(describeError("sweep", error)));
    const timer = setInterval(sweep, SWEEP_MILLIS);
    Deno.unrefTimer(timer);
    const { hostname, port } = server.addr;
    return {
      address: { hostname, port },
      async stop() {
        clearInterval(timer);
        await atMost(STOP_MILLIS, server.shutdown());
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Handlers {
  readonly handle: (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Promise<Response>;
  /** Takes note of an error that no answer could be made of. */
  readonly fail: (error: unknown) => void;
}

/** A client that sends without end, whatever it is answered, must not keep the edge from stopping. */
async function atMost(millis: number, done: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const impatience = new Promise<void>((resolve) => timer = setTimeout(resolve, millis));
  await Promise.race([done, impatience]);
  clearTimeout(timer);
}

function listen(config: EdgeConfig, { handle, fail }: Handlers): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = config.listen;
  const onError = (error: unknown) => {
    fail(error);
    return new Response(null, { status: 503 });
  };
  try {
    return Deno.serve({ hostname, port, onError, onListen: () => {} }, handle);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse) && !(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    const found = cause instanceof Deno.errors.AddrInUse ? "is taken by another program" : "is not allowed";
    throw new PosternError(
      "configuration",
      `${hostname}:${port} ${found}: set ${SETTINGS.listen} to another HOST:PORT, or stop what uses it.`,
      { cause },
    );
  }
}

async function openConfigured({ databaseUrl, databaseToken }: EdgeConfig): Promise<Database> {
  if (databaseToken !== null) return await openDatabase(databaseUrl, { authToken: reveal(databaseToken) });
  const path = /^file:(?:\/\/(?=\/))?(.+)$/.exec(databaseUrl)?.[1];
  return await openDatabase(databaseUrl, path === undefined ? {} : { fileIdentity: () => identityOf(path) });
}

/** Tells a file from another one that was put in its place. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function remoteHost(info: unknown): string | null {
  const { remoteAddr } = info as Deno.ServeHandlerInfo<Deno.NetAddr>;
  return remoteAddr.hostname;
}

async function main(): Promise<void> {
  const log = (line: string) => console.error(line);
  const config = readConfig(Deno.env.toObject());
  const edge = await serveEdge(config, { log });
  const { hostname, port } = edge.address;
  log(`postern edge: listening on ${hostname}:${port} for ${config.origin}, ${config.owners.length} owner(s)`);
  const stop = () => void edge.stop().then(() => Deno.exit(0));
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
}

/** Exit codes, as sysexits.h has them: a service is started again for some and not for others. */
const EXITS: Partial<Record<ErrorCode, number>> = { network: 69, storage: 74, wrong_key: 77, configuration: 78 };

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!isPosternError(error)) throw error;
    console.error(`postern edge: ${error.message}`);
    Deno.exit(EXITS[error.code] ?? 1);
  }
}
