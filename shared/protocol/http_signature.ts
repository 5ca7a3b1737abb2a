/**
 * The one profile of HTTP Message Signatures (RFC 9421) and Digest Fields (RFC 9530) that Postern speaks
 * (shared/spec/session.md, "Signed messages"). Headers are compared with what we would emit, never parsed leniently:
 * other components, parameters, algorithms or labels do not exist.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { fromBase64 } from "../bytes/encoding.ts";
import type { SessionMacKey } from "../crypto/brand.ts";
import { constantTimeEqualText } from "../crypto/equal.ts";
import { hmacSha256Text, sha256Base64 } from "../crypto/text_mac.ts";

/** Names of the headers, in lower case. */
export const HEADERS = {
  session: "postern-session",
  digest: "content-digest",
  input: "signature-input",
  signature: "signature",
} as const;

const DIGEST_START = "sha-256=:";
const REQUEST_COMPONENTS = '("@method" "@path" "@query" "content-digest" "postern-session")';
const ANSWER_COMPONENTS = '("@status" "content-digest" "signature";req;key="postern")';
const LOGIN_COMPONENTS = '("@status" "content-digest")';

const INPUT = /^postern=(\([^)]*\));created=([1-9][0-9]{0,11});nonce="([CS])-(0|[1-9][0-9]{0,14})";alg="hmac-sha256"$/;
/** 32 bytes in their one base64 spelling: the last digit has two bits to spare, which are zero. */
const SIGNATURE = /^postern=:([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=):$/;

/** What identifies one signed message: when, and which of the session. */
export interface Stamp {
  /** Seconds since 1970, on the edge's clock: the one time that is not in milliseconds (spec: CONV-07). */
  readonly created: number;
  readonly number: number;
}

/** The signed parts of a request. */
export interface RequestParts {
  readonly method: string;
  /** As sent, base path included. */
  readonly path: string;
  /** With its `?`, which stands alone when there is no query. */
  readonly query: string;
  readonly digest: string;
  readonly session: string;
}

/** The signed parts of an answer. */
export interface AnswerParts {
  readonly status: number;
  readonly digest: string;
  /** The `signature` header value of the request that is answered, between its colons included; null for a login. */
  readonly request: string | null;
}

/** Values of the two signature headers. */
export interface SignatureHeaders {
  readonly input: string;
  readonly signature: string;
}

/** The `content-digest` of a body (RFC 9530 section 2). */
export function contentDigest(body: Uint8Array): string {
  return `${DIGEST_START}${sha256Base64(body)}:`;
}

/** The SHA-256 that a `content-digest` of {@link contentDigest} names. */
export function digestBytes(digest: string): Bytes {
  return fromBase64(digest.slice(DIGEST_START.length, -1));
}

/** Signs a request under c2s (spec: SESS-09). */
export function signRequest(key: SessionMacKey, parts: RequestParts, stamp: Stamp): SignatureHeaders {
  const parameters = signatureParameters(REQUEST_COMPONENTS, stamp, "C");
  return sign(key, requestBase(parts, parameters), parameters);
}

/** Signs an answer under s2c, bound to the request it answers (spec: SESS-09, SESS-10). */
export function signAnswer(key: SessionMacKey, parts: AnswerParts, stamp: Stamp): SignatureHeaders {
  const parameters = signatureParameters(componentsOf(parts), stamp, "S");
  return sign(key, answerBase(parts, parameters), parameters);
}

/** The stamp of a request's signature input, or null if it is not exactly of our form. */
export function readRequestStamp(input: string): Stamp | null {
  return readStamp(input, REQUEST_COMPONENTS, "C");
}

/** The stamp of a request whose signature verifies, for the caller to judge (spec: SESS-11), or null. */
export function verifyRequest(key: SessionMacKey, parts: RequestParts, headers: SignatureHeaders): Stamp | null {
  const isSigned = verify(key, requestBase(parts, headers.input.slice(LABEL_LENGTH)), headers);
  return isSigned ? readRequestStamp(headers.input) : null;
}

/** The stamp of an answer whose signature verifies, or null (spec: SESS-13). */
export function verifyAnswer(key: SessionMacKey, parts: AnswerParts, headers: SignatureHeaders): Stamp | null {
  const isSigned = verify(key, answerBase(parts, headers.input.slice(LABEL_LENGTH)), headers);
  return isSigned ? readStamp(headers.input, componentsOf(parts), "S") : null;
}

const LABEL_LENGTH = "postern=".length;

function componentsOf(parts: AnswerParts): string {
  return parts.request === null ? LOGIN_COMPONENTS : ANSWER_COMPONENTS;
}

function signatureParameters(components: string, { created, number }: Stamp, direction: "C" | "S"): string {
  return `${components};created=${created};nonce="${direction}-${number}";alg="hmac-sha256"`;
}

function readStamp(input: string, components: string, direction: "C" | "S"): Stamp | null {
  const match = INPUT.exec(input);
  if (match === null || match[1] !== components || match[3] !== direction) return null;
  return { created: Number(match[2]), number: Number(match[4]) };
}

/** RFC 9421 section 2.5. */
function requestBase(p: RequestParts, parameters: string): string {
  return `"@method": ${p.method}\n"@path": ${p.path}\n"@query": ${p.query}\n"content-digest": ${p.digest}\n` +
    `"postern-session": ${p.session}\n"@signature-params": ${parameters}`;
}

function answerBase(p: AnswerParts, parameters: string): string {
  const bound = p.request === null ? "" : `"signature";req;key="postern": ${p.request}\n`;
  return `"@status": ${p.status}\n"content-digest": ${p.digest}\n${bound}"@signature-params": ${parameters}`;
}

function sign(key: SessionMacKey, base: string, parameters: string): SignatureHeaders {
  return { input: `postern=${parameters}`, signature: `postern=:${hmacSha256Text(key, base)}:` };
}

function verify(key: SessionMacKey, base: string, headers: SignatureHeaders): boolean {
  const match = SIGNATURE.exec(headers.signature);
  if (match?.[1] === undefined) return false;
  return constantTimeEqualText(hmacSha256Text(key, base), match[1]);
}

/** The byte sequence of a `signature` header as a component of the answer's base, `:…:`; null if it is not of our form. */
export function signatureValue(header: string): string | null {
  return SIGNATURE.test(header) ? header.slice(LABEL_LENGTH) : null;
}
