/** The doctor's judgement: facts in, findings with remedies out. Pure. */
import { duration, size } from "../text/moments.ts";
import { count } from "../text/layout.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { EdgeFacts, Facts } from "./examine.ts";
import { bad, type Finding, good } from "./finding.ts";
import { judgeKek } from "./judge_kek.ts";
import { isOverdue, type Overview } from "./overview.ts";

/** Below, a push of a large store may not find room. */
const LITTLE_SPACE_BYTES = 256 * 1_048_576;
/** A clock that is this far off makes sessions fail (spec: SESS-11) and heads look wrong soon. */
const CLOCK_WARNING_MILLIS = 30_000;
const PENDING_MILLIS = 86_400_000;

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

function judgeStanding(overview: Overview, now: number): Finding[] {
  const { head, alarms, devices, certificates } = overview;
  const findings: Finding[] = [];
  if (head === null) findings.push(bad("note", "heads", "nothing was pushed yet", "postern sync"));
  else if (head.head.time > now + LIMITS.maxClockLeadMillis) {
    const lead = duration(head.head.time - now);
    findings.push(
      bad(
        "fault",
        "clock",
        `the newest head is dated ${lead} ahead of this clock`,
        "set the clock; if the head's date was wrong: postern clock confirm",
      ),
    );
  } else if (isOverdue(overview, now)) {
    const late = duration(now - head.head.nextDue);
    findings.push(
      bad(
        "fault",
        "heads",
        `the next head has been due for ${late}: devices call the edge stale`,
        "start the service (postern run), or postern sync",
      ),
    );
  } else {findings.push(
      good("heads", `generation ${head.head.generation}, the next is due in ${duration(head.head.nextDue - now)}`),
    );}
  for (const { code, text } of alarms) {
    findings.push(bad("warning", "alarm", `${text} [${code}]`, "deal with it, then clear it: postern alarm list"));
  }
  const old = devices.filter(({ state, added }) => state === "pending" && now - added > PENDING_MILLIS);
  for (const { name } of old) {
    findings.push(
      bad("note", "devices", `'${name}' has waited for more than a day`, `postern device confirm or revoke ${name}`),
    );
  }
  if (head !== null && head.head.classical > 0) {
    findings.push(
      bad(
        "note",
        "devices",
        `${count(head.head.classical, "device")} in this epoch would fall to a quantum computer`,
        "replace them by devices with X-Wing keys",
      ),
    );
  }
  if (certificates.waiting > 0) {
    findings.push(
      bad(
        "note",
        "certificates",
        `${count(certificates.waiting, "certificate")} waiting for you`,
        "postern cert review",
      ),
    );
  }
  return [...findings, ...judgePushes(overview)];
}

function rowsText({ entries, covers }: Overview): string {
  return covers === 0 ? count(entries, "row") : `${count(entries, "row")} and ${count(covers, "cover row")}`;
}

/** What the edge sees of changes, in a store that goes out in changes, and in one that goes out whole. */
function judgePushes({ entries, policy: { fullUpToRows, coverRows } }: Overview): Finding[] {
  if (entries <= fullUpToRows) {
    if (coverRows > 0) return [];
    const seen = "everything is sent anew, but not padded: the edge can count what comes and goes, channel by channel";
    return [bad("note", "pushes", seen, "postern settings --cover 8")];
  }
  if (coverRows > 0) {
    return [good("pushes", `only changes are sent, among at least ${count(coverRows, "cover row")} of each kind`)];
  }
  const seen = "only changes are sent, without cover: the edge sees which rows change, and how many";
  return [bad("note", "pushes", seen, "postern settings --cover 8, or --full-up-to 500 for a small store")];
}

function judgeEdge({ clock, login }: EdgeFacts, { origin }: Overview): Finding[] {
  if (!clock.ok) {
    return [
      bad(
        "fault",
        "edge",
        `${origin}: ${clock.error.message}`,
        "check that the edge runs, its address (postern edge url), and this machine's network",
      ),
    ];
  }
  const { aheadMillis, uncertainMillis } = clock.value;
  const off = Math.max(0, Math.abs(aheadMillis) - uncertainMillis);
  const findings = [
    off <= CLOCK_WARNING_MILLIS
      ? good("clock", `agrees with the edge's, within ${duration(Math.max(off, uncertainMillis))}`)
      : bad(
        off > LIMITS.maxClockLeadMillis ? "fault" : "warning",
        "clock",
        `the edge's clock is ${duration(off)} ${aheadMillis > 0 ? "ahead of" : "behind"} this one`,
        "set this machine's clock (timedatectl set-ntp true); if it is right, the edge's is wrong",
      ),
  ];
  if (login === null) return findings;
  if (!login.ok) return [...findings, judgeLogin(login.error.code, login.error.message, origin)];
  const { state, agreed } = login.value;
  findings.push(good("edge", `${origin} proves its key, and admits this owner`));
  if (!agreed.ok) {
    findings.push(
      bad("fault", "edge", agreed.error.message, "never run two copies of a manager: see docs/owners/keys-backup.md"),
    );
  } else if (agreed.value.kind === "earlier_life") {
    findings.push(good("state", "the edge holds what was there before the restore; postern sync replaces it"));
  } else if (agreed.value.kind === "went_back") {
    findings.push(
      bad(
        "fault",
        "edge",
        `it shows generation ${agreed.value.generation}, after it had confirmed ${agreed.value.committed}`,
        "postern sync fills it anew; ask its operator what happened",
      ),
    );
  } else {findings.push(
      good("state", state.generation === 0 ? "the edge is empty" : `the edge holds generation ${state.generation}`),
    );}
  return findings;
}

function judgeLogin(code: string, message: string, origin: string): Finding {
  if (code === "unauthorized" || code === "forbidden") {
    return bad(
      "fault",
      "edge",
      `${origin} does not let the manager in`,
      "at the edge, POSTERN_OWNERS must list this owner (postern status), POSTERN_ORIGIN be this very address, and POSTERN_EDGE_KEY the key of 'postern edge url'",
    );
  }
  if (code === "tampered") {
    return bad(
      "fault",
      "edge",
      `${origin} does not prove the key that the owner statement names`,
      "at the edge, set POSTERN_EDGE_KEY to the secret of that key; or tell the manager the new one: postern edge url",
    );
  }
  return bad("fault", "edge", message, "see the message");
}
