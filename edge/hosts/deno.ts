/** The edge on a machine of its own, with Deno: `deno run -A edge/hosts/deno.ts`, settings in the environment. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { isPosternError } from "../../shared/errors.ts";
import { createEdge } from "../app.ts";
import { type EdgeConfig, readConfig } from "../config.ts";
import { describeError } from "../report.ts";
import { EdgeStore } from "../store/store.ts";

/** An edge that serves. */
export interface ServingEdge {
  /** Where it listens; behind a proxy or with a base path that is not its public origin. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Answers what is under way, then lets go of the port and the database. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Takes lines about errors of the edge's own. */
  readonly log: (line: string) => void;
}

/** How often what is past its time is deleted. */
const SWEEP_MILLIS = 60_000;

/**
 * Starts an edge.
 *
 * @throws `configuration`, `storage` or `network` when the database cannot be opened, `storage` when the port is taken
 */
export async function serveEdge(config: EdgeConfig, { log }: ServeOptions): Promise<ServingEdge> {
  const { databaseUrl, databaseToken, listen } = config;
  const database = await openDatabase(databaseUrl, databaseToken === null ? {} : { authToken: reveal(databaseToken) });
  const store = await EdgeStore.open(database);
  const edge = await createEdge({
    ...{ config, store, clock: Date.now, random: webCryptoRandom, log },
    clientAddress: (_, info) => remoteHost(info),
  });
  const server = Deno.serve(
    { ...listen, onListen: () => {} },
    (request, info) => edge.fetch(request, info),
  );
  const sweep = () => edge.sweep().catch((error: unknown) => log(describeError("sweep", error)));
  const timer = setInterval(sweep, SWEEP_MILLIS);
  Deno.unrefTimer(timer);
  const { hostname, port } = server.addr;
  return {
    address: { hostname, port },
    async stop() {
      clearInterval(timer);
      await server.shutdown();
      await database.close();
    },
  };
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

/** Configuration that is missing or wrong, as sysexits.h has it. */
const EXIT_CONFIGURATION = 78;

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!isPosternError(error)) throw error;
    console.error(`postern edge: ${error.message}`);
    Deno.exit(error.code === "configuration" ? EXIT_CONFIGURATION : 1);
  }
}
