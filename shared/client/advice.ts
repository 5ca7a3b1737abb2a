/** What to do when an edge is caught at something: one text for each code, for the person at the screen. */

/** The codes that say something about an edge, a manager or a clock rather than about a request. */
export type CaughtCode = "stale" | "clock" | "rolled_back" | "forked" | "withheld" | "tampered" | "restored";

export const ADVICE: Readonly<Record<CaughtCode, string>> = {
  stale:
    "What you see may be old: take it as it was at that time, hand nothing in, and try again later. If this goes on, ask the " +
    "owner whether the manager is running; if it is, the edge is holding its work back.",
  clock: "Set this machine's clock, or let the network set it, and try again.",
  rolled_back:
    "The edge shows an older state than was seen before: do not act on it. Tell the owner; if the manager was not restored " +
    "from a backup, the edge or its database has gone back.",
  forked:
    "There are two histories under one name: act on neither. Tell the owner by a way that the edge does not control: either a " +
    "copy of the manager is running, or somebody else signs with its key. postern head compare tells the owner which.",
  withheld:
    "The edge is holding something back: do not believe that anything is absent, and try again later. If this goes on, tell " +
    "the owner.",
  tampered:
    "What the edge shows is not what was signed: nothing of it was used. Try once more. If it happens again, tell the owner, " +
    "and do not rely on this edge.",
  restored:
    "Ask the owner, by a way that the edge does not control, whether the manager was restored from a backup. Confirm it only " +
    "if it was.",
};

/** The advice for a code; null for one that needs none. */
export function adviceFor(code: string): string | null {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code as CaughtCode] : null;
}
