/**
 * The network cut, slowed, reset, half-open, at every request of an operation, or at every one of the edge's to its database: the operation
 * comes to its end, or says `network`, and nothing is lost.
 */
import { assert } from "../assert.ts";
import { Household } from "./household.ts";
import type { Operation } from "./operations.ts";
import type { FaultProxy, Moment, Verdict } from "./proxy.ts";

/** Exit code of `network`. */
export const UNAVAILABLE = 69;
/** How long the manager waits for one answer here. */
export const PATIENCE_MILLIS = 400;
const SLOW_MILLIS = 150;
const MOST_STEPS = 200;

/** What the network does to one request. */
export interface NetworkFault {
  readonly name: string;
  /** Between manager or device and edge, or between edge and database. */
  readonly between: "front" | "back";
  arm(proxy: FaultProxy, step: number): void;
}

type Strike = Pick<NetworkFault, "name" | "arm">;

function strike(name: string, moment: Moment, verdict: Verdict, millis = 0): Strike {
  const strike = async () => {
    if (millis > 0) await new Promise((resume) => setTimeout(resume, millis));
    return verdict;
  };
  return { name, arm: (proxy, step) => proxy.arm({ step, moment, strike }) };
}

const STRIKES: readonly Strike[] = [
  strike("cut before the request arrives", "received", "cut"),
  strike("cut before the answer leaves", "done", "cut"),
  strike("cut in the middle of the answer", "done", "truncate"),
  strike("half-open before the request arrives", "received", "hold"),
  strike("half-open before the answer leaves", "done", "hold"),
  strike("slow", "done", "go on", SLOW_MILLIS),
  { name: "reset", arm: (proxy, step) => proxy.armReset(step) },
];

export const NETWORK_FAULTS: readonly NetworkFault[] = STRIKES.map((one) => ({ ...one, between: "front" }));

/** Of an edge whose database is a server. */
export const DATABASE_FAULTS: readonly NetworkFault[] = STRIKES.map(({ name, arm }) => ({
  ...{ name: `${name}, between edge and database`, arm, between: "back" },
}));

/**
 * Strikes every request of an operation, in a household of its own.
 *
 * @param stride plays only every so many-th
 * @returns how many were struck; each was recovered from
 */
export async function strikeRequests(
  { name, between, arm }: NetworkFault,
  operation: Operation,
  stride = 1,
): Promise<number> {
  await using household = await Household.open(between === "front" ? "file" : "sqld");
  const proxy = household[between];
  for (let step = 1, struck = 0; step <= MOST_STEPS; step += stride) {
    const what = `${operation.name}, ${name} at request ${step}`;
    await operation.prepare(household);
    arm(proxy, step);
    const { code, err } = await household.run(operation.args(household), { patienceMillis: PATIENCE_MILLIS });
    const { hasStruck, steps } = proxy;
    assert(code === 0 || code === UNAVAILABLE, `${what}: ${code} ${err}`);
    await household.calm();
    await operation.check?.(household);
    await household.requireRecovered(what);
    if (steps < step) return struck;
    // A manager that has no more patience does not wait for the moment.
    if (hasStruck) struck++;
  }
  throw new Error(`${operation.name}, ${name}: more than ${MOST_STEPS} requests`);
}
