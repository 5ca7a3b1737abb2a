/** One process that runs tests against mutants (child.ts), and ends it when a test takes too long. */
import { TextLineStream } from "../tools/lines.ts";
import { MARK, type Order, type Report } from "./orders.ts";

/** For loading everything on a busy machine. */
const LOADING_MILLIS = 60_000;

/** How long, in units of what it may work, a process may wait. On a busy machine that is most of the time. */
const IDLE_TIMES = 10;
/** What Linux counts processor time in. */
const MILLIS_PER_TICK = 10;

/** Why there is no answer: a test took longer than it may, or the process ended by itself. */
export class Ended extends Error {
  readonly isTimeout: boolean;

  constructor(isTimeout: boolean, message: string) {
    super(message);
    this.isTimeout = isTimeout;
  }
}

const running = new Set<TestProcess>();

/** Ends all that run: a test that loops does not notice that nobody waits for it. */
export function endAll(): void {
  for (const process of running) process.kill();
}

export class TestProcess {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #isOver = false;

  /**
   * @param folder the mutated copy of the project
   * @param always the mutant that is on from the beginning; 0 for none
   * @param files the tests to load
   */
  constructor(folder: string, scratch: string, always: number, files: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", "test/mutants/child.ts", String(always), ...files],
      ...{ cwd: folder, stdin: "piped", stdout: "piped", stderr: "null", env: { NO_COLOR: "1", TMPDIR: scratch } },
    }).spawn();
    running.add(this);
    this.#orders = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
  }

  /** Waits until the tests are loaded. @returns the switches met on the way */
  async loaded(): Promise<readonly number[]> {
    const report = await this.#next(LOADING_MILLIS);
    if (report.kind !== "loaded") throw new Error(`expected to be told of loading, not ${report.kind}`);
    return report.met;
  }

  /** Gives an order and yields what is answered; `millisOf` says how long a test may take. @throws {@link Ended} */
  async *give(order: Order, millisOf: (test: string) => number): AsyncGenerator<Report> {
    await this.#orders.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    for (let millis = LOADING_MILLIS;;) {
      const report = await this.#next(millis);
      if (report.kind === "begins") millis = millisOf(report.test);
      yield report;
      if (report.kind === "done") return;
    }
  }

  /** Ends the process. */
  async end(): Promise<void> {
    this.kill();
    await this.#child.status;
    await Promise.allSettled([this.#orders.close(), this.#lines.cancel()]);
  }

  kill(): void {
    running.delete(this);
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself, as a test may make it do.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** The next report, if it comes before the process has worked for `millis`, or done nothing for many times that. */
  async #next(millis: number): Promise<Report> {
    let isTimeout = false;
    const began = this.#worked();
    let patience = IDLE_TIMES;
    const timer = setInterval(() => {
      if (--patience > 0 && !(this.#worked() - began >= millis)) return;
      isTimeout = true;
      this.kill();
    }, millis);
    try {
      for (;;) {
        const { value, done } = await this.#lines.read();
        if (done) throw new Ended(isTimeout, isTimeout ? "took too long" : "ended by itself");
        if (value.startsWith(MARK)) return JSON.parse(value.slice(MARK.length)) as Report;
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Millis of processor time so far; infinite where nobody can say, so that the wall clock decides. */
  #worked(): number {
    try {
      const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
      const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
      return (user + system) * MILLIS_PER_TICK;
    } catch {
      return Infinity;
    }
  }
}
