/** The command line in this process: an owner's folder, a real edge, a clock that the test sets, and what was printed. */
import { join } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { runtimeSurroundings } from "../../../shared/client/surroundings.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { PosternError } from "../../../shared/errors.ts";
import { asking } from "../../../manager/cli/asking.ts";
import { runCli } from "../../../manager/cli/program.ts";
import type { Asking, CliSurroundings } from "../../../manager/cli/surroundings.ts";
import { writeEdgeKey } from "../../../manager/cli/texts/edge_key.ts";
import { assert, assertEquals } from "../../assert.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { type EdgeIdentity, newEdgeIdentity, TestEdge } from "../../fixtures/edge.ts";

/** What a run printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly input?: Bytes;
  readonly env?: Readonly<Record<string, string>>;
  readonly ask?: Asking;
  readonly stop?: AbortSignal;
  /** Of the terminal that standard output is to be; a file if absent. */
  readonly columns?: number;
  /** How far this machine's wall clock is off, Millis. */
  readonly offMillis?: number;
  /** How long waiting takes, Millis, whatever was asked for; no time at all if absent. */
  readonly waitMillis?: number;
  /** The network, in the place of the edge alone. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** A folder in which one owner works. */
export class CliWorld implements AsyncDisposable {
  readonly folder: string;
  readonly clock = new TestClock();
  readonly identity: EdgeIdentity;
  #edge: TestEdge | null = null;
  #owner: Bytes = new Uint8Array(32);

  private constructor(folder: string, identity: EdgeIdentity) {
    this.folder = folder;
    this.identity = identity;
  }

  /** An empty folder and an edge's key; nothing else yet. */
  static async empty(): Promise<CliWorld> {
    return new CliWorld(await Deno.makeTempDir({ prefix: "postern-cli-" }), await newEdgeIdentity());
  }

  /** With an owner, made by `postern init` with a key file, and an edge that admits it. */
  static async ready(): Promise<CliWorld> {
    const world = await CliWorld.empty();
    await world.init();
    return world;
  }

  get manager(): string {
    return join(this.folder, "manager");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  get edgeArgs(): string[] {
    return ["--edge-url", this.identity.name.origin, "--edge-key", writeEdgeKey(this.identity.name.key)];
  }

  async init(): Promise<void> {
    const args = ["init", ...this.edgeArgs, "--key-file", "kek.key", "--recovery-file", "recovery.txt"];
    const { owner } = await this.json(...args) as { owner: string };
    this.#owner = fromHex(owner);
    await this.replaceEdge("edge.db");
  }

  /** Puts an edge with the same key, and an empty database of this name, in the place of the one before. */
  async replaceEdge(name: string): Promise<void> {
    await this.#edge?.[Symbol.asyncDispose]();
    this.#edge = await TestEdge.open(this.identity, [this.#owner], this.path(name), this.clock);
  }

  get edge(): TestEdge {
    assert(this.#edge !== null, "this world has no edge yet");
    return this.#edge;
  }

  /** Runs a command line. */
  async run(args: readonly string[], options: CliOptions = {}): Promise<Ran> {
    const printed = { out: "", err: "" };
    const env: Record<string, string> = { POSTERN_DATA: this.manager, ...options.env };
    const { clock } = this;
    const { offMillis = 0, waitMillis } = options;
    const network = {
      ...surroundingsOf({
        clock,
        offMillis,
        fetch: options.fetch ??
          ((url, init) => this.#edge?.fetch(url, init) ?? Promise.reject(new TypeError("No edge"))),
      }),
      ...(waitMillis === undefined ? {} : {
        wait: (_millis: number, signal?: AbortSignal) => runtimeSurroundings().wait(waitMillis, signal),
      }),
    };
    const surroundings: CliSurroundings = {
      env: (name) => env[name],
      cwd: this.folder,
      out: (text) => void (printed.out += text),
      err: (text) => void (printed.err += text),
      readInput: (maxBytes) => {
        const input = options.input ?? new Uint8Array(0);
        if (input.length > maxBytes) return Promise.reject(new PosternError("too_large", "too much input"));
        return Promise.resolve(input);
      },
      isTerminal: { out: options.columns !== undefined, err: false },
      columns: () => options.columns ?? null,
      ask: options.ask ?? asking(null),
      now: network.now,
      random: webCryptoRandom,
      uid: Deno.uid(),
      pid: Deno.pid,
      network,
      stop: options.stop ?? new AbortController().signal,
    };
    const code = await runCli(args, surroundings);
    return { code, ...printed };
  }

  /** Runs what must succeed, with `--json`, and returns the one JSON value that it printed. */
  async json(...args: string[]): Promise<unknown> {
    return await this.jsonWith(args, {});
  }

  async jsonWith(args: readonly string[], options: CliOptions): Promise<unknown> {
    const { code, out, err } = await this.run([...args, "--json"], options);
    assertEquals(code, 0, `postern ${args.join(" ")} failed: ${err}${out}`);
    assertEquals(out.trimEnd().split("\n").length, 1, "one line of JSON");
    return JSON.parse(out);
  }

  /** Runs what must succeed and returns what it printed for people. */
  async text(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    assertEquals(code, 0, `postern ${args.join(" ")} failed: ${err}`);
    return out;
  }

  /** Runs what must fail with this exit code; returns what it said on standard error. */
  async fails(code: number, args: readonly string[], options: CliOptions = {}): Promise<string> {
    const ran = await this.run(args, options);
    assertEquals(ran.code, code, `postern ${args.join(" ")} ended with ${ran.code}: ${ran.err}${ran.out}`);
    assertEquals(ran.out, "", "nothing on standard output");
    assert(ran.err.startsWith("postern: "), ran.err);
    assert(!/\n\s+at /.test(ran.err), "no stack trace");
    return ran.err;
  }

  async write(name: string, content: string | Bytes, mode = 0o600): Promise<string> {
    await Deno.writeFile(this.path(name), typeof content === "string" ? utf8(content) : content, { mode });
    return this.path(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Answers questions as given; a question that is not foreseen fails. */
export function answers(given: { passphrase?: string; confirm?: boolean; choose?: string }): Asking {
  const terminal = asking(null);
  const { passphrase, confirm, choose } = given;
  const secret = async (question: string, instead: string) => {
    if (passphrase === undefined) return await terminal.passphrase(question, instead);
    return (await import("../../../manager/keys/passphrase.ts")).passphraseOf(passphrase);
  };
  return {
    passphrase: secret,
    newPassphrase: secret,
    confirm: (question, instead) =>
      confirm === undefined ? terminal.confirm(question, instead) : Promise.resolve(confirm),
    choose: (question, choices, instead) => {
      const found = choices.find(({ value }) => value === choose);
      return found === undefined ? terminal.choose(question, choices, instead) : Promise.resolve(found.value);
    },
  };
}
