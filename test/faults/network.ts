/** The network cut, slowed, reset, half-open, at every request of an operation: it comes to its end, or says `network`, and nothing is lost. */
import { assert } from "../assert.ts";
import { Household } from "./household.ts";
import type { Operation } from "./operations.ts";
import type { Moment, Verdict } from "./proxy.ts";

/** Exit code of `network`. */
export const UNAVAILABLE = 69;
/** How long the manager waits for one answer here. */
export const PATIENCE_MILLIS = 400;
const SLOW_MILLIS = 150;
const MOST_STEPS = 100;

/** What the network does to one request. */
export interface NetworkFault {
  readonly name: string;
  arm(household: Household, step: number): void;
}

function fault(name: string, moment: Moment, verdict: Verdict, millis = 0): NetworkFault {
  const strike = async () => {
    if (millis > 0) await new Promise((resume) => setTimeout(resume, millis));
    return verdict;
  };
  return { name, arm: ({ front }, step) => front.arm({ step, moment, strike }) };
}

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  fault("cut before the request arrives", "received", "cut"),
  fault("cut before the answer leaves", "done", "cut"),
  fault("cut in the middle of the answer", "done", "truncate"),
  fault("half-open before the request arrives", "received", "hold"),
  fault("half-open before the answer leaves", "done", "hold"),
  fault("slow", "done", "go on", SLOW_MILLIS),
  { name: "reset", arm: ({ front }, step) => front.armReset(step) },
];

/** Strikes every request of an operation, in a household of its own. @returns how many there were; each was recovered from */
export async function strikeRequests({ name, arm }: NetworkFault, operation: Operation): Promise<number> {
  await using household = await Household.open("file");
  for (let step = 1; step <= MOST_STEPS; step++) {
    const what = `${operation.name}, ${name} at request ${step}`;
    await operation.prepare(household);
    arm(household, step);
    const { code, err } = await household.run(operation.args(household), { patienceMillis: PATIENCE_MILLIS });
    const { hasStruck } = household.front;
    assert(code === 0 || code === UNAVAILABLE, `${what}: ${code} ${err}`);
    await household.calm();
    await operation.check?.(household);
    await household.requireRecovered(what);
    if (!hasStruck) return step - 1;
  }
  throw new Error(`${operation.name}, ${name}: more than ${MOST_STEPS} requests`);
}
