/** The network cut, slowed, reset, half-open, at every request of a turn: the turn comes to its end, or says `network`, and nothing is lost. */
import { assert, assertEquals } from "../assert.ts";
import { Household } from "./household.ts";
import { OPERATIONS } from "./operations.ts";
import type { Moment, Verdict } from "./proxy.ts";

/** Exit code of `network`. */
const UNAVAILABLE = 69;
/** How long the manager waits for one answer here. */
const PATIENCE_MILLIS = 400;
const SLOW_MILLIS = 150;
const MOST_STEPS = 100;

interface NetworkFault {
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

const FAULTS: readonly NetworkFault[] = [
  fault("cut before the request arrives", "received", "cut"),
  fault("cut before the answer leaves", "done", "cut"),
  fault("cut in the middle of the answer", "done", "truncate"),
  fault("half-open before the request arrives", "received", "hold"),
  fault("half-open before the answer leaves", "done", "hold"),
  fault("slow", "done", "go on", SLOW_MILLIS),
  { name: "reset", arm: ({ front }, step) => front.armReset(step) },
];

/** Strikes every request of a turn. @returns how many there were */
async function strikeAll(household: Household, { name, arm }: NetworkFault): Promise<number> {
  const { prepare, args } = OPERATIONS.inbox;
  for (let step = 1; step <= MOST_STEPS; step++) {
    await prepare(household);
    arm(household, step);
    const { code, err } = await household.run(args(), { patienceMillis: PATIENCE_MILLIS });
    const { hasStruck } = household.front;
    assert(code === 0 || code === UNAVAILABLE, `${name} at request ${step}: ${code} ${err}`);
    await household.requireRecovered(`${name} at request ${step}`);
    if (!hasStruck) return step - 1;
  }
  throw new Error(`${name}: more than ${MOST_STEPS} requests`);
}

Deno.test("a network that is cut, slowed, reset or half-open at any request of a turn loses nothing and does nothing twice", async () => {
  const struck = await Promise.all(FAULTS.map(async (fault) => {
    await using household = await Household.open("file");
    return await strikeAll(household, fault);
  }));
  for (const [index, { name }] of FAULTS.entries()) assert((struck[index] ?? 0) > 5, `${name}: only ${struck[index]}`);
  console.log(`${struck.reduce((sum, steps) => sum + steps, 0)} network faults: all recovered`);
});

Deno.test("a network that stays half-open ends a turn with network, and the turn after it is whole", async () => {
  await using household = await Household.open("file");
  await OPERATIONS.inbox.prepare(household);
  const { target } = household.front;
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  household.front.target = silent.addr.port;
  try {
    const { code, out } = await household.run(["sync"], { patienceMillis: PATIENCE_MILLIS });
    assertEquals([code, JSON.parse(out).error.code], [UNAVAILABLE, "network"]);
  } finally {
    silent.close();
    household.front.target = target;
  }
  await household.requireRecovered("half-open for a whole turn");
});
