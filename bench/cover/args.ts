/** The command line of `deno task bench:cover`. Pure. */
import { MAX_REVOKED } from "../../shared/cover/subsets.ts";
import { DEFAULT_COVER_DEPTH } from "../../shared/cover/tree.ts";

/** What is to be measured. */
export interface CoverArgs {
  readonly depth: number;
  readonly revoked: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** @returns a text that says what is wrong, if something is */
export function parseCoverArgs(args: readonly string[]): CoverArgs | string {
  let parsed: CoverArgs = { depth: DEFAULT_COVER_DEPTH, revoked: 100, json: false, help: false };
  const waiting = args.flatMap((arg) => /^--[a-z]+=/.test(arg) ? arg.split(/=(.*)/s, 2) : [arg]);
  for (let arg = waiting.shift(); arg !== undefined; arg = waiting.shift()) {
    if (arg === "--json") parsed = { ...parsed, json: true };
    else if (arg === "--help") parsed = { ...parsed, help: true };
    else if (arg === "--leaves") {
      const depth = depthOf(waiting.shift() ?? "");
      if (depth === null) return "--leaves takes a power of two from 2 to 2^32, such as 1048576 or 2^32.";
      parsed = { ...parsed, depth };
    } else if (arg === "--revoked") {
      const revoked = countOf(waiting.shift() ?? "");
      if (revoked === null) return `--revoked takes a whole number from 0 to ${MAX_REVOKED}.`;
      parsed = { ...parsed, revoked };
    } else return `There is no option '${arg}'.`;
  }
  if (parsed.revoked >= 2 ** parsed.depth) return "Somebody has to be left who can open: revoke fewer than all leaves.";
  return parsed;
}

function depthOf(text: string): number | null {
  const leaves = /^2\^\d{1,2}$/.test(text) ? 2 ** Number(text.slice(2)) : /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  const depth = Math.log2(leaves);
  return Number.isInteger(depth) && depth >= 1 && depth <= DEFAULT_COVER_DEPTH ? depth : null;
}

function countOf(text: string): number | null {
  return /^\d{1,6}$/.test(text) && Number(text) <= MAX_REVOKED ? Number(text) : null;
}
