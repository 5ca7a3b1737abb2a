/** The clock jumped, before an operation or at a request in its middle: it comes to its end, or says `clock`, and nothing is lost. */
import { join } from "node:path";
import { assert } from "../assert.ts";
import { FAKETIME_LIBRARY } from "../tools/needs.ts";
import { Household } from "./household.ts";
import type { Operation } from "./operations.ts";
import type { Ended } from "./processes.ts";

/** Exit code of `clock`. */
export const CLOCK = 72;
/** Exit code of `configuration`: there is no manager in the folder. */
const NO_MANAGER = 78;
const MOST_STEPS = 100;

/** How far a machine's clock is off, and from when on. */
export interface ClockFault {
  /** As libfaketime takes it: `-1d`, `+3600`. */
  readonly offset: string;
  readonly from: "the beginning" | "a request on";
}

export const CLOCK_FAULTS: readonly ClockFault[] = [
  ...["-1d", "+1d", "+31d"].map((offset) => ({ offset, from: "the beginning" }) as const),
  ...["-3600", "+3600"].map((offset) => ({ offset, from: "a request on" }) as const),
];

export function nameOfClock({ offset, from }: ClockFault): string {
  return `the clock jumps by ${offset}, from ${from}`;
}

/**
 * Plays an operation by a process whose clock jumps, and does what its owner does who is told so.
 *
 * @param step of the request at whose end it jumps, from 1 on
 * @returns how the operation ended, and whether there was such a request
 */
export async function playJump(
  household: Household,
  fault: ClockFault,
  operation: Operation,
  step: number,
): Promise<Ended & { readonly hasStruck: boolean }> {
  const what = `${operation.name}, ${nameOfClock(fault)} ${step}`;
  const file = join(household.folder, "faketime");
  const jump = async (offset: string) => await Deno.writeTextFile(file, `${offset}\n`);
  await operation.prepare(household);
  const isAtRequest = fault.from === "a request on";
  await jump(isAtRequest ? "+0" : fault.offset);
  if (isAtRequest) {
    household.front.arm({ step, moment: "done", strike: async () => (await jump(fault.offset), "go on") });
  }
  const ended = await household.start(operation.args(household), {
    LD_PRELOAD: FAKETIME_LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  }).ended;
  const hasStruck = isAtRequest && household.front.hasStruck;
  assert(ended.code === 0 || ended.code === CLOCK, `${what}: ${ended.code} ${ended.err}`);
  await household.calm();
  await heed(household);
  await operation.check?.(household);
  await household.requireRecovered(what);
  return { ...ended, hasStruck };
}

/** The clock is right again; its owner confirms that, if told to. */
async function heed(household: Household): Promise<void> {
  const { code, err } = await household.run(["sync"]);
  if (code === NO_MANAGER) return;
  if (code === CLOCK) {
    assert(err.includes("postern clock confirm"), err);
    await household.json(["clock", "confirm", "--yes"]);
  }
  await household.json(["alarm", "clear"]);
}

/** An operation struck by a jump before it, or at each of its requests, in a household of its own. @returns how many jumps there were; each was recovered from */
export async function strikeClock(fault: ClockFault, operation: Operation): Promise<number> {
  await using household = await Household.open("file");
  for (let step = 1; step <= MOST_STEPS; step++) {
    const { hasStruck } = await playJump(household, fault, operation, step);
    if (fault.from === "the beginning") return 1;
    if (!hasStruck) return step - 1;
  }
  throw new Error(`${operation.name}, ${nameOfClock(fault)}: more than ${MOST_STEPS} requests`);
}
