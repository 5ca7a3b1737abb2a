/** The order and the nonces of a push: unpredictable to the edge, and the same again when the push is resumed. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { hmacSha256 } from "../../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../../shared/crypto/random.ts";
import { LABELS } from "../../../shared/protocol/labels.ts";

/** A random order that follows from the secret alone (Fisher-Yates; spec: PUSH-10). Shuffles in place. */
export function shuffle(items: Uint32Array, secret: Bytes): void {
  const next = numbers(secret);
  for (let last = items.length - 1; last > 0; last--) {
    const other = next(last + 1);
    const kept = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = kept;
  }
}

/**
 * The nonce of one row of a push: a PRF over its content key and content, so that the same key and nonce never meet two
 * plaintexts (spec: KEY-04), and a resumed push seals to the same bytes.
 */
export function rowNonce(secret: Bytes, contentKey: Bytes, contentHash: Bytes): RandomBytes {
  return (length) =>
    hmacSha256(secret, encodeCbor([LABELS.pushSecret, "nonce", contentKey, contentHash])).slice(0, length);
}

/** Uniform numbers below a bound of at most 2^32, from HMAC in counter mode; what would be biased is thrown away. */
function numbers(secret: Bytes): (bound: number) => number {
  let block = new DataView(new ArrayBuffer(0));
  let at = 0;
  let counter = 0;
  const word = () => {
    if (at >= block.byteLength) {
      block = new DataView(hmacSha256(secret, encodeCbor([LABELS.pushSecret, "order", counter++])).buffer);
      at = 0;
    }
    const value = block.getUint32(at);
    at += 4;
    return value;
  };
  return (bound) => {
    const fair = 2 ** 32 - 2 ** 32 % bound;
    let value = word();
    while (value >= fair) value = word();
    return value % bound;
  };
}
