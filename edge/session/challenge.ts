/**
 * Challenges that the edge recognises without having stored them: 32 random bytes, the time until which they are good, and a MAC
 * over both and the owner (shared/spec/session.md).
 */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { SecretKey } from "../../shared/crypto/brand.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import { hmacSha256 } from "../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { LIMITS } from "../../shared/limits.ts";
import { LABELS } from "../../shared/protocol/labels.ts";

const RANDOM_BYTES = 32;
const EXPIRY_BYTES = 8;
const CHALLENGE_BYTES = 64;
/** What is left for the MAC: 24 of its 32 bytes, for something that is good for a minute. */
const MAC_BYTES: number = CHALLENGE_BYTES - RANDOM_BYTES - EXPIRY_BYTES;

export type ChallengeKey = SecretKey<"ChallengeMacKey">;

/** A challenge of ours that is still good. */
export interface Challenge {
  /** Names it among the owner's, 32 bytes. */
  readonly random: Bytes;
  /** Millis. */
  readonly expires: number;
}

/** A new challenge for an owner, known or not (spec: SESS-01). */
export function makeChallenge(key: ChallengeKey, owner: Bytes, now: number, random: RandomBytes): Bytes {
  const bytes = random(RANDOM_BYTES);
  const expires = now + LIMITS.challengeMillis;
  const expiry = new Uint8Array(EXPIRY_BYTES);
  new DataView(expiry.buffer).setBigUint64(0, BigInt(expires));
  return concat(bytes, expiry, macOf(key, owner, bytes, expires));
}

/** The challenge, if one of the keys made it for this owner and it is still good; else null. */
export function readChallenge(
  keys: readonly ChallengeKey[],
  owner: Bytes,
  challenge: Bytes,
  now: number,
): Challenge | null {
  if (challenge.length !== CHALLENGE_BYTES) return null;
  const random = challenge.slice(0, RANDOM_BYTES);
  const expires = Number(new DataView(challenge.buffer, challenge.byteOffset).getBigUint64(RANDOM_BYTES));
  if (!Number.isSafeInteger(expires) || now > expires) return null;
  const mac = challenge.subarray(RANDOM_BYTES + EXPIRY_BYTES);
  // spec: SESS-15
  const isOurs = keys.some((key) => constantTimeEqual(mac, macOf(key, owner, random, expires)));
  return isOurs ? { random, expires } : null;
}

function macOf(key: ChallengeKey, owner: Bytes, random: Bytes, expires: number): Bytes {
  return hmacSha256(key, encodeCbor([LABELS.edgeChallenge, owner, random, expires])).slice(0, MAC_BYTES);
}
