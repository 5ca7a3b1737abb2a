/** What the load generator is told, and what it tells. */

/** One run of the generator. */
export interface LoadPlan {
  readonly port: number;
  /** Keep-alive connections, each with one request under way at any time. */
  readonly connections: number;
  /** Time before anything is counted. */
  readonly warmSeconds: number;
  readonly seconds: number;
  /** Path of a file made by `encodeRequests`. */
  readonly requests: string;
  /** Begin again at the end of the file. Otherwise each request is sent once, and the run ends when there are no more. */
  readonly isRepeating: boolean;
  /** Every so many answers one is kept whole, to be verified after the run. */
  readonly sampleEvery: number;
  /** Processes that serve, whose CPU time is measured with that of their descendants. */
  readonly serverProcesses: readonly number[];
}

/** An answer that was kept. */
export interface Sample {
  /** Which request of the file it answers, from 0. */
  readonly request: number;
  readonly status: number;
  readonly head: string;
  /** Base64. */
  readonly body: string;
}

/** Latencies of a third of the time, milliseconds. */
export interface Third {
  readonly p50: number;
  readonly p99: number;
}

/** What happened while it counted. */
export interface LoadResult {
  /** Answers with status 200. */
  readonly answers: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  /** Of the first, the middle and the last third of the time. */
  readonly thirds: readonly [Third, Third, Third];
  /** Answers with another status, and broken connections, by what they were; of the whole run, warm-up included. */
  readonly errors: Readonly<Record<string, number>>;
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  /** Resident memory of the serving processes at the end. */
  readonly serverMib: number;
  readonly samples: readonly Sample[];
  /** The file ended before the time was over. */
  readonly isExhausted: boolean;
}
