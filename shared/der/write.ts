/** Writes DER: the counterpart of `der.ts`, for what Postern issues itself. */
import { type Bytes, concat, utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { TAG } from "./read.ts";

/** One element from its identifier octet and its content, given in parts. */
export function element(tag: number, ...content: readonly Uint8Array[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  if (length < 0x80) return concat(Uint8Array.of(tag, length), ...content);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return concat(Uint8Array.of(tag, 0x80 | octets.length, ...octets), ...content);
}

/** A SEQUENCE of elements. */
export function sequence(...items: readonly Uint8Array[]): Bytes {
  return element(TAG.sequence, ...items);
}

/** A non-negative INTEGER from its big-endian magnitude; leading zeros are dropped, a sign octet is added. */
export function unsigned(magnitude: Uint8Array): Bytes {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const rest = magnitude.subarray(start);
  const first = rest[0];
  if (first === undefined) return element(TAG.integer, Uint8Array.of(0));
  return first >= 0x80 ? element(TAG.integer, Uint8Array.of(0), rest) : element(TAG.integer, rest);
}

/** An OBJECT IDENTIFIER from dotted text. */
export function oid(dotted: string): Bytes {
  const arcs = dotted.split(".").map(Number);
  const [root, second, ...rest] = arcs;
  const valid = root !== undefined && second !== undefined && /^[0-2](\.(0|[1-9]\d*))+$/.test(dotted) &&
    arcs.every(Number.isSafeInteger) && (root === 2 || second < 40);
  if (!valid) throw new PosternError("malformed", `'${dotted}' is not an object identifier`);
  const octets: number[] = [];
  for (const arc of [root * 40 + second, ...rest]) {
    const group = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) group.unshift((left % 128) | 0x80);
    octets.push(...group);
  }
  return element(TAG.oid, Uint8Array.from(octets));
}

/** A BIT STRING of whole octets. */
export function octetBits(bytes: Uint8Array): Bytes {
  return element(TAG.bitString, Uint8Array.of(0), bytes);
}

/** A BIT STRING with named bits; bit 0 is the lowest of `bits`. */
export function namedBits(bits: number): Bytes {
  if (bits === 0) return element(TAG.bitString, Uint8Array.of(0));
  const count = 32 - Math.clz32(bits);
  const octets = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < count; i++) if (bits & (1 << i)) octets[i >> 3] = (octets[i >> 3] ?? 0) | (0x80 >> (i & 7));
  return element(TAG.bitString, Uint8Array.of(octets.length * 8 - count), octets);
}

/** BOOLEAN TRUE; FALSE is never written, it is the default wherever certificates have one. */
export const TRUE: Bytes = element(TAG.boolean, Uint8Array.of(0xff));

/** A UTF8String. */
export function utf8String(text: string): Bytes {
  return element(TAG.utf8String, utf8(text));
}

/**
 * A time in milliseconds since 1970, cut to seconds: UTCTime through 2049 and GeneralizedTime after that (RFC 5280
 * section 4.1.2.5).
 */
export function time(millis: number): Bytes {
  const date = new Date(millis);
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) {
    throw new PosternError("unsupported", "a certificate's time must lie in the years 1950 to 9999");
  }
  const digits = date.toISOString().replace(/\.\d+Z$/, "Z").replace(/[-:T]/g, "");
  return year < 2050 ? element(TAG.utcTime, utf8(digits.slice(2))) : element(TAG.generalizedTime, utf8(digits));
}
