/** What `postern verify` says of a state that it found in order. Pure. */
import type { VerifiedDump } from "../../doctor/verify_dump.ts";
import type { VerifiedEdge } from "../../doctor/verify_edge.ts";
import type { VerifiedState } from "../../doctor/verify_state.ts";
import { count, pairs } from "../../text/layout.ts";
import { duration, isoOrNull, moment } from "../../text/moments.ts";
import type { Output } from "../output.ts";

/** For programs. */
function stateJson({ head, counts, rows }: VerifiedState) {
  return {
    verified: true,
    generation: head.generation,
    epoch: head.epoch,
    time: isoOrNull(head.time),
    nextDue: isoOrNull(head.nextDue),
    rows,
    contents: { ...counts },
    classicalDevices: head.classical,
  };
}

/** For people. */
function statePairs({ head, counts, rows }: VerifiedState): (readonly [string, string])[] {
  return [
    ["verified", `generation ${head.generation}, epoch ${head.epoch}, signed ${moment(head.time)}`],
    ["rows", `${count(rows, "row")}: every MAC, every place, every root`],
    ["devices", String(counts.devices)],
    ["certificates", String(counts.certificates)],
    ["messages", `${counts.messages} in ${count(counts.channels, "channel")}, complete with all parts`],
    ["next head due", moment(head.nextDue)],
  ];
}

/** What the edge showed, and where it stands. */
export function presentEdge(verified: VerifiedEdge): Output {
  const { provenTables, ageMillis } = verified;
  return {
    json: { ...stateJson(verified), provenTables, ageMillis },
    text: pairs([
      ...statePairs(verified),
      ["proofs", `of a row, and of one that is not there, in ${count(provenTables, "table")}`],
      ["stands at", "the newest generation"],
      ["age", AGES.fresh(duration(Math.max(0, ageMillis)))],
      ["not covered", "trees, history and login keys, which postern verify --dump reads, and what others are shown"],
    ]),
  };
}

/** A dump, with what only its file shows, and where it stands. */
export function presentDump(verified: VerifiedDump, file: string): Output {
  const { statement, blocks, historyNodes, logins, ageMillis, freshness, newestConfirmed, head } = verified;
  const isNewest = head.generation >= newestConfirmed;
  return {
    json: {
      ...stateJson(verified),
      ...{ dump: file, statement, blocks, historyNodes, logins, ageMillis, freshness, isNewest, newestConfirmed },
    },
    text: pairs([
      ["dump", file],
      ...statePairs(verified),
      ["statement", `${statement}, issued by this manager`],
      ["trees", `${count(blocks, "block")} follow from the rows, and there are no others`],
      ["history", `${count(historyNodes, "node")} of ${count(head.history.size, "earlier head")}`],
      ["logins", `${count(logins, "device")} let in by the key that the manager registered`],
      ["stands at", isNewest ? "the newest generation" : `${head.generation} of ${newestConfirmed}: it is old`],
      ["age", AGES[freshness](duration(Math.max(0, ageMillis)))],
      ["not covered", "submissions that the manager has not taken yet: no head covers them"],
    ]),
  };
}

const AGES = {
  fresh: (age: string) => `${age}, fresh`,
  overdue: (age: string) => `${age}: the next head was due since`,
  ahead: () => "from the future by this clock: check the clock",
} as const;
