/** Signed requests: whether one is of a session of ours, new, and of now (shared/spec/session.md, "Signed messages"). */
import { EMPTY } from "../../shared/bytes/bytes.ts";
import { LIMITS } from "../../shared/limits.ts";
import {
  contentDigest,
  signAnswer,
  type SignatureHeaders,
  signatureValue,
  verifyRequest,
} from "../../shared/protocol/http_signature.ts";
import type { SessionKeys } from "../../shared/protocol/login.ts";
import type { Principal } from "../store/principal.ts";
import type { OpenSession, OpenSessions } from "./open_sessions.ts";

const EMPTY_DIGEST: string = contentDigest(EMPTY);

/** What a request says of itself; a header that is not there is null. */
export interface RequestHead {
  readonly method: string;
  /** As sent, base path included. */
  readonly path: string;
  /** As sent, with its `?`; a `?` alone without a query. */
  readonly query: string;
  /** The owner's id in the path. */
  readonly owner: string;
  readonly session: string | null;
  readonly digest: string | null;
  readonly input: string | null;
  readonly signature: string | null;
}

/** A request whose head verified: whose it is, and what its answer is signed with. Its body is still to be compared. */
export interface VerifiedHead {
  readonly principal: Principal;
  readonly keys: SessionKeys;
  /** The request's number in the session. */
  readonly number: number;
  /** The request's MAC as it stands in the base of the answer. */
  readonly mac: string;
  readonly digest: string;
}

/**
 * Verifies the head of a request and takes its number (spec: SESS-09, SESS-10, SESS-11).
 *
 * @returns null whatever is wrong: from outside, all of it is one answer (spec: CONV-10)
 */
export function verifyHead(sessions: OpenSessions, head: RequestHead, now: number): Promise<VerifiedHead | null> {
  if (head.session === null) return Promise.resolve(null);
  const known = sessions.known(head.session);
  if (known !== undefined) return Promise.resolve(judge(known, head, now));
  return sessions.open(head.session).then((opened) => opened === null ? null : judge(opened, head, now));
}

function judge(open: OpenSession, head: RequestHead, now: number): VerifiedHead | null {
  const { method, path, query, owner, session, digest, input, signature } = head;
  if (session === null || digest === null || input === null || signature === null) return null;
  const { principal, keys } = open.session;
  if (owner !== open.ownerHex || now >= principal.expires) return null;
  const stamp = verifyRequest(keys.c2s, { method, path, query, digest, session }, { input, signature });
  const mac = signatureValue(signature);
  if (stamp === null || mac === null || stamp.number === 0) return null;
  if (Math.abs(stamp.created - Math.floor(now / 1_000)) > LIMITS.createdSkewSeconds) return null;
  if (!open.take(stamp)) return null;
  return { principal, keys, number: stamp.number, mac, digest };
}

/** True when the body is the one that was signed; without a copy for the many requests that have none. */
export function isSignedBody({ digest }: VerifiedHead, body: Uint8Array): boolean {
  return digest === (body.length === 0 ? EMPTY_DIGEST : contentDigest(body));
}

/** The headers that make an answer one of this session (spec: SESS-09, SESS-13). */
export interface AnswerSignature extends SignatureHeaders {
  readonly digest: string;
}

/**
 * Signs an answer.
 *
 * @param request the head that is answered; null for the answer of a login, which has number 0 (spec: SESS-06)
 */
export function signBody(
  keys: SessionKeys,
  request: Pick<VerifiedHead, "number" | "mac"> | null,
  status: number,
  body: Uint8Array,
  now: number,
): AnswerSignature {
  const digest = contentDigest(body);
  const stamp = { created: Math.floor(now / 1_000), number: request?.number ?? 0 };
  return { digest, ...signAnswer(keys.s2c, { status, digest, request: request?.mac ?? null }, stamp) };
}
