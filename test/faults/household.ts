/**
 * One owner's whole set-up under faults: a folder, the edge as a process on a file or on sqld, proxies in front of both, a device, and
 * the account of what was handed in, which everything is compared with after each fault.
 */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import {
  acceptGrant,
  createDeviceKeys,
  createMemory,
  MemoryInProcess,
  pairingRequest,
  PosternDevice,
  runtimeSurroundings,
} from "../../shared/client/mod.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { asking } from "../../manager/cli/asking.ts";
import { runCli } from "../../manager/cli/program.ts";
import { writeEdgeKey } from "../../manager/cli/texts/edge_key.ts";
import { assert, assertEquals } from "../assert.ts";
import { type EdgeIdentity, newEdgeIdentity } from "../fixtures/edge.ts";
import { type Sqld, start as startSqld } from "../tools/sqld.ts";
import { type Account, newAccount, newCertificate, newMail } from "./account.ts";
import { HeadBook } from "./head_book.ts";
import { freePort, runManager, type Running, startEdge } from "./processes.ts";
import { FaultProxy } from "./proxy.ts";

/** Where the edge keeps its rows. */
export type EdgeDatabase = "file" | "sqld";

/** What a command line in this process printed. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a command line in this process is surrounded. */
export interface RunOptions {
  readonly input?: Bytes;
  /** How far the machine's clock is off, Millis. */
  readonly offMillis?: number;
  /** How long an edge may take for one answer, Millis. */
  readonly patienceMillis?: number;
}

/** Turns after which a household must be well again. */
const MOST_TURNS = 2;

export class Household implements AsyncDisposable {
  readonly folder: string;
  readonly heads = new HeadBook();
  readonly account: Account = newAccount();
  /** Between manager or device and edge. */
  readonly front: FaultProxy;
  /** Between edge and sqld. */
  readonly back = new FaultProxy();
  readonly #identity: EdgeIdentity;
  readonly #sqld: Sqld | null;
  #owner = "";
  #edge: Running | null = null;
  #device: PosternDevice | null = null;

  private constructor(folder: string, identity: EdgeIdentity, front: FaultProxy, sqld: Sqld | null) {
    this.folder = folder;
    this.#identity = identity;
    this.front = front;
    this.#sqld = sqld;
  }

  /** Set up, paired, pushed, and read by the device. @param furnish does something to the empty folder first */
  static async open(database: EdgeDatabase, furnish?: (folder: string) => Promise<void>): Promise<Household> {
    const folder = await Deno.makeTempDir({ prefix: "postern-faults-" });
    await Deno.mkdir(join(folder, "edge"));
    await furnish?.(folder);
    const front = new FaultProxy((request) => household.heads.see(request));
    const sqld = database === "sqld" ? await startSqld() : null;
    const household: Household = new Household(folder, await newEdgeIdentity(front.url), front, sqld);
    if (sqld !== null) household.back.target = Number(new URL(sqld.url).port);
    await household.#setUp();
    return household;
  }

  get manager(): string {
    return join(this.folder, "manager");
  }

  get device(): PosternDevice {
    assert(this.#device !== null, "this household has no device yet");
    return this.#device;
  }

  /** Tells a process of which write it dies; see `kill_at_write.ts`. */
  armFile(who: "manager" | "edge"): string {
    return join(this.folder, `${who}.fault`);
  }

  /** `postern ARGS` as a process of its own. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return runManager(args, { POSTERN_DATA: this.manager, FAULT_AT_WRITE: this.armFile("manager"), ...env });
  }

  /** `postern ARGS` in this process, on the same folder. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { offMillis = 0, patienceMillis, input = new Uint8Array(0) } = options;
    const printed = { out: "", err: "" };
    const network = {
      ...runtimeSurroundings(),
      now: () => Date.now() + offMillis,
      ...(patienceMillis === undefined ? {} : { exchangeMillis: patienceMillis }),
    };
    const code = await runCli([...args, "--json"], {
      env: (name) => name === "POSTERN_DATA" ? this.manager : undefined,
      cwd: this.folder,
      out: (text) => void (printed.out += text),
      err: (text) => void (printed.err += text),
      readInput: () => Promise.resolve(input),
      isTerminal: { out: false, err: false },
      columns: () => null,
      ask: asking(null),
      now: network.now,
      random: webCryptoRandom,
      uid: Deno.uid(),
      pid: Deno.pid,
      network,
      stop: new AbortController().signal,
    });
    return { code, ...printed };
  }

  /** Runs what must succeed, and returns its JSON. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const { code, out, err } = await this.run(args, options);
    assertEquals(code, 0, `postern ${args.join(" ")}: ${err}`);
    return JSON.parse(out) as T;
  }

  /** The owner adds a mail. */
  async importMail(padding = 0): Promise<void> {
    const path = join(this.folder, "mail.eml");
    await Deno.writeFile(path, newMail(padding));
    await this.json(["message", "import", path]);
    this.account.imported++;
  }

  /** The device hands in a certificate, a message and a ping. */
  async handIn(): Promise<void> {
    const { device, account } = this;
    await device.submit.certificate(await newCertificate(), "seen");
    account.certificates++;
    await device.submit.message({ channel: "sent", raw: newMail() });
    account.outgoing++;
    await device.submit.ping();
  }

  async killEdge(): Promise<void> {
    await this.#edge?.kill();
    this.#edge = null;
  }

  /** Starts the edge again on what it has, if it does not run. */
  async ensureEdge(env: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#edge !== null) return;
    const port = freePort();
    this.#edge = await startEdge({
      POSTERN_OWNERS: this.#owner,
      POSTERN_EDGE_KEY: this.#identity.secret,
      POSTERN_ORIGIN: this.front.url,
      POSTERN_DATABASE_URL: this.#sqld === null ? `file:${join(this.folder, "edge", "edge.db")}` : this.back.url,
      POSTERN_LISTEN: `127.0.0.1:${port}`,
      POSTERN_RATE_ADDRESS: "off",
      POSTERN_RATE_OWNER: "off",
      FAULT_AT_WRITE: this.armFile("edge"),
      ...env,
    });
    this.front.target = port;
  }

  /** Resolves when the edge has ended by itself. */
  async edgeEnded(): Promise<void> {
    await this.#edge?.ended;
    this.#edge = null;
  }

  async killSqld(): Promise<void> {
    await this.#sqld?.kill();
  }

  async restartSqld(): Promise<void> {
    await this.#sqld?.restart();
  }

  /** No fault is to come any more, and everything runs. */
  async calm(): Promise<void> {
    this.front.arm(null);
    this.back.arm(null);
    await this.ensureEdge();
  }

  /** A turn succeeds, or the one after it. */
  async requireTurn(what: string): Promise<void> {
    let last = await this.run(["sync"]);
    for (let turns = 1; last.code !== 0 && turns < MOST_TURNS; turns++) last = await this.run(["sync"]);
    assertEquals(last.code, 0, `${what}: sync does not recover: ${last.err}`);
  }

  /** After a fault, with everything started again: a turn or two, and all is as if nothing had happened. */
  async requireRecovered(what: string): Promise<void> {
    await this.calm();
    await this.requireTurn(what);
    const verified = await this.run(["verify"]);
    assertEquals(verified.code, 0, `${what}: ${verified.err}`);
    assertEquals(this.heads.contradicted, [], `${what}: generations of which two heads were signed`);
    await this.#requireAccount(what);
    await this.#requireDevice(what);
  }

  async #requireAccount(what: string): Promise<void> {
    const { imported, certificates, outgoing } = this.account;
    const status = await this.json<{
      certificates: { usable: number; waiting: number };
      messages: number;
      outgoing: Record<string, number>;
      alarms: number;
      openPush: boolean;
      committed: boolean;
    }>(["status"]);
    const found = {
      certificates: status.certificates.usable + status.certificates.waiting,
      messages: status.messages,
      outgoing: Object.values(status.outgoing).reduce((sum, count) => sum + count, 0),
      ...{ alarms: status.alarms, openPush: status.openPush, committed: status.committed },
    };
    const expected = {
      ...{ certificates, messages: imported + outgoing, outgoing },
      ...{ alarms: 0, openPush: false, committed: true },
    };
    assertEquals(found, expected, `${what}: the manager's account`);
  }

  async #requireDevice(what: string): Promise<void> {
    const { devices, imported, certificates, outgoing } = this.account;
    await this.device.head();
    const { contents } = await this.device.verifyAll();
    const found = [contents.devices, contents.certificates, contents.messages];
    assertEquals(found, [devices, certificates, imported + outgoing], `${what}: what the device reads`);
    await this.device.submit.flush();
    assertEquals((await this.device.submit.status()).pending.length, 0, `${what}: submissions not acknowledged`);
  }

  async #setUp(): Promise<void> {
    const key = writeEdgeKey(this.#identity.name.key);
    const files = ["--key-file", "kek.key", "--recovery-file", "recovery.txt"];
    this.#owner =
      (await this.json<{ owner: string }>(["init", "--edge-url", this.front.url, "--edge-key", key, ...files]))
        .owner;
    await this.ensureEdge();
    const { profile, keys, state } = await this.pair("laptop");
    const memory = new MemoryInProcess();
    await createMemory(memory, state);
    this.#device = new PosternDevice({ profile, keys, memory });
    // Large enough to come in parts, and to fill more than one chunk.
    await this.importMail(1_200_000);
    await this.requireRecovered("set up");
  }

  /** Pairs a device, and makes its keys; the next turn tells the edge. */
  async pair(name: string) {
    const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);
    const request = await pairingRequest(keys, name, webCryptoRandom);
    const { grant, checkCode } = await this.json<{ grant: string; checkCode: string }>(
      ["device", "add", "--request", "-"],
      { input: utf8(request) },
    );
    await this.json(["device", "confirm", name, "--code", checkCode]);
    this.account.devices++;
    const { profile, state } = await acceptGrant(keys, request, grant);
    return { profile, keys, state };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killEdge();
    await this.#sqld?.stop();
    await this.front[Symbol.asyncDispose]();
    await this.back[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
