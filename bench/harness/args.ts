/** The command line of `deno task bench`. Pure. */

/** What was asked for. */
export interface BenchArgs {
  /** Names of benches; none means all. */
  readonly names: readonly string[];
  /** How often the contestants take turns; null leaves it to each bench. */
  readonly rounds: number | null;
  /** How long each turn of a contestant is measured; null likewise. */
  readonly seconds: number | null;
  /** Sizes, too, that take long to build. */
  readonly large: boolean;
  /** Print one JSON object instead of text. */
  readonly json: boolean;
  readonly help: boolean;
}

const DEFAULTS: BenchArgs = { names: [], rounds: null, seconds: null, large: false, json: false, help: false };
const MAX_ROUNDS = 1_000;
const MAX_SECONDS = 3_600;

/** Reads the arguments. @returns a text that says what is wrong with them, if something is */
export function parseArgs(args: readonly string[], known: readonly string[]): BenchArgs | string {
  let parsed = DEFAULTS;
  const waiting = args.flatMap((arg) => /^--[a-z]+=/.test(arg) ? splitOnce(arg) : [arg]);
  for (let arg = waiting.shift(); arg !== undefined; arg = waiting.shift()) {
    switch (arg) {
      case "--json":
        parsed = { ...parsed, json: true };
        break;
      case "--large":
        parsed = { ...parsed, large: true };
        break;
      case "--help":
        parsed = { ...parsed, help: true };
        break;
      case "--rounds":
      case "--seconds": {
        const name = arg === "--rounds" ? "rounds" : "seconds";
        const value = numberOf(waiting.shift(), name);
        if (typeof value === "string") return value;
        parsed = { ...parsed, [name]: value };
        break;
      }
      default:
        if (!known.includes(arg)) return `There is no bench or option '${arg}'; benches are ${known.join(", ")}.`;
        parsed = { ...parsed, names: [...parsed.names, arg] };
    }
  }
  return parsed;
}

function splitOnce(arg: string): string[] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}

function numberOf(text: string | undefined, name: "rounds" | "seconds"): number | string {
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  if (name === "rounds" && Number.isInteger(value) && value >= 1 && value <= MAX_ROUNDS) return value;
  if (name === "seconds" && value >= 0.5 && value <= MAX_SECONDS) return value;
  const wanted = name === "rounds" ? `a whole number from 1 to ${MAX_ROUNDS}` : `from 0.5 to ${MAX_SECONDS}`;
  return `--${name} takes ${wanted}, not '${text ?? ""}'.`;
}
