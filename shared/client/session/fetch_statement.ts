/** The owner statement, which anybody may read before a login (shared/spec/reading.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { requireOrigin } from "../../protocol/origin.ts";
import { pathOf } from "../../protocol/paths.ts";
import { decodeAs } from "../../protocol/shapes.ts";
import { ANSWERS } from "../../protocol/wire.ts";
import { type CallOptions, exchange } from "./http.ts";
import { problemOf, retryAfterMillis } from "./problem.ts";
import { withRetries } from "./retry.ts";
import type { Surroundings } from "../surroundings.ts";

const WHAT = "Reading the owner statement";

/** The signed statement that an edge shows for an owner, not verified; null when it has none. */
export async function fetchStatement(
  owner: Bytes,
  origin: string,
  surroundings: Surroundings,
  options: CallOptions = {},
): Promise<Bytes | null> {
  requireOrigin(origin);
  const url = origin + pathOf("statement", { owner });
  return await withRetries(surroundings, async () => {
    const request = { url, method: "GET", headers: {}, body: null, what: WHAT };
    const answer = await exchange(surroundings, request, options);
    if (answer.status !== 200) {
      return { ok: false, error: problemOf(answer, WHAT), waitMillis: retryAfterMillis(answer) };
    }
    return { ok: true, value: decodeAs(ANSWERS.statement, answer.body, "answer with the owner statement").statement };
  }, options);
}
