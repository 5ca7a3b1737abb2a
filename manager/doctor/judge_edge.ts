/** The doctor's judgement of the edge and of the two clocks. Pure. */
import { duration } from "../text/moments.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { EdgeFacts, LoginFacts } from "./examine.ts";
import { bad, type Finding, good } from "./finding.ts";
import type { Overview } from "./overview.ts";

/** A clock that is this far off makes sessions fail (spec: SESS-11) and heads look wrong soon. */
const CLOCK_WARNING_MILLIS = 30_000;

/** Whether the edge can be reached, is the one that the owner means, and holds what the manager pushed. */
export function judgeEdge({ clock, login }: EdgeFacts, { origin }: Overview): Finding[] {
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
  const clocks = off <= CLOCK_WARNING_MILLIS
    ? good("clock", `agrees with the edge's, within ${duration(Math.max(off, uncertainMillis))}`)
    : bad(
      off > LIMITS.maxClockLeadMillis ? "fault" : "warning",
      "clock",
      `the edge's clock is ${duration(off)} ${aheadMillis > 0 ? "ahead of" : "behind"} this one`,
      "set this machine's clock (timedatectl set-ntp true); if it is right, the edge's is wrong",
    );
  if (login === null) return [clocks];
  if (!login.ok) return [clocks, judgeLogin(login.error.code, login.error.message, origin)];
  return [clocks, good("edge", `${origin} proves its key, and admits this owner`), judgeState(login.value)];
}

function judgeState({ state, agreed }: LoginFacts): Finding {
  if (!agreed.ok) {
    return bad(
      "fault",
      "edge",
      agreed.error.message,
      "never run two copies of a manager: see docs/owners/keys-backup.md",
    );
  }
  if (agreed.value.kind === "earlier_life") {
    return good("state", "the edge holds what was there before the restore; postern sync replaces it");
  }
  if (agreed.value.kind === "went_back") {
    return bad(
      "fault",
      "edge",
      `it shows generation ${agreed.value.generation}, after it had confirmed ${agreed.value.committed}`,
      "postern sync fills it anew; ask its operator what happened",
    );
  }
  return good("state", state.generation === 0 ? "the edge is empty" : `the edge holds generation ${state.generation}`);
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
