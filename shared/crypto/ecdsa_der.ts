/**
 * ECDSA signatures as X.509 and CMS carry them, `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 section 2.2.3), and as WebCrypto
 * and RFC 7518 section 3.4 do, `r || s`.
 */
import { type Bytes, concat } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { DerReader, readInteger, readWhole, TAG } from "../der/read.ts";
import { sequence, unsigned } from "../der/write.ts";
import { coordinateBytes, type Curve } from "./ec_point.ts";

const WHAT = "ECDSA signature";

/**
 * `r || s`, each as long as a coordinate of the curve, of a DER signature.
 *
 * @throws `malformed` for BER, a number below 1 or longer than the curve's order, or bytes after the end.
 */
export function ecdsaRawFromDer(der: Bytes, curve: Curve): Bytes {
  const reader = new DerReader(readWhole(der, TAG.sequence, WHAT), WHAT);
  const r = readScalar(reader, curve);
  const s = readScalar(reader, curve);
  reader.end();
  return concat(r, s);
}

function readScalar(reader: DerReader, curve: Curve): Bytes {
  const content = readInteger(reader.expect(TAG.integer, WHAT).content, WHAT);
  const magnitude = content[0] === 0 ? content.subarray(1) : content;
  const size = coordinateBytes(curve);
  if ((content[0] ?? 0) >= 0x80 || magnitude.length === 0 || magnitude.length > size) {
    throw new PosternError("malformed", `${WHAT}: a number is below 1 or too long for ${curve}`);
  }
  const scalar = new Uint8Array(size);
  scalar.set(magnitude, size - magnitude.length);
  return scalar;
}

/**
 * The DER form of `r || s`.
 *
 * @throws `malformed` for another length than the curve's, or a number below 1.
 */
export function ecdsaDerFromRaw(raw: Bytes, curve: Curve): Bytes {
  const size = coordinateBytes(curve);
  const r = raw.subarray(0, size);
  const s = raw.subarray(size);
  if (raw.length !== 2 * size || r.every((byte) => byte === 0) || s.every((byte) => byte === 0)) {
    throw new PosternError("malformed", `${WHAT}: expected two numbers of ${size} bytes for ${curve}`);
  }
  return sequence(unsigned(r), unsigned(s));
}
