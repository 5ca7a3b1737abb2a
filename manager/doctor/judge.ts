/** The doctor's judgement: facts in, findings with remedies out. Pure. */
import { size } from "../text/moments.ts";
import { count } from "../text/layout.ts";
import type { Facts } from "./examine.ts";
import { bad, type Finding, good } from "./finding.ts";
import { judgeKek } from "./judge_kek.ts";
import type { Overview } from "./overview.ts";
import { judgeEdge } from "./judge_edge.ts";
import { judgeStanding } from "./judge_standing.ts";

/** Below, a push of a large store may not find room. */
const LITTLE_SPACE_BYTES = 256 * 1_048_576;
/** Everything that was looked at, in the order in which one thing rests on another. `now` in Millis. */
export function judgeAll(facts: Facts, now: number, uid: number | null): Finding[] {
  const findings = [...judgeFolder(facts), ...judgeSpace(facts), ...judgeKek(facts.kek, uid)];
  if (facts.database === null) return findings;
  if (!facts.database.ok) {
    return [
      ...findings,
      bad("fault", "database", facts.database.error.message, "see above; nothing else can be looked at"),
    ];
  }
  const { overview, integrity } = facts.database.value;
  const database = integrity === "ok"
    ? good("database", `opens, is whole, and has ${rowsText(overview)} for the edge`)
    : bad("fault", "database", `SQLite says: ${integrity}`, "stop the service and restore a backup");
  return [
    ...findings,
    database,
    ...judgeStanding(overview, now),
    ...(facts.edge === null ? [] : judgeEdge(facts.edge, overview)),
  ];
}

function judgeFolder({ folder, state, permissions }: Facts): Finding[] {
  if (!state.ok) return [bad("fault", "data folder", state.error.message, "mend that first")];
  if (state.value !== "ready") {
    const found = {
      absent: "is not there",
      empty: "is empty",
      unfinished: "has an interrupted init in it",
      foreign: "holds other files",
    };
    return [
      bad("fault", "data folder", `${folder} ${found[state.value]}`, "run postern init, or name another with --data"),
    ];
  }
  if (permissions.length === 0) return [good("data folder", `${folder}, readable by its user alone`)];
  return permissions.map(({ path, problem, found, expected, remedy }) =>
    bad("fault", "permissions", `${path}: its ${problem} is ${found}, and ${expected} is needed`, remedy)
  );
}

function judgeSpace({ freeBytes }: Facts): Finding[] {
  if (freeBytes === null) return [];
  if (freeBytes >= LITTLE_SPACE_BYTES) return [good("disk", `${size(freeBytes)} free`)];
  return [bad("warning", "disk", `only ${size(freeBytes)} free`, "make room: a full disk stops pushes")];
}

function rowsText({ entries, covers }: Overview): string {
  return covers === 0 ? count(entries, "row") : `${count(entries, "row")} and ${count(covers, "cover row")}`;
}
