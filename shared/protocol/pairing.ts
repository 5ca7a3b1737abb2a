/** Pairing: the two texts that make a device and a manager known to each other (shared/spec/pairing.md). */
import * as v from "valibot";
import { type Bytes, equalBytes, utf8 } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { fromBase64Url, toBase64Url } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, textUpTo } from "./shapes.ts";
import { requireSignature, type Signer } from "./signed.ts";

const PREFIX = "postern-pairing:";

const requestBody = v.strictTuple([
  label(LABELS.pairingRequest),
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  textUpTo(32, 1),
  v.nullable(bytesUpTo(LIMITS.maxKemPublicKeyBytes, 1)),
  textUpTo(LIMITS.maxDeviceNameChars, 1),
  bytesOf(16),
]);
const signedRequest = v.strictTuple([bytesUpTo(8_192, 1), bytesUpTo(LIMITS.maxSignatureBytes, 1)]);

const grantTuple = v.strictTuple([
  label(LABELS.pairingGrant),
  bytesOf(32),
  bytesOf(16),
  positive,
  v.nullable(bytesUpTo(LIMITS.maxCertificateBytes, 1)),
  textUpTo(LIMITS.maxOriginChars, 1),
  bytesOf(32),
  v.strictTuple([positive, bytesOf(32)]),
  v.nullable(v.strictTuple([positive, bytesOf(32)])),
  bytesOf(32),
]);

/** What a device asks to be added with. */
export interface PairingRequest {
  /** DER SubjectPublicKeyInfo of the key it signs with. */
  readonly publicKey: Bytes;
  readonly suite: string;
  /** Null when the suite uses the device's own key (spec: PAIR-05). */
  readonly kemPublicKey: Bytes | null;
  readonly name: string;
  readonly nonce: Bytes;
}

/** What the manager grants. */
export interface PairingGrant {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly registration: number;
  readonly certificate: Bytes | null;
  readonly origin: string;
  readonly edgeKey: Bytes;
  /** Number and SHA-256 of the signed owner statement, which the device fetches from the edge. */
  readonly statement: { readonly number: number; readonly hash: Bytes };
  readonly newest: { readonly generation: number; readonly head: Bytes } | null;
  /** SHA-256 of the request that it answers. */
  readonly request: Bytes;
}

/** Makes the signed request; returns its bytes. */
export async function makePairingRequest(r: PairingRequest, sign: Signer): Promise<Bytes> {
  const body = encodeCbor([LABELS.pairingRequest, r.publicKey, r.suite, r.kemPublicKey, r.name, r.nonce]);
  return encodeCbor([body, await sign(body)]);
}

/** Reads a request and verifies that its sender holds the key (spec: PAIR-01). @throws `tampered`, `malformed` */
export async function readPairingRequest(bytes: Bytes): Promise<PairingRequest> {
  const [body, signature] = decodeAs(signedRequest, bytes, "pairing request");
  const [, publicKey, suite, kemPublicKey, name, nonce] = decodeAs(requestBody, body, "pairing request");
  await requireSignature(publicKey, signature, body, "pairing request");
  return { publicKey, suite, kemPublicKey, name, nonce };
}

export function encodePairingGrant(g: PairingGrant): Bytes {
  const newest = g.newest === null ? null : [g.newest.generation, g.newest.head];
  return encodeCbor([
    ...[LABELS.pairingGrant, g.owner, g.device, g.registration, g.certificate, g.origin, g.edgeKey],
    ...[[g.statement.number, g.statement.hash], newest, g.request],
  ]);
}

/**
 * Reads a grant as the device that made the request (spec: PAIR-02).
 *
 * @throws `tampered` when it answers another request
 */
export function readPairingGrant(bytes: Bytes, request: Bytes): PairingGrant {
  const f = decodeAs(grantTuple, bytes, "pairing grant");
  if (!equalBytes(f[9], sha256(request))) {
    throw new PosternError("tampered", "The pairing grant answers the request of another device");
  }
  return {
    ...{ owner: f[1], device: f[2], registration: f[3], certificate: f[4], origin: f[5], edgeKey: f[6] },
    ...{ statement: { number: f[7][0], hash: f[7][1] }, request: f[9] },
    newest: f[8] === null ? null : { generation: f[8][0], head: f[8][1] },
  };
}

/** The short code that both sides show and the owner compares (spec: PAIR-03), as `xxxx-xxxx-xxxx-xxxx`. */
export function checkCode(request: Bytes, grant: Bytes): string {
  const hash = sha256(encodeCbor([LABELS.checkCode, request, grant]));
  const code = base32(hash.subarray(0, 5)) + base32(hash.subarray(5, 10));
  return [0, 4, 8, 12].map((at) => code.slice(at, at + 4)).join("-");
}

/** RFC 4648 section 6 in lower case, for exactly five bytes. */
function base32(five: Uint8Array): string {
  const bits = five.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  const digit = (index: number) => "abcdefghijklmnopqrstuvwxyz234567"[Number((bits >> BigInt(35 - 5 * index)) & 31n)];
  return Array.from({ length: 8 }, (_, index) => digit(index)).join("");
}

/** As text for a file or QR code. */
export function pairingText(bytes: Bytes): string {
  return PREFIX + toBase64Url(bytes);
}

/** @throws `malformed` */
export function parsePairingText(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX) || utf8(trimmed).length > LIMITS.maxBodyBytes) {
    throw new PosternError("malformed", `A pairing text starts with ${PREFIX}`);
  }
  return fromBase64Url(trimmed.slice(PREFIX.length));
}
