/** Which series there are, which of them every run of the tests plays, and how they are played, two at a time. */
import { needs } from "../tools/needs.ts";
import { CLOCK_FAULTS, nameOfClock, strikeClock } from "./clock.ts";
import { DEVICE_OPERATIONS, killDevice } from "./device.ts";
import { Household } from "./household.ts";
import { nameOf, runSeries, type Series } from "./matrix.ts";
import { DATABASE_FAULTS, NETWORK_FAULTS, strikeRequests } from "./network.ts";
import { type Operation, OPERATIONS } from "./operations.ts";

/** The manager dies when a request of its has not left, was done without its knowing, or was answered. */
function managerAtRequests(operation: Operation): Series[] {
  return (["received", "done", "answered"] as const).map((moment) => ({
    ...{ victim: "manager", operation, database: "file", at: { requests: "front", moment } },
  }));
}

function atWrites(victim: "manager" | "edge", operation: Operation): Series {
  return { victim, operation, database: "file", at: "writes" };
}

/** A server dies when a request has reached it or is about to, is under way in it, or was done without an answer. */
function atRequests(victim: "edge" | "sqld", requests: "front" | "back", operation: Operation): Series[] {
  return (["received", "forwarded", "done"] as const).map((moment) => ({
    ...{ victim, operation, database: requests === "front" ? "file" : "sqld", at: { requests, moment } },
  }));
}

/** Everything: each victim at each point of each operation. */
export function everySeries(operations: readonly Operation[] = Object.values(OPERATIONS)): Series[] {
  return operations.flatMap((operation) => [
    atWrites("manager", operation),
    ...(operation.isLocal === true ? [] : [
      ...managerAtRequests(operation),
      atWrites("edge", operation),
      ...atRequests("edge", "front", operation),
      ...atRequests("edge", "back", operation),
      ...atRequests("sqld", "back", operation),
    ]),
  ]);
}

/**
 * Where not every point is played. A restore takes a household that was lost; its stride is odd, so that points before and after a write
 * take turns. A rotation and a delta meet the moments of a request that the inbox meets at every one.
 */
const STRIDES = { restore: 13, restored: 7, request: 3, write: 3 };

/** Every third point of each series, each time others: the three moments of a request take turns. */
function inTurns(all: readonly Series[]): Series[] {
  return all.map((series, index) => ({ ...series, stride: STRIDES.request, first: 1 + index % STRIDES.request }));
}

/** The manager at the requests of a turn, where a rotation stands for every full push; of everything else an operation each. */
export function shortSeries(): Series[] {
  const { full, covered, rotate, inbox, backup, restore, restored } = OPERATIONS;
  const only = (moment: string, series: readonly Series[]) =>
    series.filter(({ at }) => at !== "writes" && at.moment === moment);
  return [
    ...[covered, rotate].flatMap((operation) => inTurns(managerAtRequests(operation))),
    ...managerAtRequests(inbox),
    { ...atWrites("manager", inbox), stride: STRIDES.write },
    atWrites("manager", backup),
    { ...atWrites("manager", restore), stride: STRIDES.restore },
    ...only("done", managerAtRequests(restored)).map((series) => ({ ...series, stride: STRIDES.restored })),
    atWrites("edge", full),
    ...inTurns(only("forwarded", atRequests("edge", "front", covered))),
    ...inTurns(only("done", atRequests("edge", "back", inbox))),
    ...inTurns(only("forwarded", atRequests("sqld", "back", rotate))),
  ];
}

const KINDS = ["kill points", "network faults", "jumps of the clock"] as const;

/** What strikes. */
type Kind = typeof KINDS[number];

/** What a run of series came to. */
export interface Matrix {
  /** How many of each kind were recovered from. */
  readonly recovered: Readonly<Record<Kind, number>>;
  /** What was not recovered from, a line each. */
  readonly failures: readonly string[];
}

const AT_ONCE = 2;

/** What is played in a household of its own. @returns how many points there were; each was recovered from */
interface Play {
  readonly name: string;
  readonly kind: Kind;
  run(): Promise<number>;
}

/** Plays series, and on all operations named the faults of the network and of the clock. One that fails ends there. */
export async function runMatrix(
  all: readonly Series[],
  tell: (line: string) => void,
  others: readonly Operation[] = [],
  withDevices = false,
): Promise<Matrix> {
  const jumps = others.length > 0 && needs("faketime").isPresent ? others.flatMap(clockPlays) : [];
  const devices = withDevices ? devicePlays() : [];
  const waiting = [...all.map(playOf), ...devices, ...others.flatMap(networkPlays), ...jumps];
  const failures: string[] = [];
  const recovered: Record<Kind, number> = { "kill points": 0, "network faults": 0, "jumps of the clock": 0 };
  const play = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        const points = await next.run();
        recovered[next.kind] += points;
        if (points === 0) failures.push(`${next.name}: no point was met, which proves nothing`);
        tell(`${points} ${next.kind}: ${next.name}`);
      } catch (error) {
        failures.push(`${next.name}: ${error instanceof Error ? error.message : error}`);
        tell(failures.at(-1) ?? "");
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, play));
  return { recovered, failures };
}

function playOf(series: Series): Play {
  return {
    ...{ name: nameOf(series), kind: "kill points" },
    run: async () => {
      await using household = await Household.open(series.database);
      return await runSeries(household, series);
    },
  };
}

function networkPlays(operation: Operation): Play[] {
  if (operation.isLocal === true) return [];
  return [...NETWORK_FAULTS, ...DATABASE_FAULTS].map((fault) => ({
    ...{ name: `${operation.name}: the network ${fault.name}`, kind: "network faults" },
    run: () => strikeRequests(fault, operation),
  }));
}

function devicePlays(): Play[] {
  return DEVICE_OPERATIONS.map((operation) => ({
    ...{ name: `a device, ${operation.name}: killed at its writes`, kind: "kill points" },
    run: () => killDevice(operation),
  }));
}

function clockPlays(operation: Operation): Play[] {
  const { isLocal = false } = operation;
  return CLOCK_FAULTS.filter(({ from }) => !isLocal || from === "the beginning").map((fault) => ({
    ...{ name: `${operation.name}: ${nameOfClock(fault)}`, kind: "jumps of the clock" },
    run: () => strikeClock(fault, operation),
  }));
}

/** The closing line: how many of each kind there were. */
export function matrixLine({ recovered, failures }: Matrix): string {
  const counts = KINDS.filter((kind) => recovered[kind] > 0).map((kind) => `${recovered[kind]} ${kind}`).join(", ");
  return `${counts || "nothing"} recovered from, ${failures.length} not`;
}
