/** A folder in which a publisher's scripts run in this process, with a clock of its own. */
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { type Describe, runScript } from "../../../scripts/publisher/script.ts";
import { describeBuildRelease } from "../../../scripts/publisher/build_release.ts";
import { describeEncryptManifest } from "../../../scripts/publisher/encrypt_manifest.ts";
import { describeGenerateManifest } from "../../../scripts/publisher/generate_manifest.ts";
import { describeInstance } from "../../../scripts/publisher/instance.ts";
import { describePublisherCa } from "../../../scripts/publisher/publisher_ca.ts";
import { describePublishRelease } from "../../../scripts/publisher/publish_release.ts";
import { describeSignManifest } from "../../../scripts/publisher/sign_manifest.ts";
import type { ScriptSurroundings } from "../../../scripts/publisher/surroundings.ts";
import { describeVerifyManifest } from "../../../scripts/publisher/verify_manifest.ts";

const SCRIPTS: Readonly<Record<string, Describe>> = {
  build_release: describeBuildRelease,
  generate_manifest: describeGenerateManifest,
  encrypt_manifest: describeEncryptManifest,
  instance: describeInstance,
  publisher_ca: describePublisherCa,
  publish_release: describePublishRelease,
  sign_manifest: describeSignManifest,
  verify_manifest: describeVerifyManifest,
};

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** Of `--json`. */
  readonly json: {
    readonly ok: boolean;
    readonly error?: { readonly code: string; readonly message: string };
    readonly [name: string]: unknown;
  };
}

export class Workshop implements AsyncDisposable {
  readonly path: string;
  now = Date.UTC(2026, 5, 15, 12);
  env: Readonly<Record<string, string>> = {};
  /** What scripts waited, in milliseconds; no time passes but on the workshop's own clock. */
  readonly slept: number[] = [];
  /** How long scripts really wait for an answer, in milliseconds, whatever they would; as long as they would if null. */
  patience: number | null = null;
  /** What requests wait for before they are sent. */
  gate: () => Promise<void> = () => Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Workshop> {
    return new Workshop(await Deno.makeTempDir({ prefix: "postern-publisher-" }));
  }

  surroundings(out: (text: string) => void = () => {}, err: (text: string) => void = () => {}): ScriptSurroundings {
    return {
      ...{ cwd: this.path, out, err, readInput: () => Promise.resolve(new Uint8Array(0)) },
      ...{ now: () => this.now, random: webCryptoRandom, uid: Deno.uid(), isTerminal: false },
      pid: Deno.pid,
      env: (name) => this.env[name],
      fetch: async (input, init) => {
        await this.gate();
        return await fetch(input, init);
      },
      timeout: (millis) => AbortSignal.timeout(this.patience ?? millis),
      sleep: (millis) => {
        this.slept.push(millis);
        this.now += millis;
        return Promise.resolve();
      },
    };
  }

  /** Runs a script with `--json`; words are parted by one space. */
  async run(line: string): Promise<Ran> {
    let out = "";
    let err = "";
    const s = this.surroundings((text) => void (out += text), (text) => void (err += text));
    const [name = "", ...args] = line.split(" ");
    const describe = SCRIPTS[name];
    if (describe === undefined) throw new Error(`no script ${name}`);
    const exit = await runScript(name, describe, [...args, "--json"], s);
    return { exit, out, err, json: out.startsWith("{") ? JSON.parse(out) : { ok: false } };
  }

  /** Runs and expects success. */
  async ok(line: string): Promise<Ran> {
    const ran = await this.run(line);
    if (ran.exit !== 0 || !ran.json.ok) throw new Error(`${line}: ${ran.out}${ran.err}`);
    return ran;
  }

  /** Runs and expects a failure; returns the error's code. */
  async code(line: string): Promise<string | undefined> {
    const ran = await this.run(line);
    if (ran.exit === 0 || ran.json.ok) throw new Error(`${line}: succeeded, and should not have`);
    return ran.json.error?.code;
  }

  async write(name: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${this.path}/${name}`, bytes, { mode });
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await Deno.readFile(`${this.path}/${name}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
