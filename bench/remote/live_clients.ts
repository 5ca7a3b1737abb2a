/**
 * Real devices in a process of their own, mixed into a load: each logs in anew again and again, looks up and verifies, and
 * hands in a message now and then.
 *
 *   deno run -A bench/remote/live_clients.ts SETTINGS.json     prints a LiveResult
 */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import {
  createMemory,
  type DeviceKeys,
  type DeviceProfile,
  importDevice,
  MemoryInProcess,
  PosternDevice,
} from "../../shared/client/mod.ts";
import { decodeState } from "../../shared/client/memory/state.ts";
import { fromBase64Url } from "../../shared/bytes/encoding.ts";
import { isPosternError } from "../../shared/errors.ts";
import type { CanonicalDn } from "../../shared/x509/dn.ts";
import { quantile } from "../harness/stats.ts";

/** What the clients are told. */
export interface LiveSettings {
  readonly seconds: number;
  /** Between two turns of one client. */
  readonly pauseMillis: number;
  /** Of `exportDevice`, and the state right after pairing in base64url. */
  readonly devices: readonly { readonly device: string; readonly state: string }[];
  /** Canonical subjects that the edge holds. */
  readonly subjects: readonly string[];
  /** Where this edge listens, which behind a balancer is not its public origin. */
  readonly address: string;
}

/** Milliseconds of one kind of operation. */
export interface LiveTimes {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

/** What they saw. */
export interface LiveResult {
  readonly logins: LiveTimes;
  readonly lookups: LiveTimes;
  readonly submissions: LiveTimes;
  /** Failed operations by their code. */
  readonly errors: Readonly<Record<string, number>>;
}

const LOOKUPS_PER_LOGIN = 4;
const MESSAGE: Bytes = utf8("From: a@example.org\r\nTo: b@example.org\r\nSubject: Bench\r\n\r\nHello\r\n");
const KINDS = ["logins", "lookups", "submissions"] as const;

type Kind = (typeof KINDS)[number];

class Clients {
  readonly #settings: LiveSettings;
  readonly #times: Record<Kind, number[]> = { logins: [], lookups: [], submissions: [] };
  readonly #errors: Record<string, number> = {};

  constructor(settings: LiveSettings) {
    this.#settings = settings;
  }

  async run(): Promise<LiveResult> {
    const { seconds, devices } = this.#settings;
    const end = performance.now() + 1000 * seconds;
    await Promise.all(devices.map((texts) => this.#live(texts, end)));
    const of = (kind: Kind): LiveTimes => {
      const sorted = Float64Array.from(this.#times[kind]).sort();
      return { count: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
    };
    return { logins: of("logins"), lookups: of("lookups"), submissions: of("submissions"), errors: this.#errors };
  }

  async #live(texts: LiveSettings["devices"][number], end: number): Promise<void> {
    const { profile, keys } = await importDevice(new Redacted(texts.device));
    const memory = new MemoryInProcess();
    await createMemory(memory, decodeState(fromBase64Url(texts.state)));
    while (performance.now() < end) {
      await this.#turn(profile, keys, memory);
      await new Promise((resume) => setTimeout(resume, this.#settings.pauseMillis));
    }
  }

  /** A new client each time: it has to log in. */
  async #turn(profile: DeviceProfile, keys: DeviceKeys, memory: MemoryInProcess): Promise<void> {
    const device = new PosternDevice({ profile, keys, memory, surroundings: this.#surroundings() });
    await this.#time("logins", () => device.login());
    for (let i = 0; i < LOOKUPS_PER_LOGIN; i++) {
      await this.#time("lookups", async () => {
        const { found: { length } } = await device.certificates.byCanonicalSubject(this.#anySubject());
        if (length !== 1) throw new Error(`a subject has ${length} certificates`);
      });
    }
    await this.#time("submissions", async () => {
      const { delivered, waitingFor } = await device.submit.message({ channel: "bench", raw: MESSAGE });
      if (!delivered) throw new Error(`not delivered, waiting for ${waitingFor}`);
    });
  }

  async #time(kind: Kind, run: () => Promise<unknown>): Promise<void> {
    const started = performance.now();
    try {
      await run();
      this.#times[kind].push(performance.now() - started);
    } catch (error) {
      const what = `${kind}: ${isPosternError(error) ? error.code : error}`;
      this.#errors[what] = (this.#errors[what] ?? 0) + 1;
    }
  }

  #anySubject(): CanonicalDn {
    const { subjects } = this.#settings;
    return subjects[Math.floor(Math.random() * subjects.length)] as CanonicalDn;
  }

  /** The public origin is for signatures; what is sent goes to the edge that is measured. */
  #surroundings() {
    const { address } = this.#settings;
    return {
      fetch: (url: string, init: RequestInit) => {
        const { pathname, search } = new URL(url);
        return fetch(address + pathname + search, init);
      },
      now: () => Date.now(),
      monotonic: () => performance.now(),
      random: (length: number): Bytes => webCryptoRandom(length),
      // A failure shall be seen, not tried again.
      wait: (millis: number) => Promise.reject(new Error(`the client had to wait ${millis} ms and try again`)),
    };
  }
}

if (import.meta.main) {
  const settings = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")) as LiveSettings;
  console.log(JSON.stringify(await new Clients(settings).run()));
}
