/**
 * A clock that jumps, between two turns or in the middle of one: `clock` with its remedy, and all is well after it. Every request of every
 * operation with `deno task test:faults --all`.
 */
import { assert, assertEquals } from "../assert.ts";
import { needs } from "../tools/needs.ts";
import { CLOCK, CLOCK_FAULTS, type ClockFault, nameOfClock, playJump } from "./clock.ts";
import { Household } from "./household.ts";
import { type Operation, OPERATIONS } from "./operations.ts";

const { inbox, covered, rotate, full, backup, restored } = OPERATIONS;
/** What the take-over of the inbox says to it. */
const SAID: Readonly<Record<string, number>> = { "-1d": CLOCK, "+1d": 0, "+31d": CLOCK };
/** What else meets a clock that is off from the beginning. */
const BESIDE: Readonly<Record<string, Operation>> = { "-1d": backup, "+1d": rotate, "+31d": restored };
/** Requests at whose end it jumps, each of another operation, for the time that it takes. */
const REQUESTS: readonly (readonly [Operation, number])[] = [
  ...[[inbox, 1], [covered, 5], [rotate, 9], [full, 13], [restored, 5], [inbox, 17], [rotate, 21]] as const,
];

const from = (from: ClockFault["from"]) =>
  CLOCK_FAULTS.filter((fault) => fault.from === from && fault.whose === "manager");

for (const fault of from("the beginning")) {
  needs("faketime").test(`${nameOfClock(fault)}: it is said, and mended by the owner`, async () => {
    await using household = await Household.open("file");
    const { code, err } = await playJump(household, fault, inbox, 0);
    assertEquals(code, SAID[fault.offset], err);
    if (code === CLOCK) assert(/clock/.test(err) && err.includes("postern clock confirm"), err);
    await playJump(household, fault, BESIDE[fault.offset] ?? inbox, 0);
  });
}

for (const fault of from("a request on")) {
  needs("faketime").test(`${nameOfClock(fault)}: nothing is lost`, async () => {
    await using household = await Household.open("file");
    for (const [operation, step] of REQUESTS) {
      const { hasStruck } = await playJump(household, fault, operation, step);
      assert(hasStruck, `${operation.name} has no request ${step}`);
    }
  });
}

needs("faketime").test("an edge whose clock jumps is no obstacle: a device reads on, and nothing is lost", async () => {
  await using household = await Household.open("file");
  for (const fault of CLOCK_FAULTS.filter(({ whose }) => whose === "edge")) await playJump(household, fault, inbox, 5);
});
