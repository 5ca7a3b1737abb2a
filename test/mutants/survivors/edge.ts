/** Survivors in the code of the edge. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const EDGE: readonly Survivor[] = [
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    [
      "edge/session/claimant.ts",
      "if (isPosternError(error) && NOT_THE_OWNERS.includes(error.code)) return null;",
      ALWAYS,
      "&& becomes ||",
    ],
    ["edge/session/claimant.ts", "throw error;", "the throw is taken out"],
    ["edge/session/login.ts", 'if (isPosternError(error, "tampered")) throw unauthorized();', ALWAYS],
    ["edge/session/login.ts", "throw error;", "the throw is taken out"],
    ["edge/session/token.ts", 'if (isPosternError(error, "malformed")) return null;', ALWAYS],
    ["edge/session/token.ts", 'if (isPosternError(error, "tampered")) return null;', ALWAYS],
    ["edge/session/token.ts", "throw error;", "the throw is taken out", ["the throw is taken out", 1]],
    ["edge/store/push/chunk_checks.ts", 'if (!isPosternError(cause, "unsupported")) throw cause;', NEVER],
    ["edge/store/push/checks.ts", "if (!isPosternError(cause)) throw cause;", NEVER],
  ),
  ...because(
    "A quick way beside the slow one, which comes to the same",
    ["edge/session/requests.ts", "if (known !== undefined) return Promise.resolve(judge(known, head, now));", NEVER],
    ["edge/session/requests.ts", "return digest === (body.length === 0 ? EMPTY_DIGEST : contentDigest(body));", NEVER],
    ["edge/http/gate.ts", "const bytes = request.body === null ? EMPTY : await readBody(request);", NEVER],
    [
      "edge/http/gate.ts",
      'return shapeAs(REQUESTS[body], decodeCbor(bytes, { views: body === "pushChunk" }), `body of ${route}`);',
      "=== becomes !==",
    ],
    [
      "edge/store/inbox/submit.ts",
      "...(submission.parts.length === 0 ? [] : [partsThere.bind(named), nameParts.bind(named)]),",
      NEVER,
    ],
  ),
  ...because(
    "Refused all the same: no key sealed a token of that length, no head verifies without its signature",
    ["edge/session/token.ts", "if (token.length > LIMITS.maxSessionTokenChars) return null;", NEVER, "> becomes >="],
    ["edge/session/token.ts", "if (sealed.length < AEAD_NONCE_BYTES) return null;", "< becomes <="],
    [
      "edge/session/requests.ts",
      "if (session === null || digest === null || input === null || signature === null) return null;",
      ["|| becomes &&", 2],
    ],
  ),
  ...because(
    "Refused all the same, with the same code, where each head is held against the statements",
    ["edge/store/push/checks.ts", "if (statement === undefined) throw missing(last);", NEVER],
    [
      "edge/store/push/checks.ts",
      "if (statement === null || number !== registration || !equalBytes(hash, statement)) {",
      ["|| becomes &&", 1],
    ],
  ),
  ...because(
    "Forward by nothing is no step",
    ["edge/session/window.ts", "if (number > this.#highest) this.#advance(word, number);", "> becomes >="],
  ),
  ...because(
    "No address begins with a mark, no two marks stand in one place, and a fragment never leaves whoever asks",
    ["edge/http/gate.ts", "const end = fragment < 0 ? url.length : fragment;", ALWAYS, "< becomes <="],
    ["edge/http/gate.ts", "const pathEnd = mark < 0 || mark > end ? end : mark;", "< becomes <=", "> becomes >="],
  ),
];
