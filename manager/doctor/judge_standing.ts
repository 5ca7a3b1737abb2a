/** The doctor's judgement of how the manager stands by its own database. Pure. */
import { duration } from "../text/moments.ts";
import { count } from "../text/layout.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bad, type Finding, good } from "./finding.ts";
import { isOverdue, type Overview } from "./overview.ts";

const PENDING_MILLIS = 86_400_000;

/** How the manager stands by its own database: heads, alarms, devices, certificates, pushes. `now` in Millis. */
export function judgeStanding(overview: Overview, now: number): Finding[] {
  return [
    judgeHeads(overview, now),
    ...judgeAlarms(overview),
    ...judgeDevices(overview, now),
    ...judgeCertificates(overview),
    ...judgePushes(overview),
  ];
}

function judgeHeads(overview: Overview, now: number): Finding {
  const { head } = overview;
  if (head === null) return bad("note", "heads", "nothing was pushed yet", "postern sync");
  const { generation, time, nextDue } = head.head;
  if (time > now + LIMITS.maxClockLeadMillis) {
    return bad(
      "fault",
      "clock",
      `the newest head is dated ${duration(time - now)} ahead of this clock`,
      "set the clock; if the head's date was wrong: postern clock confirm",
    );
  }
  if (isOverdue(overview, now)) {
    return bad(
      "fault",
      "heads",
      `the next head has been due for ${duration(now - nextDue)}: devices call the edge stale`,
      "start the service (postern run), or postern sync",
    );
  }
  return good("heads", `generation ${generation}, the next is due in ${duration(nextDue - now)}`);
}

function judgeAlarms({ alarms }: Overview): Finding[] {
  return alarms.map(({ code, text }) =>
    bad("warning", "alarm", `${text} [${code}]`, "deal with it, then clear it: postern alarm list")
  );
}

function judgeDevices({ devices, head }: Overview, now: number): Finding[] {
  const late = devices.filter(({ state, added }) => state === "pending" && now - added > PENDING_MILLIS);
  const classical = head?.head.classical ?? 0;
  return [
    ...late.map(({ name }) =>
      bad("note", "devices", `'${name}' has waited for more than a day`, `postern device confirm or revoke ${name}`)
    ),
    ...(classical === 0 ? [] : [
      bad(
        "note",
        "devices",
        `${count(classical, "device")} in this epoch would fall to a quantum computer`,
        "replace them by devices with X-Wing keys",
      ),
    ]),
  ];
}

function judgeCertificates({ certificates: { waiting } }: Overview): Finding[] {
  if (waiting === 0) return [];
  return [bad("note", "certificates", `${count(waiting, "certificate")} waiting for you`, "postern cert review")];
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
