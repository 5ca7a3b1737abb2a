/**
 * The edge's secret: 32 random bytes from which its X25519 key and the keys for what it seals for itself are derived, so that one
 * setting is all an edge needs, and a second isolate or a restart opens what the first one sealed.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { fromBase64Url, toBase64Url } from "../bytes/encoding.ts";
import { type SecretKey, secretKey } from "../crypto/brand.ts";
import { sha256 } from "../crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf.ts";
import { type ExchangeKey, type NativeKeys, webCryptoKeys } from "../crypto/native_keys.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { PosternError } from "../errors.ts";
import { LABELS } from "./labels.ts";

const EDGE_SECRET_BYTES = 32;

/** What an edge derives from its secret. */
export interface EdgeKeys {
  /** Proves at login that the edge is the one that the owner statement names. */
  readonly exchange: ExchangeKey;
  /** AES-256-GCM key of session tokens. */
  readonly tokens: SecretKey<"TokenSealingKey">;
  /** HMAC key of challenges. */
  readonly challenges: SecretKey<"ChallengeMacKey">;
}

/** A secret as it stands in the edge's configuration, and the public key for the owner statement. */
export interface NewEdgeKey {
  /** Base64url without padding, 43 characters. */
  readonly secret: string;
  /** X25519, 32 bytes. */
  readonly publicKey: Bytes;
}

/** Makes the key of a new edge. */
export async function newEdgeKey(random: RandomBytes): Promise<NewEdgeKey> {
  const secret = random(EDGE_SECRET_BYTES);
  return { secret: toBase64Url(secret), publicKey: await edgePublicKey(secret) };
}

/** Reads the secret as {@link newEdgeKey} wrote it. @throws `malformed` for anything else */
export function readEdgeSecret(text: string): Bytes {
  const secret = fromBase64Url(text);
  if (secret.length !== EDGE_SECRET_BYTES) {
    throw new PosternError("malformed", `An edge key has ${EDGE_SECRET_BYTES} bytes, found ${secret.length}`);
  }
  return secret;
}

/** The key by which owner statements name the edge with this secret. */
export async function edgePublicKey(secret: Bytes): Promise<Bytes> {
  return (await deriveExchange(secret, webCryptoKeys)).publicKey;
}

/**
 * Derives everything an edge needs.
 *
 * @param keys what the exchange key works with; WebCrypto by default
 * @throws `unsupported` unless the secret has 32 bytes
 */
export async function deriveEdgeKeys(secret: Bytes, keys: NativeKeys = webCryptoKeys): Promise<EdgeKeys> {
  return {
    exchange: await deriveExchange(secret, keys),
    tokens: derive<"TokenSealingKey">(secret, "tokens"),
    challenges: derive<"ChallengeMacKey">(secret, "challenges"),
  };
}

async function deriveExchange(secret: Bytes, keys: NativeKeys): Promise<ExchangeKey> {
  return await keys.exchangeKey(derive<"EdgeExchangeKey">(secret, "exchange"));
}

function derive<Role extends string>(secret: Bytes, purpose: string): SecretKey<Role> {
  const input = secretKey<"EdgeSecret">(secret);
  const prk = hkdfExtract(sha256(encodeCbor([LABELS.edgeKey])), input);
  return secretKey<Role>(hkdfExpand(prk, encodeCbor([LABELS.edgeKey, purpose]), 32));
}
