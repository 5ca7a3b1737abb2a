/** How an error is told: what was tried, what was found, what to do next; a stack trace only for `--debug`. Pure. */
import { adviceFor } from "../../shared/client/advice.ts";
import { isPosternError } from "../../shared/errors.ts";
import { EXIT, exitCodeOf } from "./exit_codes.ts";
import type { Json } from "./output.ts";
import { plain } from "../text/layout.ts";

export interface ToldError {
  readonly text: string;
  readonly json: Json;
  readonly exit: number;
}

/** Groups of commands that believe or disbelieve an edge. */
const ASKING_THE_EDGE: readonly string[] = [
  "edge",
  "init",
  "device",
  "sync",
  "run",
  "status",
  "verify",
  "head",
  "backup",
];
/** What the same codes mean where something else than an edge is read. */
const ADVICE_ELSEWHERE: Readonly<Record<string, string>> = {
  update: "docs/updating.md says what each code means and what to do.",
};

/**
 * The error in words, as JSON, and as an exit code.
 *
 * @param group the command's first word; absent when it got no further than its options
 */
export function tellError(error: unknown, isDebug: boolean, group?: string): ToldError {
  if (isPosternError(error)) {
    const advice = adviceOf(error.code, group);
    const lines = [
      `postern: ${plain(capital(error.message))} [${error.code}]`,
      ...(advice === null ? [] : [`  -> ${advice}`]),
      ...(isDebug ? trace(error) : []),
    ];
    return {
      text: lines.join("\n"),
      json: { error: { code: error.code, message: error.message, ...(advice === null ? {} : { advice }) } },
      exit: exitCodeOf(error.code),
    };
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `a thrown ${typeof error}`;
  const advice = isDebug ? "Please report it." : "Run it again with --debug, and please report what it prints.";
  const lines = [
    `postern: An error that Postern did not foresee: ${plain(what)}. ${advice}`,
    ...(isDebug ? trace(error) : []),
  ];
  return { text: lines.join("\n"), json: { error: { code: "bug", message: what } }, exit: EXIT.bug };
}

function adviceOf(code: string, group: string | undefined): string | null {
  const advice = adviceFor(code);
  if (advice === null || code === "clock" || group === undefined || ASKING_THE_EDGE.includes(group)) return advice;
  return ADVICE_ELSEWHERE[group] ?? null;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function trace(error: unknown): string[] {
  const lines: string[] = [];
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 8; one = one.cause, depth++) {
    lines.push(depth === 0 ? one.stack ?? "" : `Caused by ${one.stack ?? one.message}`);
  }
  return lines;
}
