/**
 * Padded lengths that hide how long a plaintext is (PADMÉ: Nikitin et al., "Reducing Metadata Leakage from Encrypted
 * Files and Communication with PURBs", PETS 2019, section 4).
 *
 * A length of up to L bytes leaks O(log log L) bits and costs at most 12% more. Everything short looks alike: 256 bytes.
 */
import type { Bytes } from "./bytes.ts";
import { PosternError } from "../errors.ts";

/** The smallest padded length: rows of ordinary short content all have it. */
export const MIN_PADDED_BYTES = 256;

/** Lengths up to here are computed exactly; everything Postern pads is far below. */
const MAX_PADDED_BYTES = 2 ** 31;

/** First byte of the padding. It is what makes the padding removable: zeros alone could belong to the plaintext. */
const MARK = 0x80;

/**
 * Length in bytes that a plaintext of `length` bytes has once padded.
 *
 * @throws `usage` unless `length` is a whole number from 0 to 2^31 - 2.
 */
export function paddedLength(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0 || length >= MAX_PADDED_BYTES - 1) {
    throw new PosternError("usage", `cannot pad ${length} bytes`);
  }
  return padme(Math.max(length + 1, MIN_PADDED_BYTES));
}

/** Rounds up so that of the length's E+1 bits only the first log2(E)+1 after the leading one may be set. */
function padme(length: number): number {
  const exponent = 31 - Math.clz32(length);
  const kept = 32 - Math.clz32(exponent);
  const unit = 2 ** (exponent - kept);
  return Math.ceil(length / unit) * unit;
}

/**
 * `plaintext || 0x80 || 0x00...`, {@link paddedLength} bytes in all.
 *
 * @param padded takes the result, if given; whatever it held is overwritten. It has exactly that length, or a longer one of its kind.
 */
export function pad(plaintext: Uint8Array, padded: Bytes = new Uint8Array(paddedLength(plaintext.length))): Bytes {
  padded.set(plaintext);
  padded[plaintext.length] = MARK;
  padded.fill(0, plaintext.length + 1);
  return padded;
}

/** Whether something is padded to this length: whether {@link paddedLength} gives it. */
function isPadded(length: number): boolean {
  return length >= MIN_PADDED_BYTES && length < MAX_PADDED_BYTES && padme(length) === length;
}

/**
 * The plaintext of what {@link pad} made, or what was padded to a longer length of that kind, as a copy. Call it on authenticated bytes
 * only.
 *
 * @throws `malformed` for padding or a length that nobody would have made
 */
// spec: ROW-03
export function unpadFurther(padded: Bytes): Bytes {
  return new Uint8Array(unpadIf(padded, (least) => least <= padded.length && isPadded(padded.length)));
}

/**
 * The plaintext of what {@link pad} made, as a copy. Call it on authenticated bytes only: it stops at the first byte that
 * is not padding, so its timing shows the plaintext's length.
 *
 * @throws `malformed` for padding or a length that {@link pad} would not have made.
 */
export function unpad(padded: Bytes): Bytes {
  return new Uint8Array(withoutPadding(padded));
}

/** The same, but a view and no copy: for what is long and read once. */
export function withoutPadding(padded: Bytes): Bytes {
  return unpadIf(padded, (least) => least === padded.length);
}

function unpadIf(padded: Bytes, fits: (least: number) => boolean): Bytes {
  let end = padded.length - 1;
  while (padded[end] === 0) end--;
  if (padded[end] !== MARK || !fits(paddedLength(end))) {
    throw new PosternError("malformed", `expected padding, found ${padded.length} bytes that are not padded`);
  }
  return padded.subarray(0, end);
}
