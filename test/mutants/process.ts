/** One process that runs tests against mutants (child.ts), and ends it when a test takes too long. */
import { TextLineStream } from "./lines.ts";
import { MARK, type Order, type Report } from "./orders.ts";

/** For loading everything on a busy machine. */
const LOADING_MILLIS = 300_000;

/** Why there is no answer: a test took longer than it may, or the process ended by itself. */
export class Ended extends Error {
  readonly isTimeout: boolean;

  constructor(isTimeout: boolean, message: string) {
    super(message);
    this.isTimeout = isTimeout;
  }
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
    if (!this.#isOver) this.#child.kill("SIGKILL");
    this.#isOver = true;
    await this.#child.status;
    await Promise.allSettled([this.#orders.close(), this.#lines.cancel()]);
  }

  async #next(millis: number): Promise<Report> {
    let isTimeout = false;
    const timer = setTimeout(() => {
      isTimeout = true;
      if (!this.#isOver) this.#child.kill("SIGKILL");
      this.#isOver = true;
    }, millis);
    try {
      for (;;) {
        const { value, done } = await this.#lines.read();
        if (done) throw new Ended(isTimeout, isTimeout ? "took too long" : "ended by itself");
        if (value.startsWith(MARK)) return JSON.parse(value.slice(MARK.length)) as Report;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
