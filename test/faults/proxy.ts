/** A proxy that counts the requests through it, and at one of them, at one moment of it, does what a fault does. */
import { WireReader } from "./http_wire.ts";

/** Moments of one exchange, in their order. */
const MOMENTS = ["received", "forwarded", "done", "answered"] as const;

/**
 * `received`: the request is here and nowhere else. `forwarded`: its target has it and works. `done`: the target has answered, and
 * the client does not know. `answered`: the client knows.
 */
export type Moment = typeof MOMENTS[number];

/** What becomes of the exchange after the fault: it goes on, its connections are cut, it is held open and silent, or half of the answer comes. */
export type Verdict = "go on" | "cut" | "hold" | "truncate";

export interface Fault {
  /** Which request since {@link FaultProxy.arm}, from 1 on. */
  readonly step: number;
  readonly moment: Moment;
  strike(): Promise<Verdict>;
}

export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  /** Port of this machine that requests go to; 0 while there is none. */
  target = 0;
  #steps = 0;
  #fault: Fault | null = null;
  #hasStruck = false;
  #reset: number | null = null;
  readonly #see: (request: Uint8Array) => void;

  /** @param see is shown every request, whole */
  constructor(see: (request: Uint8Array) => void = () => {}) {
    this.#see = see;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    void this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Requests since the last {@link arm}. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether the fault has come to pass. */
  get hasStruck(): boolean {
    return this.#hasStruck;
  }

  /** Counts from here on, and resets the connection of one request, unread. */
  armReset(step: number): void {
    this.arm(null);
    this.#reset = step;
    // A client would send its next request on a connection that is being read already.
    for (const conn of this.#open) close(conn);
  }

  /** Counts from here on. */
  arm(fault: Fault | null): void {
    this.#steps = 0;
    this.#hasStruck = false;
    this.#fault = fault;
    this.#reset = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) close(conn);
    return Promise.resolve();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) void this.#serve(conn);
  }

  async #serve(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    const requests = new WireReader(client);
    try {
      while (await requests.begins()) {
        // What is left unread makes the kernel answer the end with a reset.
        const step = ++this.#steps;
        if (this.#reset === step) {
          this.#reset = null;
          this.#hasStruck = true;
          return;
        }
        const request = await requests.next("request");
        if (request === null || !await this.#exchange(client, request, step)) return;
      }
    } catch {
      // The client, or the target, has gone away: so does the connection.
    } finally {
      close(client);
      this.#open.delete(client);
    }
  }

  /** One request to its end. @returns whether the connection goes on */
  async #exchange(client: Deno.Conn, request: Uint8Array, step: number): Promise<boolean> {
    this.#see(request);
    let verdict = await this.#reach(step, "received");
    if (verdict === "cut") return false;
    if (verdict === "hold") return await silence(client);
    const target = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    try {
      await writeAll(target, request);
      verdict = await this.#reach(step, "forwarded");
      if (verdict === "cut") return false;
      const answer = await new WireReader(target).next("answer");
      if (answer === null) return false;
      verdict = await this.#reach(step, "done");
      if (verdict === "cut") return false;
      if (verdict === "hold") return await silence(client);
      if (verdict === "truncate") {
        await writeAll(client, answer.subarray(0, Math.floor(answer.length / 2)));
        return false;
      }
      await writeAll(client, answer);
      return await this.#reach(step, "answered") === "go on";
    } finally {
      close(target);
    }
  }

  async #reach(step: number, moment: Moment): Promise<Verdict> {
    const fault = this.#fault;
    if (fault === null || fault.step !== step || fault.moment !== moment) return "go on";
    this.#fault = null;
    this.#hasStruck = true;
    return await fault.strike();
  }
}

/** Until the client gives up. */
async function silence(client: Deno.Conn): Promise<false> {
  await client.read(new Uint8Array(1));
  return false;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}
