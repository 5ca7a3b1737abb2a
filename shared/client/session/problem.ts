/** What an edge says when it refuses (shared/spec/conventions.md, CONV-09 and CONV-10). */
import * as v from "valibot";
import { type ErrorCode, PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { MEDIA, PROBLEM } from "../../protocol/wire.ts";
import type { HttpAnswer } from "./http.ts";

/** The codes that an edge may answer with; any other would let it put words into our mouth, such as `tampered`. */
const CODES: readonly ErrorCode[] = [
  ...["malformed", "unauthorized", "forbidden", "not_found", "conflict", "epoch_gone"] as const,
  ...["too_large", "unsupported", "rate_limited", "storage"] as const,
];

/**
 * The error that an answer amounts to, decided by its code alone (spec: CONV-09). What is no problem document is `network`: something
 * on the way answered, not an edge.
 */
export function problemOf(answer: HttpAnswer, what: string): PosternError {
  const problem = parse(answer);
  const code = CODES.find((one) => one === problem?.code);
  if (problem === null || code === undefined) {
    return new PosternError("network", `${what}: answered with status ${answer.status} and nothing that an edge says`);
  }
  const title = /^[\x20-\x7e]*$/.test(problem.title) ? problem.title.slice(0, LIMITS.maxProblemTitleChars) : "";
  return new PosternError(code, `${what}: the edge refused (${code}${title === "" ? "" : `, "${title}"`})`);
}

function parse(answer: HttpAnswer): v.InferOutput<typeof PROBLEM> | null {
  const [type] = (answer.headers.get("content-type") ?? "").split(";");
  if (type?.trim().toLowerCase() !== MEDIA.problem) return null;
  try {
    const result = v.safeParse(PROBLEM, JSON.parse(new TextDecoder().decode(answer.body)));
    return result.success ? result.output : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** How long the edge asks to wait, Millis; null when it says nothing that is a number of seconds. */
export function retryAfterMillis(answer: HttpAnswer): number | null {
  const seconds = answer.headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1_000 : null;
}
