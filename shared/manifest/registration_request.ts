/** What an instance hands to a publisher: its public keys, signed by its identity key (shared/spec/registration.md). */
import * as v from "valibot";
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { sha256 } from "../crypto/hash.ts";
import { isMlKemPublicKey, ML_KEM_PUBLIC_KEY_BYTES } from "../crypto/ml_kem.ts";
import { algorithmOfSpki } from "../crypto/signature.ts";
import { isSmallOrderX25519, X25519_BYTES } from "../crypto/x25519.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "../protocol/labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, uint } from "../protocol/shapes.ts";
import { requireSignature, type Signer } from "../protocol/signed.ts";
import { requireCanonicalX25519 } from "./wrap.ts";

const INSTANCE_ID_BYTES = 16;
const NONCE_BYTES = 16;

const requestBody = v.strictTuple([
  label(LABELS.registrationRequest),
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  positive,
  bytesOf(LIMITS.xwingPublicKeyBytes),
  bytesOf(X25519_BYTES),
  uint,
  bytesOf(NONCE_BYTES),
]);
const signedRequest = v.strictTuple([
  bytesUpTo(LIMITS.maxRegistrationRequestBytes, 1),
  bytesUpTo(LIMITS.maxSignatureBytes, 1),
]);

/** The public half of one version of an instance's MDK. */
export interface MdkPublicKeys {
  /** From 1. */
  readonly version: number;
  /** X-Wing, raw. */
  readonly xwing: Bytes;
  /** X25519, raw; independent of the one in X-Wing (spec: REG-02). */
  readonly x25519: Bytes;
}

/** What an instance asks to be registered with. */
export interface RegistrationRequest {
  /** DER SubjectPublicKeyInfo, Ed25519. */
  readonly identityKey: Bytes;
  readonly keys: MdkPublicKeys;
  /** Millis. */
  readonly time: number;
  readonly nonce: Bytes;
}

/** What a publisher has of an instance that is registered. */
export interface RegisteredInstance {
  readonly instance: Bytes;
  readonly keys: MdkPublicKeys;
  /** Time of the request that they came with, Millis. */
  readonly time: number;
}

/** The 16 bytes that name an instance to its publishers (spec: REG-01). */
export function instanceIdOf(identityKey: Bytes): Bytes {
  return sha256(encodeCbor([LABELS.instanceId, identityKey])).slice(0, INSTANCE_ID_BYTES);
}

/** Makes the signed request; returns its bytes. @param sign by the identity key */
export async function makeRegistrationRequest(r: RegistrationRequest, sign: Signer): Promise<Bytes> {
  const { version, xwing, x25519 } = r.keys;
  const body = encodeCbor([LABELS.registrationRequest, r.identityKey, version, xwing, x25519, r.time, r.nonce]);
  return encodeCbor([body, await sign(body)]);
}

/**
 * Reads a request and verifies that its sender holds the identity key.
 *
 * @throws `too_large`; `malformed`, also for keys that nothing can be sealed to; `unsupported` for another kind of identity key;
 * `tampered`
 */
export async function readRegistrationRequest(bytes: Bytes): Promise<RegistrationRequest> {
  // spec: REG-03
  const limits = { maxBytes: LIMITS.maxRegistrationRequestBytes };
  const [body, signature] = decodeAs(signedRequest, bytes, "registration request", limits);
  const [, identityKey, version, xwing, x25519, time, nonce] = decodeAs(requestBody, body, "registration request");
  if (algorithmOfSpki(identityKey) !== "Ed25519") {
    throw new PosternError("unsupported", "An instance's identity key is an Ed25519 key");
  }
  await requireSignature(identityKey, signature, body, "registration request");
  requireUsable(xwing, x25519);
  return { identityKey, keys: { version, xwing, x25519 }, time, nonce };
}

/** One key that cannot be sealed to would keep the next release from every instance; here it costs its sender alone. */
function requireUsable(xwing: Bytes, x25519: Bytes): void {
  // spec: REG-03
  for (const key of [x25519, xwing.subarray(ML_KEM_PUBLIC_KEY_BYTES)]) {
    requireCanonicalX25519(key);
    if (isSmallOrderX25519(key)) throw unusable();
  }
  if (!isMlKemPublicKey(xwing.subarray(0, ML_KEM_PUBLIC_KEY_BYTES))) throw unusable();
}

function unusable(): PosternError {
  return new PosternError("malformed", "The registration request brings a key that nothing can be sealed to");
}

/**
 * What becomes of a request from an instance that is registered already: `same` if nothing changes, `newer` if its keys replace
 * those that the publisher has.
 *
 * @throws `mixed_up` for another instance; `rolled_back` for an older version, an older time, or other keys of the same version
 */
export function judgeRenewal(known: RegisteredInstance, request: RegistrationRequest): "same" | "newer" {
  // spec: REG-01, REG-04
  if (!equalBytes(instanceIdOf(request.identityKey), known.instance)) {
    throw new PosternError(
      "mixed_up",
      "The registration request is by another instance than the one that is registered",
    );
  }
  const { version, xwing, x25519 } = request.keys;
  if (version === known.keys.version && equalBytes(xwing, known.keys.xwing) && equalBytes(x25519, known.keys.x25519)) {
    return "same";
  }
  if (version > known.keys.version && request.time >= known.time) return "newer";
  throw new PosternError(
    "rolled_back",
    `The registration request brings keys of version ${version}, and version ${known.keys.version} is registered: ` +
      "ask the instance for a new request",
  );
}
