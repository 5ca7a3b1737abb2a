/** The login transcript and the session keys that come of it (shared/spec/session.md). */
import { type Bytes, concat } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { secretKey, type SessionMacKey } from "../crypto/brand.ts";
import { sha256 } from "../crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf.ts";
import { LABELS } from "./labels.ts";

/** The one login suite: X25519 twice, HKDF-SHA-256, HMAC-SHA-256. */
const SUITE = 1;

/** The device id under which the manager logs in. */
export const MANAGER_DEVICE: Bytes = new Uint8Array(16);

/** What both sides must agree on before anybody signs or derives anything. */
export interface LoginTranscript {
  readonly owner: Bytes;
  readonly origin: string;
  readonly edgeKey: Bytes;
  readonly challenge: Bytes;
  /** The client's ephemeral X25519 public key. */
  readonly ephemeral: Bytes;
  readonly device: Bytes;
  /** SHA-256 of the manager's signed statement; null for a device. */
  readonly statement: Bytes | null;
}

/** HMAC-SHA-256 keys of a session, one for each direction. */
export interface SessionKeys {
  readonly c2s: SessionMacKey;
  readonly s2c: SessionMacKey;
}

/** The bytes that the device signs (spec: SESS-02). */
export function loginTranscript(t: LoginTranscript): Bytes {
  return encodeCbor([
    ...[LABELS.login, SUITE, t.owner, t.origin, t.edgeKey, t.challenge, t.ephemeral, t.device, t.statement],
  ]);
}

/**
 * Session keys of a login.
 *
 * @param transcript of {@link loginTranscript}
 * @param edgeEphemeral the edge's ephemeral public key
 * @param withEphemeral X25519 of the client's ephemeral and the edge's ephemeral key, checked not to be zero (spec: SESS-05)
 * @param withStatic X25519 of the client's ephemeral and the edge's own key, checked likewise
 */
export function sessionKeys(
  transcript: Bytes,
  edgeEphemeral: Bytes,
  withEphemeral: Bytes,
  withStatic: Bytes,
): SessionKeys {
  const salt = sha256(encodeCbor([LABELS.loginSalt, transcript, edgeEphemeral]));
  const prk = hkdfExtract(salt, concat(withEphemeral, withStatic));
  const key = (direction: string) =>
    secretKey<"SessionMacKey">(hkdfExpand(prk, encodeCbor([LABELS.sessionKey, direction]), 32));
  return { c2s: key("c2s"), s2c: key("s2c") };
}
