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

/** Signed bytes reach the client as they are, and stay nowhere else. */
const UNCHANGED = "no-store, no-transform";
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
export function respond(request: Request, { status, type, body, signature, retryAfter }: Answer): Response {
  const headers: Record<string, string> = signature === null
    ? { "content-type": type, "cache-control": UNCHANGED, "x-content-type-options": "nosniff" }
    : {
      "content-type": type,
      "cache-control": UNCHANGED,
      "x-content-type-options": "nosniff",
      [HEADERS.digest]: signature.digest,
      [HEADERS.input]: signature.input,
      [HEADERS.signature]: signature.signature,
    };
  if (retryAfter !== undefined) headers["retry-after"] = String(retryAfter);
  if (asksFromBrowser(request)) {
    headers["access-control-allow-origin"] = "*";
    headers["access-control-expose-headers"] = EXPOSED;
  }
  return new Response(body, { status, headers });
}

function asksFromBrowser({ headers }: Request): boolean {
  // Not `has`, for which Deno makes a list of all headers first.
  return headers.get("origin") !== null;
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
  if (asksFromBrowser(request)) headers["access-control-allow-origin"] = "*";
  return new Response(text, { headers });
}
