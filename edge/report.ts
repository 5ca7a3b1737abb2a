/** What the edge logs: errors of its own, one line each, and nothing of any request (spec: STORE-01). */
import { PosternError } from "../shared/errors.ts";

/**
 * A line about an error.
 *
 * The messages of our own errors about databases and configuration hold no values. Of any other error only its kind and
 * where it was thrown are told: its message might hold anything.
 *
 * @param place a route or a task, without its parameters
 */
export function describeError(place: string, error: unknown): string {
  const what = error instanceof PosternError
    ? `${error.code}: ${error.message.replaceAll("\n", " ")}`
    : error instanceof Error
    ? `${error.name}${thrownAt(error)}`
    : "something that is no error was thrown";
  return `postern edge: ${place}: ${what}`;
}

/** The first frames of the stack. What stands before them is the message, which may look like a frame itself. */
function thrownAt(error: Error): string {
  const { stack = "" } = error;
  const message = String(error);
  if (!stack.startsWith(message)) return "";
  const frames = stack.slice(message.length).split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 3);
  return frames.map((line) => ` ${line.trim()}`).join(",");
}
