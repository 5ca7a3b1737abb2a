/** Answers as HTTP responses: their headers, and among them those that browsers need (spec: CONV-08). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { HEADERS } from "../../shared/protocol/http_signature.ts";
import { MEDIA } from "../../shared/protocol/wire.ts";
import { type ProblemCode, problemOf } from "./problem.ts";
import type { AnswerSignature } from "../session/requests.ts";

/** What an answer consists of. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Bytes;
  readonly signature: AnswerSignature | null;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
}

const EXPOSED = [HEADERS.digest, HEADERS.signature, HEADERS.input, "retry-after"].join(", ");
const ALLOWED = ["content-type", HEADERS.digest, HEADERS.session, HEADERS.signature, HEADERS.input].join(", ");
/** As long as browsers keep it. */
const PREFLIGHT_SECONDS = 7_200;

/** The answer that says what went wrong, by its code alone (spec: CONV-09); the text is for people. */
export function refusal(code: ProblemCode, text?: string): Answer {
  const { status, body } = problemOf(code, text);
  return { status, type: MEDIA.problem, body, signature: null };
}

/** Makes the response. Headers for browsers are there when one asks: each header costs time in every answer. */
export function respond(request: Request, answer: Answer): Response {
  const headers: Record<string, string> = {
    "content-type": answer.type,
    "cache-control": "no-store, no-transform",
    "x-content-type-options": "nosniff",
  };
  if (answer.signature !== null) {
    headers[HEADERS.digest] = answer.signature.digest;
    headers[HEADERS.input] = answer.signature.input;
    headers[HEADERS.signature] = answer.signature.signature;
  }
  if (answer.retryAfter !== undefined) headers["retry-after"] = String(answer.retryAfter);
  if (request.headers.has("origin")) {
    headers["access-control-allow-origin"] = "*";
    headers["access-control-expose-headers"] = EXPOSED;
  }
  return new Response(answer.body, { status: answer.status, headers });
}

/** The answer to a browser that asks whether it may ask. Any site may: without a session there is nothing to be had. */
export function respondToPreflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, PUT, DELETE",
      "access-control-allow-headers": ALLOWED,
      "access-control-max-age": String(PREFLIGHT_SECONDS),
    },
  });
}

/** Something in JSON, for people and their tools. */
export function respondWithJson(request: Request, text: string, cacheControl: string): Response {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'",
  };
  if (request.headers.has("origin")) headers["access-control-allow-origin"] = "*";
  return new Response(text, { headers });
}
