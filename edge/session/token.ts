/**
 * Session tokens: what the edge must know of a session, sealed for itself, so that it stores nothing and any isolate with the same
 * secret goes on with it.
 *
 * Whether a token is ours is decided by its AEAD tag alone, which the runtime compares in constant time (spec: SESS-15).
 *
 * Each token is sealed under a random nonce of 96 bits, so one edge key seals at most 2^32 of them (spec: KEY-04): more
 * than four thousand logins a second for ten days; whoever comes near sets a new `POSTERN_EDGE_KEY` before.
 */
import * as v from "valibot";
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { fromBase64Url, toBase64Url } from "../../shared/bytes/encoding.ts";
import { AEAD_NONCE_BYTES } from "../../shared/crypto/aead.ts";
import { secretKey } from "../../shared/crypto/brand.ts";
import type { SealingKey } from "../../shared/crypto/native_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { isPosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import type { SessionKeys } from "../../shared/protocol/login.ts";
import { bytesOf, decodeAs, positive } from "../../shared/protocol/shapes.ts";
import { devicePrincipal, managerPrincipal, type Principal } from "../store/principal.ts";

const ASSOCIATED_DATA: Bytes = encodeCbor([LABELS.edgeToken]);

const tokenTuple = v.strictTuple([
  bytesOf(32),
  bytesOf(16),
  positive,
  v.nullable(bytesOf(32)),
  bytesOf(16),
  positive,
  bytesOf(32),
  bytesOf(32),
]);

/** A session: whose it is, and the keys of both directions. */
export interface Session {
  readonly principal: Principal;
  readonly keys: SessionKeys;
}

/** Seals a session. */
export async function sealToken(key: SealingKey, { principal, keys }: Session, random: RandomBytes): Promise<string> {
  const { owner, device, registration, statement, session, expires } = principal;
  const plaintext = encodeCbor([owner, device, registration, statement, session, expires, keys.c2s, keys.s2c]);
  const nonce = random(AEAD_NONCE_BYTES);
  return toBase64Url(concat(nonce, await key.seal(nonce, plaintext, ASSOCIATED_DATA)));
}

/** Opens a token that one of the keys sealed; null for anything else. Its end is for the caller to judge. */
export async function openToken(keys: readonly SealingKey[], token: string): Promise<Session | null> {
  const sealed = readToken(token);
  if (sealed === null) return null;
  for (const key of keys) {
    const plaintext = await tryOpen(key, sealed);
    if (plaintext !== null) return readSession(plaintext);
  }
  return null;
}

function readToken(token: string): Bytes | null {
  if (token.length > LIMITS.maxSessionTokenChars) return null;
  try {
    return fromBase64Url(token);
  } catch (error) {
    if (isPosternError(error, "malformed")) return null;
    throw error;
  }
}

async function tryOpen(key: SealingKey, sealed: Bytes): Promise<Bytes | null> {
  if (sealed.length < AEAD_NONCE_BYTES) return null;
  try {
    const ciphertext = sealed.slice(AEAD_NONCE_BYTES);
    return await key.open(sealed.slice(0, AEAD_NONCE_BYTES), ciphertext, ASSOCIATED_DATA);
  } catch (error) {
    if (isPosternError(error, "tampered")) return null;
    throw error;
  }
}

function readSession(plaintext: Bytes): Session {
  const [owner, device, registration, statement, session, expires, c2s, s2c] = decodeAs(
    tokenTuple,
    plaintext,
    "session token",
  );
  const name = { session, expires };
  const principal = statement === null
    ? devicePrincipal(owner, device, registration, name)
    : managerPrincipal(owner, { number: registration, hash: statement }, name);
  return { principal, keys: { c2s: secretKey<"SessionMacKey">(c2s), s2c: secretKey<"SessionMacKey">(s2c) } };
}
