/**
 * Points of the NIST curves in uncompressed form (SEC 1 section 2.3.3), `0x04 || x || y`.
 *
 * WebCrypto leaves it open when an implementation looks whether a point lies on its curve; Deno does not at import. A point
 * beside the curve makes ECDH give away the private key bit by bit (invalid curve attack), so it is checked here.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";

/** WebCrypto's name of a curve. */
export type Curve = "P-256" | "P-384" | "P-521";

/** Prime and coefficient `b` of y^2 = x^3 - 3x + b (NIST SP 800-186 section 3.2.1). */
const CURVES: Readonly<Record<Curve, { coordinateBytes: number; p: bigint; b: bigint }>> = {
  "P-256": {
    coordinateBytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    coordinateBytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  "P-521": {
    coordinateBytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

const UNCOMPRESSED = 4;

/** Bytes of one coordinate, of one scalar, and of each half of a raw signature. */
export function coordinateBytes(curve: Curve): number {
  return CURVES[curve].coordinateBytes;
}

/**
 * Passes a point of the curve.
 *
 * @throws `malformed` for another length or form, a coordinate that is not below the prime, or a point beside the curve.
 */
export function requirePoint(curve: Curve, point: Bytes): void {
  const { coordinateBytes, p, b } = CURVES[curve];
  if (point.length !== 1 + 2 * coordinateBytes || point[0] !== UNCOMPRESSED) {
    throw malformed(curve, `${point.length} bytes that are no uncompressed point`);
  }
  const x = number(point.subarray(1, 1 + coordinateBytes));
  const y = number(point.subarray(1 + coordinateBytes));
  if (x >= p || y >= p) throw malformed(curve, "a coordinate that is not below the prime");
  if ((y * y - x * x * x + 3n * x - b) % p !== 0n) throw malformed(curve, "a point that is not on the curve");
}

function number(bytes: Bytes): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function malformed(curve: Curve, found: string): PosternError {
  return new PosternError("malformed", `expected a point of ${curve}, found ${found}`);
}
