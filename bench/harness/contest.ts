/** Contestants taking turns under the same load, in one run. */
import { fromBase64 } from "../../shared/bytes/encoding.ts";
import type { LoadResult, Sample } from "../load/plan.ts";
import { runLoad } from "../load/run_load.ts";

/** A server that is measured, and the requests that it is measured with. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** Its processes; descendants count too. */
  readonly processes: readonly number[];
  /** How many requests are sent at the least, before its speed is known. */
  readonly firstRequests: number;
  /** The same requests again and again will do. */
  readonly isRepeating?: boolean;
  /** Makes requests right before they are sent, so that nothing in them is too old. */
  prepare(count: number): Promise<readonly Uint8Array[]>;
  /** Throws unless the answer is the right one to the request of this number among the last ones prepared. */
  verify(sample: Sample): Promise<void> | void;
}

/** How a contest is held. */
export interface ContestOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly log: (line: string) => void;
  /** What one contestant can be given at most: challenges, for example, age while they are collected. */
  readonly maxRequests?: number;
}

/** What a contest gave: for each contestant, by name, one result a round. */
export type ContestResults = ReadonlyMap<string, readonly LoadResult[]>;

const WARM_SECONDS = 1;
/** How many times as many requests are prepared as the round before consumed. */
const RESERVE = 1.6;
/** Kept of a turn's answers, about. */
const SAMPLES = 64;
const SAMPLE_EVERY = 5_000;
const MAX_REQUESTS = 400_000;

/** Warms each contestant up, then lets them take turns, each round in the opposite order of the one before. */
export async function holdContest(
  contestants: readonly Contestant[],
  options: ContestOptions,
): Promise<ContestResults> {
  const results = new Map<string, LoadResult[]>(contestants.map(({ name }) => [name, []]));
  const speeds = new Map<string, number>();
  for (const contestant of contestants) {
    const { perSecond } = await turn(contestant, contestant.firstRequests, 1, options);
    speeds.set(contestant.name, perSecond);
  }
  for (let round = 1; round <= options.rounds; round++) {
    const order = round % 2 === 1 ? contestants : [...contestants].reverse();
    for (const contestant of order) {
      const { name } = contestant;
      const count = (speeds.get(name) ?? 0) * (WARM_SECONDS + options.seconds) * RESERVE;
      // Not fewer than at first: that turn may have been held up, and a turn must not run out of requests.
      const enough = Math.max(contestant.firstRequests, Math.ceil(count));
      const result = await turn(contestant, enough, options.seconds, options);
      speeds.set(name, result.perSecond);
      results.get(name)?.push(result);
      options.log(
        `round ${round}: ${name}: ${Math.round(result.perSecond)}/s, p50 ${result.p50.toFixed(1)} ms, ` +
          `p99 ${result.p99.toFixed(1)} ms`,
      );
    }
  }
  return results;
}

/** Bytes of one answer of the contestant. */
export async function answerBytes({ name, port, processes, prepare }: Contestant): Promise<number> {
  const requests = await prepare(1);
  const plan = { port, connections: 1, requests, isRepeating: false, sampleEvery: 1, serverProcesses: processes };
  const { samples: [sample] } = await runLoad({ ...plan, warmSeconds: 1, seconds: 0 });
  if (sample?.status !== 200) throw new Error(`${name} answered ${sample?.status ?? "nothing"}`);
  return fromBase64(sample.body).length;
}

async function turn(
  contestant: Contestant,
  count: number,
  seconds: number,
  { connections, maxRequests = MAX_REQUESTS }: ContestOptions,
): Promise<LoadResult> {
  const { port, processes, isRepeating = false, name } = contestant;
  const requests = await contestant.prepare(Math.min(isRepeating ? contestant.firstRequests : count, maxRequests));
  const result = await runLoad({
    ...{ port, connections, seconds, requests, isRepeating, serverProcesses: processes, warmSeconds: WARM_SECONDS },
    sampleEvery: isRepeating ? SAMPLE_EVERY : Math.max(1, Math.floor(requests.length / SAMPLES)),
  });
  const errors = Object.entries(result.errors).map(([what, times]) => `${times} times ${what}`);
  if (errors.length > 0) throw new Error(`${name} under load: ${errors.join(", ")}`);
  if (result.answers === 0) throw new Error(`${name} under load gave no answer in the time measured`);
  for (const sample of result.samples) await contestant.verify(sample);
  return result;
}
