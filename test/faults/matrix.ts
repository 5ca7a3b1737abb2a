/**
 * Kills one process at each point of an operation: at point 1, 2, 3 and so on, until the operation comes to its end without
 * meeting its point. After each kill everything must be as if nothing had happened, and the next one goes on from there.
 */
import { assert } from "../assert.ts";
import type { EdgeDatabase } from "./household.ts";
import { Household } from "./household.ts";
import type { Operation } from "./operations.ts";
import type { FaultProxy, Moment } from "./proxy.ts";

export type Victim = "manager" | "edge" | "sqld";

/** One series of kill points. */
export interface Series {
  readonly victim: Victim;
  readonly operation: Operation;
  readonly database: EdgeDatabase;
  /** Only every so many-th point is played, if it is there. */
  readonly stride?: number;
  /** The first point that is played, 1 if absent. */
  readonly first?: number;
  /** At its writes, or at a moment of each request to the edge, or of each request from the edge to sqld. */
  readonly at: "writes" | { readonly requests: "front" | "back"; readonly moment: Moment };
}

/** A point was met and struck, met by a client that did not wait for its moment, or there was none. */
type Met = "struck" | "passed" | "none";

/** More points than any operation has: a series that does not end is a mistake of the test. */
const MOST_POINTS = 400;

/** @returns how many kill points there were; each was recovered from. @throws when one was not */
export async function runSeries(household: Household, series: Series): Promise<number> {
  const { stride = 1, first = 1 } = series;
  for (let point = first, struck = 0; point <= MOST_POINTS; point += stride) {
    await series.operation.prepare(household);
    const met = series.at === "writes"
      ? await killAtWrite(household, series, point)
      : await killAtRequest(household, series, point, series.at.requests, series.at.moment);
    await household.calm();
    await series.operation.check?.(household);
    await household.requireRecovered(`${nameOf(series)}, point ${point}`);
    if (met === "none") return struck;
    if (met === "struck") struck++;
  }
  throw new Error(`${nameOf(series)}: more than ${MOST_POINTS} points`);
}

export function nameOf({ victim, operation, database, at }: Series): string {
  const where = at === "writes"
    ? "its writes"
    : `requests to the ${at.requests === "front" ? "edge" : "database"}, ${at.moment}`;
  return `${operation.name}: ${victim} killed at ${where} (edge on ${database})`;
}

async function killAtWrite(household: Household, { victim, operation }: Series, point: number): Promise<Met> {
  assert(victim !== "sqld", "sqld's writes are its own: it is killed at the edge's requests");
  const file = household.armFile(victim);
  await Deno.writeTextFile(file, String(point));
  if (victim === "manager") await household.start(operation.args(household)).ended;
  else await withEdgeBack(household, household.run(operation.args(household)), () => household.edgeEnded());
  return await removeIfThere(file) ? "none" : "struck";
}

async function killAtRequest(
  household: Household,
  { victim, operation }: Series,
  point: number,
  requests: "front" | "back",
  moment: Moment,
): Promise<Met> {
  const proxy = household[requests];
  if (victim === "manager") {
    const manager = household.start(operation.args(household));
    proxy.arm({ step: point, moment, strike: async () => (await manager.kill(), "cut") });
    await manager.ended;
    return metAt(proxy, point);
  }
  let restarted: Promise<void> = Promise.resolve();
  const strike = async () => {
    if (victim === "edge") {
      await household.killEdge();
      restarted = household.ensureEdge();
    } else {
      await household.killSqld();
      restarted = household.restartSqld();
    }
    return "cut" as const;
  };
  proxy.arm({ step: point, moment, strike });
  await household.run(operation.args(household));
  await restarted;
  return metAt(proxy, point);
}

function metAt({ hasStruck, steps }: FaultProxy, point: number): Met {
  if (hasStruck) return "struck";
  return steps < point ? "none" : "passed";
}

/** Starts the edge again as soon as it has ended by itself, while the operation goes on. */
async function withEdgeBack(
  household: Household,
  operation: Promise<unknown>,
  ended: () => Promise<void>,
): Promise<void> {
  const back = ended().then(() => household.ensureEdge());
  await Promise.race([operation, back]);
  await operation;
}

async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
