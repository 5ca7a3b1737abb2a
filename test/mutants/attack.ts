/** Sets tests on mutants. */
import type { Baseline, MeasuredTest, Order } from "./baseline.ts";
import type { NumberedMutant } from "./copy.ts";
import { Ended, TestProcess } from "./process.ts";
import type { Fate } from "./results.ts";

/** A mutant that takes a test this many times as long as without it does not end. */
const TIMES_AS_LONG = 25;
/** In a process of its own this many times more, where it decides. */
const LONGER_ALONE = 3;
/** But never less than this: the machine does other things too. */
const LEAST_MILLIS = 2_000;
/** What leaks in a process where a thousand tests failed. */
const MOST_MEGABYTES = 1_500;

type End = Pick<Fate, "end" | "by">;

/** What became of one round: `unclear` asks for a process of its own. */
type Round = End | { readonly end: "unclear"; readonly by: string };

/** How much is done to end a mutant. */
export interface Thoroughness {
  /** Whether what survives among others is tried once more in a process of its own (README.md). */
  readonly triesAlone: boolean;
  /** Tests are tried until those tried take this long without a mutant; at least one is. */
  readonly millis: number;
}

export class Attacker {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #baseline: Baseline;
  readonly #order: Order;
  readonly #millis: ReadonlyMap<string, number>;
  readonly #thoroughness: Thoroughness;
  #process: TestProcess | null = null;
  #loaded = "";

  constructor(folder: string, scratch: string, baseline: Baseline, order: Order, thoroughness: Thoroughness) {
    this.#folder = folder;
    this.#scratch = scratch;
    this.#thoroughness = thoroughness;
    this.#baseline = baseline;
    this.#order = order;
    this.#millis = new Map(baseline.tests.map(({ test, millis }) => [test, millis]));
  }

  /** @param isOfTarget whether a test file is one that must notice */
  async judge(mutant: NumberedMutant, isOfTarget: (file: string) => boolean): Promise<End> {
    const ofTarget = this.#baseline.tests.filter(({ file }) => isOfTarget(file));
    const isMetAtLoad = this.#baseline.metAtLoad.has(mutant.number);
    const meeting = ofTarget.filter(({ met }) => met.has(mutant.number));
    let alone = this.#choose(isMetAtLoad ? ofTarget : meeting, mutant);
    if (alone.length === 0) return { end: "unreached" };
    if (meeting.length > 0) {
      const files = [...new Set(ofTarget.map(({ file }) => file))];
      const round = await this.#together(mutant.number, this.#choose(meeting, mutant), files);
      if (round.end === "died") return this.#died(mutant, round);
      if (round.end === "survived" && !isMetAtLoad && !this.#thoroughness.triesAlone) return round;
      if (round.end !== "survived") {
        alone = alone.sort((a, b) => Number(b.test === round.by) - Number(a.test === round.by));
      }
    }
    return this.#died(mutant, await this.#alone(mutant.number, alone));
  }

  async end(): Promise<void> {
    await this.#process?.end();
    this.#process = null;
  }

  /** Likely ones first, as many as there is time for. */
  #choose(tests: readonly MeasuredTest[], mutant: NumberedMutant): MeasuredTest[] {
    let millis = 0;
    return this.#order.sort(tests, mutant)
      .filter((test, index) => (millis += test.millis) <= this.#thoroughness.millis || index === 0);
  }

  #died(mutant: NumberedMutant, end: End): End {
    if (end.end === "died" && end.by !== undefined) this.#order.died(mutant, end.by);
    return end;
  }

  /** In a process that other mutants were in before. */
  async #together(number: number, tests: readonly MeasuredTest[], files: readonly string[]): Promise<Round> {
    if (this.#process === null || this.#loaded !== files.join()) {
      await this.end();
      this.#process = new TestProcess(this.#folder, this.#scratch, 0, files);
      this.#loaded = files.join();
      await this.#process.loaded();
    }
    const { round, megabytes } = await this.#attack(this.#process, number, tests, 1);
    if (round.end !== "died" && round.end !== "survived" || megabytes > MOST_MEGABYTES) await this.end();
    return round.end === "timeout" ? { end: "unclear", by: round.by ?? "" } : round;
  }

  /** In a process of its own, where the mutant is on from the beginning. */
  async #alone(number: number, tests: readonly MeasuredTest[]): Promise<End> {
    const process = new TestProcess(this.#folder, this.#scratch, number, [...new Set(tests.map(({ file }) => file))]);
    try {
      await process.loaded();
      const { round } = await this.#attack(process, number, tests, LONGER_ALONE);
      return round.end === "unclear" ? { end: "died", by: round.by } : round;
    } catch (error) {
      if (error instanceof Ended) return { end: error.isTimeout ? "timeout" : "died", by: "loading" };
      throw error;
    } finally {
      await process.end();
    }
  }

  async #attack(
    process: TestProcess,
    number: number,
    tests: readonly MeasuredTest[],
    times: number,
  ): Promise<{ round: Round; megabytes: number }> {
    let round: Round = { end: "survived" };
    let megabytes = 0;
    let by = "";
    try {
      const names = tests.map(({ test }) => test);
      for await (
        const report of process.give(
          { kind: "attack", mutant: number, tests: names },
          (test) => times * this.#limit(test),
        )
      ) {
        if (report.kind === "begins") by = report.test;
        if (report.kind === "died" || report.kind === "unclear") round = { end: report.kind, by: report.by };
        if (report.kind === "done") megabytes = report.megabytes;
      }
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      round = { end: error.isTimeout ? "timeout" : "unclear", by };
    }
    return { round, megabytes };
  }

  #limit(test: string): number {
    return Math.max(LEAST_MILLIS, TIMES_AS_LONG * (this.#millis.get(test) ?? 0));
  }
}
