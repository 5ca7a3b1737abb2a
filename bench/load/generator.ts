/**
 * The load generator: a process of its own that sends prepared requests over keep-alive connections, one after another on
 * each, and measures. Nothing is signed, parsed or verified here beyond status and length: that is done before and after.
 *
 *   deno run -A bench/load/generator.ts PLAN.json     prints a LoadResult
 */
import { toBase64 } from "../../shared/bytes/encoding.ts";
import { cpuSeconds, residentMib } from "../harness/processes.ts";
import { quantile } from "../harness/stats.ts";
import { type Answer, AnswerReader } from "./answer.ts";
import type { LoadPlan, LoadResult, Sample, Third } from "./plan.ts";
import { decodeRequests } from "./request_file.ts";

const MAX_RECONNECTS = 100;

class Run {
  readonly #plan: LoadPlan;
  readonly #requests: readonly Uint8Array[];
  /** Of each answer that counts: when it was complete, and how long it took, milliseconds. */
  readonly #times: number[] = [];
  readonly #latencies: number[] = [];
  readonly #errors: Record<string, number> = {};
  readonly #samples: Sample[] = [];
  readonly #over = Promise.withResolvers<void>();
  #next = 0;
  #seen = 0;
  #isCounting = false;
  #isOver = false;
  #isExhausted = false;

  constructor(plan: LoadPlan, requests: readonly Uint8Array[]) {
    this.#plan = plan;
    this.#requests = requests;
  }

  async measure(): Promise<LoadResult> {
    const { connections, warmSeconds, seconds, serverProcesses } = this.#plan;
    const own = [Deno.pid];
    const all = Promise.all(Array.from({ length: connections }, () => this.#connection()));
    await this.#pause(warmSeconds);
    const before = { server: cpuSeconds(serverProcesses), own: cpuSeconds(own), at: performance.now() };
    this.#isCounting = true;
    await this.#pause(seconds);
    this.#isCounting = false;
    const measured = (performance.now() - before.at) / 1000;
    const serverCpuSeconds = cpuSeconds(serverProcesses) - before.server;
    const generatorCpuSeconds = cpuSeconds(own) - before.own;
    const serverMib = residentMib(serverProcesses);
    this.#isOver = true;
    await all;
    const sorted = Float64Array.from(this.#latencies).sort();
    const third = (number: number) => this.#between(before.at, 1000 * measured / 3, number);
    return {
      ...{ answers: sorted.length, seconds: measured, perSecond: sorted.length / measured },
      ...{ p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), slowest: quantile(sorted, 1) },
      thirds: [third(0), third(1), third(2)],
      ...{ errors: this.#errors, serverCpuSeconds, generatorCpuSeconds, serverMib },
      ...{ samples: this.#samples, isExhausted: this.#isExhausted },
    };
  }

  /** Latencies of one of several stretches of the same length that follow each other. */
  #between(start: number, millis: number, number: number): Third {
    const from = start + number * millis;
    const sorted = Float64Array.from(
      this.#latencies.filter((_, i) => {
        const time = this.#times[i] ?? 0;
        return time >= from && time < from + millis;
      }),
    ).sort();
    return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
  }

  /** Waits, but not beyond the end of the requests. */
  async #pause(seconds: number): Promise<void> {
    const time = Promise.withResolvers<void>();
    const timer = setTimeout(time.resolve, 1000 * seconds);
    await Promise.race([time.promise, this.#over.promise]);
    clearTimeout(timer);
  }

  /** Sends over one connection until the run is over; opens it again when it breaks. */
  async #connection(): Promise<void> {
    for (let opened = 0; !this.#isOver && opened < MAX_RECONNECTS; opened++) {
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#plan.port });
        connection.setNoDelay(true);
        await this.#exchange(connection);
      } catch (error) {
        this.#count(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async #exchange(connection: Deno.TcpConn): Promise<void> {
    const reader = new AnswerReader();
    while (!this.#isOver) {
      const number = this.#take();
      const request = number === null ? undefined : this.#requests[number];
      if (number === null || request === undefined) return;
      const started = performance.now();
      for (let sent = 0; sent < request.length;) sent += await connection.write(request.subarray(sent));
      let answer: Answer | null = null;
      while (answer === null) {
        const count = await connection.read(reader.free);
        if (count === null) throw new Error("the server closed the connection");
        answer = reader.push(count);
      }
      this.#note(number, answer, started);
    }
  }

  /** The number of the next request; null when there are no more. */
  #take(): number | null {
    if (this.#next === this.#requests.length) {
      if (!this.#plan.isRepeating) {
        this.#isExhausted = true;
        this.#isOver = true;
        this.#over.resolve();
        return null;
      }
      this.#next = 0;
    }
    return this.#next++;
  }

  #note(request: number, answer: Answer, started: number): void {
    const { status } = answer;
    if (status !== 200) this.#count(`status ${status}`);
    else if (this.#isCounting) {
      const now = performance.now();
      this.#times.push(now);
      this.#latencies.push(now - started);
    }
    if (this.#seen++ % this.#plan.sampleEvery !== 0) return;
    this.#samples.push({ request, status, head: answer.head, body: toBase64(answer.body) });
  }

  #count(what: string): void {
    this.#errors[what] = (this.#errors[what] ?? 0) + 1;
  }
}

if (import.meta.main) {
  const plan = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")) as LoadPlan;
  const run = new Run(plan, decodeRequests(await Deno.readFile(plan.requests)));
  console.log(JSON.stringify(await run.measure()));
}
