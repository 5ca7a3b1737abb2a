/** What to do about what an edge can be caught at: one text for each code, for whoever sits before the screen. */
/** The codes that say something about an edge, a manager or a clock rather than about a request. */
export type CaughtCode = "stale" | "clock" | "rolled_back" | "forked" | "withheld" | "tampered" | "restored";

export const ADVICE: Readonly<Record<CaughtCode, string>> = {
  stale:
    "What is shown may be old: take it as it was at that time, hand nothing in, and try again later. If it stays so, ask the " +
    "owner whether the manager runs; if it does, the edge holds its work back.",
  clock: "Set this machine's clock, or let it be set by the network, and try again.",
  rolled_back:
    "The edge shows an older state than was seen before: do not act on it. Tell the owner; if the manager was not restored " +
    "from a backup, the edge or its database has gone back.",
  forked:
    "There are two histories under one name: act on neither. Tell the owner on a way that does not pass the edge; either a copy " +
    "of the manager runs, or somebody else signs with its key. The owner finds out which with postern head compare.",
  withheld:
    "The edge keeps something back that must be there: take nothing for absent, and try again later. If it stays so, tell the " +
    "owner.",
  tampered:
    "What the edge shows is not what was signed: nothing of it was used. Try once more; if it stays so, tell the owner, and do " +
    "not rely on this edge.",
  restored:
    "Ask the owner, on a way that does not pass the edge, whether the manager was restored from a backup; confirm it only then.",
};

/** The advice for a code; null for one that needs none. */
export function adviceFor(code: string): string | null {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code as CaughtCode] : null;
}
