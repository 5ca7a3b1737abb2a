/** The owner statement: the root's word on which keys, edges and incarnation count (shared/spec/head.md). */
import * as v from "valibot";
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readCertificate } from "../x509/certificate.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, textUpTo, uint } from "./shapes.ts";
import { requireSignature, type Signer } from "./signed.ts";

const statementTuple = v.strictTuple([
  label(LABELS.statement),
  bytesOf(32),
  positive,
  bytesOf(16),
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  bytesOf(LIMITS.xwingPublicKeyBytes),
  bytesOf(LIMITS.xwingPublicKeyBytes),
  v.pipe(
    v.array(v.strictTuple([textUpTo(LIMITS.maxOriginChars, 1), bytesOf(32)])),
    v.minLength(1),
    v.maxLength(LIMITS.maxEdges),
  ),
  uint,
  v.nullable(v.strictTuple([positive, bytesOf(32)])),
]);

const signedTuple = v.strictTuple([
  bytesUpTo(LIMITS.maxCertificateBytes, 1),
  bytesUpTo(LIMITS.maxStatementBytes, 1),
  bytesUpTo(LIMITS.maxSignatureBytes, 1),
]);

/** An edge that the owner admits. */
export interface EdgeName {
  /** Scheme, host, port and base path, without a trailing slash. */
  readonly origin: string;
  /** X25519 public key, 32 bytes. */
  readonly key: Bytes;
}

export interface OwnerStatement {
  readonly owner: Bytes;
  readonly number: number;
  readonly incarnation: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly managerKey: Bytes;
  /** X-Wing public keys, 1216 bytes. */
  readonly inboxKey: Bytes;
  readonly recoveryKey: Bytes;
  readonly edges: readonly EdgeName[];
  /** Millis. */
  readonly time: number;
  /** After a restore: what the new incarnation builds on. */
  readonly base: { readonly generation: number; readonly head: Bytes } | null;
}

/** A statement that passed {@link verifyStatement}, with the bytes to remember and hand on. */
export interface VerifiedStatement extends OwnerStatement {
  readonly root: Bytes;
  readonly bytes: Bytes;
  readonly signed: Bytes;
  /** SHA-256 of `signed`, by which heads, logins and pairing grants name it. */
  readonly hash: Bytes;
}

export function encodeStatement(s: OwnerStatement): Bytes {
  const base = s.base === null ? null : [s.base.generation, s.base.head];
  return encodeCbor([
    ...[LABELS.statement, s.owner, s.number, s.incarnation, s.managerKey, s.inboxKey, s.recoveryKey],
    ...[s.edges.map(({ origin, key }) => [origin, key]), s.time, base],
  ]);
}

/** Signs a statement with the root's key and joins it with the root's certificate. */
export async function signStatement(root: Bytes, statement: OwnerStatement, sign: Signer): Promise<Bytes> {
  const bytes = encodeStatement(statement);
  return encodeCbor([root, bytes, await sign(bytes)]);
}

/**
 * Verifies a signed statement of an owner (spec: STMT-01).
 *
 * @param owner the owner id, SHA-256 of the root certificate's DER
 * @throws `tampered` when it is not that owner's, `malformed` for its form, `untrusted` when the root is no CA certificate
 */
export async function verifyStatement(signed: Bytes, owner: Bytes): Promise<VerifiedStatement> {
  const [root, bytes, signature] = decodeAs(signedTuple, signed, "owner statement");
  const certificate = readCertificate(root);
  if (!equalBytes(certificate.fingerprint, owner)) {
    throw new PosternError("tampered", "The owner statement carries the root certificate of another owner");
  }
  if (!certificate.isCa) throw new PosternError("untrusted", "The root of the owner statement is not a CA certificate");
  await requireSignature(certificate.spki, signature, bytes, "owner statement");
  const statement = decodeStatement(bytes);
  if (!equalBytes(statement.owner, owner)) {
    throw new PosternError("tampered", "The owner statement is signed by this root, but names another owner");
  }
  return { ...statement, root, bytes, signed, hash: sha256(signed) };
}

function decodeStatement(bytes: Bytes): OwnerStatement {
  const [, owner, number, incarnation, managerKey, inboxKey, recoveryKey, edges, time, base] = decodeAs(
    statementTuple,
    bytes,
    "owner statement",
  );
  return {
    ...{ owner, number, incarnation, managerKey, inboxKey, recoveryKey, time },
    edges: edges.map(([origin, key]) => ({ origin, key })),
    base: base === null ? null : { generation: base[0], head: base[1] },
  };
}

/** True when the statement names this edge by origin and key (spec: STMT-04). */
export function namesEdge(statement: OwnerStatement, edge: EdgeName): boolean {
  return statement.edges.some(({ origin, key }) => origin === edge.origin && equalBytes(key, edge.key));
}
