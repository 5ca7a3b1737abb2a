/**
 * The clock of the manager or of the edge jumped, before an operation or at a request in its middle: it comes to its end, or says `clock`,
 * and nothing is lost.
 */
import { join } from "node:path";
import { assert } from "../assert.ts";
import { FAKETIME_LIBRARY } from "../tools/needs.ts";
import { Household } from "./household.ts";
import type { Operation } from "./operations.ts";
import type { Ended } from "./processes.ts";

/** Exit code of `clock`. */
export const CLOCK = 72;
/** Exit codes of `conflict` and `epoch_gone`: an edge whose clock leaps ahead gives up what seems to be forgotten, a push or a generation. */
const [CONFLICT, GONE] = [73, 75];
/** How an operation may end. */
const ACCEPTED = { manager: [0, CLOCK], edge: [0, CLOCK, CONFLICT, GONE] };
/** Exit code of `configuration`: there is no manager in the folder. */
const NO_MANAGER = 78;
const MOST_STEPS = 100;

/** How far a machine's clock is off, and from when on. */
export interface ClockFault {
  /** As libfaketime takes it: `-1d`, `+3600`. */
  readonly offset: string;
  readonly from: "the beginning" | "a request on";
  readonly whose: "manager" | "edge";
}

export const CLOCK_FAULTS: readonly ClockFault[] = (["manager", "edge"] as const).flatMap((whose) => [
  ...["-1d", "+1d", "+31d"].map((offset) => ({ offset, from: "the beginning", whose }) as const),
  ...["-3600", "+3600"].map((offset) => ({ offset, from: "a request on", whose }) as const),
]);

export function nameOfClock({ offset, from, whose }: ClockFault): string {
  return `the ${whose}'s clock jumps by ${offset}, from ${from}`;
}

/** A process whose clock is what the file says. */
function clockOf(file: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: FAKETIME_LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/**
 * Plays an operation while a clock jumps, and does what its owner does who is told so. A device reads on meanwhile.
 *
 * @param step of the request at whose end it jumps, from 1 on
 * @returns how the operation ended, whether there was such a request, and how many there were
 */
export async function playJump(
  household: Household,
  fault: ClockFault,
  operation: Operation,
  step: number,
): Promise<Ended & { readonly hasStruck: boolean; readonly requests: number }> {
  const what = `${operation.name}, ${nameOfClock(fault)} ${step}`;
  const file = join(household.folder, "faketime");
  const jump = async (offset: string) => await Deno.writeTextFile(file, `${offset}\n`);
  await operation.prepare(household);
  const isAtRequest = fault.from === "a request on";
  await jump(isAtRequest ? "+0" : fault.offset);
  if (isAtRequest) {
    household.front.arm({ step, moment: "done", strike: async () => (await jump(fault.offset), "go on") });
  }
  if (fault.whose === "edge") {
    await household.killEdge();
    await household.ensureEdge(clockOf(file));
  }
  const ended = await household.start(operation.args(household), fault.whose === "manager" ? clockOf(file) : {}).ended;
  const hasStruck = isAtRequest && household.front.hasStruck;
  const requests = household.front.steps;
  assert(ACCEPTED[fault.whose].includes(ended.code), `${what}: ${ended.code} ${ended.err}`);
  if (fault.whose === "edge") {
    // A manager that was restored has to be confirmed first.
    if (operation.check === undefined) await household.device.head();
    await household.killEdge();
  }
  await household.calm();
  await heed(household);
  await operation.check?.(household);
  await household.requireRecovered(what);
  return { ...ended, hasStruck, requests };
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
    const { hasStruck, requests } = await playJump(household, fault, operation, step);
    if (fault.from === "the beginning") return 1;
    if (requests < step) return step - 1;
    assert(hasStruck, `${operation.name} had a request ${step} at which no clock jumped`);
  }
  throw new Error(`${operation.name}, ${nameOfClock(fault)}: more than ${MOST_STEPS} requests`);
}
