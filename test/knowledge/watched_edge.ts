/** The edge as it is run, in a process of its own, with everything kept that it receives, answers, stores and says. */
import { join } from "node:path";
import { concat } from "../../shared/bytes/bytes.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { SETTINGS } from "../../edge/config.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { type EdgeIdentity, newEdgeIdentity } from "../fixtures/edge.ts";
import type { Fetch } from "../fixtures/traffic.ts";
import { captureFiles } from "./capture.ts";
import { Relay } from "./relay.ts";
import type { Captured } from "./scan.ts";

const BASE_PATH = "/postern";

export class WatchedEdge implements AsyncDisposable {
  readonly identity: EdgeIdentity;
  /** Where its database lies, and nothing else. */
  readonly folder: string;
  readonly #relay: Relay;
  readonly #client = Deno.createHttpClient({});
  readonly #said: { readonly stdout: Uint8Array[]; readonly stderr: Uint8Array[] } = { stdout: [], stderr: [] };
  #child: { readonly process: Deno.ChildProcess; readonly reading: Promise<unknown> } | null = null;

  private constructor(relay: Relay, identity: EdgeIdentity, folder: string) {
    this.#relay = relay;
    this.identity = identity;
    this.folder = folder;
  }

  /** An edge that does not run yet, at an address that is known. @param folder does not exist yet */
  static async prepare(folder: string): Promise<WatchedEdge> {
    await Deno.mkdir(folder);
    const relay = new Relay();
    return new WatchedEdge(relay, await newEdgeIdentity(relay.origin + BASE_PATH), folder);
  }

  get file(): string {
    return join(this.folder, "edge.db");
  }

  readonly fetch: Fetch = (url, init) => fetch(url, { ...init, client: this.#client });

  /** @param program with its arguments, if it shall be another one than the edge's own */
  async start(
    owners: readonly Bytes[],
    program: readonly string[] = [`${PROJECT_ROOT}/edge/hosts/deno.ts`],
  ): Promise<void> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", ...program],
      env: {
        [SETTINGS.owners]: owners.map(toHex).join(","),
        [SETTINGS.key]: this.identity.secret,
        [SETTINGS.origin]: this.identity.name.origin,
        [SETTINGS.listen]: "127.0.0.1:0",
        [SETTINGS.databaseUrl]: `file:${this.file}`,
      },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
    const heard = Promise.withResolvers<number>();
    const hear = () => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(textOf(this.#said.stderr))?.[1];
      if (port !== undefined) heard.resolve(Number(port));
    };
    const reading = Promise.all([
      keep(process.stdout, this.#said.stdout, () => {}),
      keep(process.stderr, this.#said.stderr, hear),
    ]).then(() => heard.reject(new Error(`The edge did not start: ${textOf(this.#said.stderr)}`)));
    this.#child = { process, reading };
    this.#relay.target = await heard.promise;
  }

  /** Tells it to end, and waits until it has said everything. */
  async stop(): Promise<void> {
    if (this.#child === null) return;
    const { process, reading } = this.#child;
    this.#child = null;
    this.#relay.target = null;
    process.kill("SIGTERM");
    await process.status;
    await reading.catch(() => {});
  }

  /** What it received, answered and said so far, and the files that it stores in. */
  async captured(): Promise<Captured[]> {
    return [
      ...this.#relay.captured(),
      ...Object.entries(this.#said).map(([name, chunks]) => ({ where: `its ${name}`, bytes: concat(...chunks) })),
      ...await captureFiles(this.folder),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#client.close();
    await this.#relay[Symbol.asyncDispose]();
  }
}

async function keep(stream: ReadableStream<Uint8Array>, kept: Uint8Array[], heard: () => void): Promise<void> {
  for await (const chunk of stream) {
    kept.push(chunk);
    heard();
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  return new TextDecoder().decode(concat(...chunks));
}
