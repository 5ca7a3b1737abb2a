/**
 * Strict DER (X.690 section 10 and 11), the part of it that X.509 uses.
 *
 * Everything read here comes from strangers and is not authenticated yet. Each value has exactly one encoding that is
 * accepted (definite and shortest lengths, shortest integers and arcs, no stray bits), so two readers cannot understand
 * the same bytes differently. Nothing recurses by itself: the depth is the depth of the caller's own code.
 *
 * Written out here because the measured alternative (`@peculiar/asn1-x509`) takes ten times as long for a certificate,
 * accepts BER, and would be most of the weight of a browser's client.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";

/** Identifier octets of the types that certificates are made of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of a context-specific primitive element, `[number] IMPLICIT`. */
export function context(number: number): number {
  return 0x80 | number;
}

/** Identifier octet of a context-specific constructed element, `[number]`. */
export function contextConstructed(number: number): number {
  return 0xa0 | number;
}

/** One element: its identifier octet, its content, and all of its bytes. Views into the bytes that were read. */
export interface Element {
  readonly tag: number;
  readonly content: Bytes;
  readonly whole: Bytes;
}

/** The one error of malformed DER; `what` names the field that was being read. */
export function malformed(what: string, found: string): PosternError {
  return new PosternError("malformed", `${what}: ${found}`);
}

/** Reads the elements of one content, in order. */
export class DerReader {
  readonly #bytes: Bytes;
  readonly #what: string;
  #at = 0;

  /** `what` names what is being read, for error messages. */
  constructor(bytes: Bytes, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** True when nothing is left. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The identifier octet of the next element, undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next element, whatever it is. */
  next(): Element {
    const bytes = this.#bytes;
    const start = this.#at;
    const tag = bytes[start];
    const first = bytes[start + 1];
    if (tag === undefined || first === undefined) throw malformed(this.#what, "ends too early");
    if ((tag & 0x1f) === 0x1f) throw malformed(this.#what, "uses a tag number above 30");
    let at = start + 2;
    let length = first;
    if (first >= 0x80) {
      const octets = first & 0x7f;
      // BER's indefinite length, 0x80 alone, comes out as 0, which is not shortest.
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at++] ?? 0);
      if (length < 0x80 || length < 256 ** (octets - 1)) {
        throw malformed(this.#what, "has a length that is not shortest");
      }
    }
    const end = at + length;
    if (end > bytes.length) throw malformed(this.#what, "ends too early");
    this.#at = end;
    return { tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) };
  }

  /** The next element, which must have this identifier octet. */
  expect(tag: number, what: string): Element {
    if (this.peek() !== tag) throw malformed(what, `expected tag ${hexTag(tag)}, found ${hexTag(this.peek())}`);
    return this.next();
  }

  /** The next element if it has this identifier octet, otherwise undefined and nothing is consumed. */
  optional(tag: number): Element | undefined {
    return this.peek() === tag ? this.next() : undefined;
  }

  /** Fails if anything is left: unread bytes would be hidden from whoever decides. */
  end(): void {
    if (!this.done) throw malformed(this.#what, "has bytes after its end");
  }
}

/** Reads one element that must be all of `bytes` and have this identifier octet; returns its content. */
export function readWhole(bytes: Bytes, tag: number, what: string): Bytes {
  const reader = new DerReader(bytes, what);
  const element = reader.expect(tag, what);
  reader.end();
  return element.content;
}

/** Content of a BOOLEAN; DER knows 0x00 and 0xff only. */
export function readBoolean(content: Bytes, what: string): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw malformed(what, "is not a DER BOOLEAN");
  return content[0] === 0xff;
}

/** Checks the content of an INTEGER for the shortest form and returns it: big-endian two's complement. */
export function readInteger(content: Bytes, what: string): Bytes {
  const [first, second] = content;
  if (first === undefined) throw malformed(what, "is an empty INTEGER");
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed(what, "is an INTEGER that is not shortest");
  }
  return content;
}

/** Content of an INTEGER from 0 to 2^31 - 1. */
export function readSmallInteger(content: Bytes, what: string): number {
  const bytes = readInteger(content, what);
  if (bytes.length > 4 || (bytes[0] ?? 0) >= 0x80) throw malformed(what, "is negative or above 2^31 - 1");
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Content of a BIT STRING of whole octets, as keys and signatures are. */
export function readOctetBits(content: Bytes, what: string): Bytes {
  if (content[0] !== 0) throw malformed(what, "is not a BIT STRING of whole octets");
  return content.subarray(1);
}

/** Passes the content of a BIT STRING: a count of unused bits, which are zero, and the bits. */
export function requireBits(content: Bytes, what: string): void {
  const unused = content[0] ?? 8;
  // Where no bits follow, the last octet is the count itself; unless it is 0, it has a bit set among as many as it counts.
  const last = content[content.length - 1] ?? 0;
  if (unused > 7 || (last & ((1 << unused) - 1)) !== 0) {
    throw malformed(what, "is a BIT STRING with unused bits that are not zero");
  }
}

/**
 * Content of a BIT STRING with up to 24 named bits; bit 0 is the lowest of the result.
 *
 * Trailing zero bits, which DER leaves out, are accepted: they change nothing, and roots that every browser trusts have
 * them in keyUsage.
 */
export function readNamedBits(content: Bytes, what: string): number {
  requireBits(content, what);
  if (content.length > 4) throw malformed(what, "is a BIT STRING of more bits than have names");
  let bits = 0;
  let place = 1;
  for (const octet of content.subarray(1)) {
    for (let mask = 0x80; mask !== 0; mask >>= 1) {
      if ((octet & mask) !== 0) bits |= place;
      place <<= 1;
    }
  }
  return bits;
}

/** Content of an OBJECT IDENTIFIER as dotted text. Arcs above 2^53 are refused: nobody assigns them. */
export function readOid(content: Bytes, what: string): string {
  const last = content[content.length - 1];
  if (last === undefined || last >= 0x80) throw malformed(what, "is an incomplete OBJECT IDENTIFIER");
  let text = "";
  let arc = 0;
  let fresh = true;
  for (const byte of content) {
    if (fresh && byte === 0x80) throw malformed(what, "is an OBJECT IDENTIFIER that is not shortest");
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw malformed(what, "is an OBJECT IDENTIFIER with an oversized arc");
    fresh = byte < 0x80;
    if (!fresh) continue;
    if (text === "") {
      const root = Math.min(2, Math.floor(arc / 40));
      text = `${root}.${arc - root * 40}`;
    } else text += `.${arc}`;
    arc = 0;
  }
  return text;
}

function hexTag(tag: number | undefined): string {
  return tag === undefined ? "the end" : `0x${tag.toString(16).padStart(2, "0")}`;
}
