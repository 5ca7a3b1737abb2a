/** The hand of whoever sits on the wire: reads bodies, changes them, and makes the digest fit again, since anybody can. */
import type { CborInputMap, CborValue } from "../../shared/bytes/cbor.ts";
import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import { contentDigest, HEADERS } from "../../shared/protocol/http_signature.ts";
import { PROBLEM } from "../../shared/protocol/wire.ts";
import type { Exchange, Sent, SentAnswer, SentRequest } from "../fixtures/traffic.ts";
import { withHeader } from "../fixtures/traffic.ts";
import * as v from "valibot";

/** A body of the protocol: a map. */
export type Body = { readonly [name: string]: CborValue };

export function bodyOf(sent: Sent): Body {
  const body = decodeCbor(sent.body);
  if (typeof body !== "object" || body === null || Array.isArray(body) || body instanceof Uint8Array) {
    throw new TypeError("A body is a map");
  }
  return body;
}

/** The same with another body, and a digest that fits it if there was one. */
export function withBody<S extends Sent>(sent: S, body: CborInputMap): S {
  const bytes = encodeCbor(body);
  const changed = { ...sent, body: bytes };
  return sent.headers.has(HEADERS.digest) ? withHeader(changed, HEADERS.digest, contentDigest(bytes)) : changed;
}

/** The code of a refusal; null for a success. */
export function codeOf(answer: SentAnswer): string | null {
  if (answer.status === 200) return null;
  return v.parse(PROBLEM, JSON.parse(new TextDecoder().decode(answer.body))).code;
}

export function isSigned({ headers }: Sent): boolean {
  return headers.has(HEADERS.signature);
}

/** The last exchange whose path ends so, without its query. */
export function lastTo(exchanges: readonly Exchange[], ending: string, method = "GET"): Exchange {
  const found = exchanges.findLast(({ request }) =>
    request.method === method && new URL(request.url).pathname.endsWith(ending)
  );
  if (found === undefined) throw new Error(`Nothing was sent to ${ending}`);
  return found;
}

export function isTo({ method, url }: SentRequest, ending: string, expected = "GET"): boolean {
  return method === expected && new URL(url).pathname.endsWith(ending);
}

/** One bit, one letter or one number off; null and lists become something else entirely. */
export function slightlyOff(value: CborValue): CborValue {
  if (typeof value === "number") return value + 1;
  if (typeof value === "string") return value.replace(/.$/, (last) => last === "A" ? "B" : "A");
  if (typeof value === "boolean") return !value;
  if (!(value instanceof Uint8Array)) return 7;
  const copy = value.slice();
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
}
