/** What `deno task start` is told. */
import { PosternError } from "../../shared/errors.ts";

export interface StartOptions {
  /** Holds `edge`, `manager` and `device`. */
  readonly folder: string;
  /** A mailbox to import: .eml, mbox, Maildir, or a folder of these. */
  readonly mail: string | null;
  /** Ends after one full turn. */
  readonly once: boolean;
  /** Prints one summary to standard output. */
  readonly json: boolean;
  readonly intervalMillis: number;
  readonly help: boolean;
}

export const HELP = `deno task start [options]

Runs the whole of Postern on this machine: an edge on an embedded database, a manager that fills it, and a device that logs in,
verifies and reads what it may read. Then it goes on as a service until Ctrl-C. A second start continues where the first stopped.

  --data DIR          the folder (./data): DIR/edge, DIR/manager, DIR/device
  --mail PATH         import a mailbox: .eml, mbox, Maildir, or a folder of these
  --interval SECONDS  between two turns of the service (30)
  --once              end after one full turn
  --json              print one summary object to standard output
  --help              this text
`;

const DEFAULT_INTERVAL_SECONDS = 30;
const MAX_INTERVAL_SECONDS = 86_400;

/** Reads the arguments. @throws `usage` */
export function readOptions(args: readonly string[]): StartOptions {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const [name = "", inline] = (args[at] ?? "").split("=", 2);
    if (["--once", "--json", "--help"].includes(name) && inline === undefined) {
      flags.add(name);
      continue;
    }
    const value = inline ?? args[++at];
    if (!["--data", "--mail", "--interval"].includes(name)) {
      throw new PosternError("usage", `There is no option ${name}; see: deno task start --help`);
    }
    if (value === undefined || value === "") throw new PosternError("usage", `The option ${name} needs a value`);
    values.set(name, value);
  }
  return {
    folder: values.get("--data") ?? "data",
    mail: values.get("--mail") ?? null,
    once: flags.has("--once"),
    json: flags.has("--json"),
    help: flags.has("--help"),
    intervalMillis: readInterval(values.get("--interval")),
  };
}

function readInterval(text: string | undefined): number {
  if (text === undefined) return DEFAULT_INTERVAL_SECONDS * 1_000;
  const seconds = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  if (seconds === 0 || seconds > MAX_INTERVAL_SECONDS) {
    throw new PosternError(
      "usage",
      `--interval is a number of seconds from 1 to ${MAX_INTERVAL_SECONDS}, not '${text}'`,
    );
  }
  return seconds * 1_000;
}
