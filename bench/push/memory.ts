/** Memory of processes over the time of a push. */
import { residentMib } from "../harness/processes.ts";
import { median } from "../harness/stats.ts";

const EVERY_MILLIS = 100;

/** Resident memory of one process, MiB. */
export interface MemoryCurve {
  readonly samples: readonly number[];
  readonly highest: number;
  /** Medians of the first, the middle and the last third. */
  readonly thirds: readonly [number, number, number];
}

/** Samples processes until told to stop. */
export class MemoryWatch {
  readonly #samples = new Map<string, number[]>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(processes: Readonly<Record<string, number>>) {
    this.#timer = setInterval(() => {
      for (const [name, pid] of Object.entries(processes)) {
        const mib = residentMib([pid]);
        // Zero is a process that has ended.
        if (mib > 0) this.#samples.set(name, [...this.#samples.get(name) ?? [], mib]);
      }
    }, EVERY_MILLIS);
  }

  /** Stops, and says what was seen of a process. */
  stop(name: string): MemoryCurve {
    clearInterval(this.#timer);
    return curveOf(this.#samples.get(name) ?? []);
  }
}

/** What samples amount to. */
function curveOf(samples: readonly number[]): MemoryCurve {
  const third = (number: number) =>
    median(samples.slice(Math.floor(samples.length * number / 3), Math.ceil(samples.length * (number + 1) / 3)));
  return { samples, highest: Math.max(...samples), thirds: [third(0), third(1), third(2)] };
}
