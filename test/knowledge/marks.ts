/**
 * Marks: values that the edge must never see, each long and random enough that finding a piece of one is no accident.
 * A mark is looked for in many spellings; this file says what is spelled, `spellings.ts` how.
 */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";

/** One value that must stay unknown. */
export interface Mark {
  /** Says in a finding what leaked, as in "subject of certificate 3". */
  readonly name: string;
  readonly bytes: Bytes;
  /** Text marks are also looked for in other cases and character sets. */
  readonly isText: boolean;
}

/** Fewer bytes than this could turn up by accident, and a finding would mean nothing. */
const MIN_MARK_BYTES = 16;

const TOKEN_BYTES = 16;

/** A random word of 32 lower-case hexadecimal digits: it survives every normalisation of names and texts. */
export function newToken(random: RandomBytes): string {
  return toHex(random(TOKEN_BYTES));
}

export function textMark(name: string, text: string): Mark {
  return checked({ name, bytes: utf8(text), isText: true });
}

/** @param bytes random: fixed structure, such as the beginning of DER, would be found everywhere */
export function bytesMark(name: string, bytes: Bytes): Mark {
  return checked({ name, bytes: bytes.slice(), isText: false });
}

function checked(mark: Mark): Mark {
  if (mark.bytes.length >= MIN_MARK_BYTES) return mark;
  throw new RangeError(`The mark '${mark.name}' has ${mark.bytes.length} bytes; ${MIN_MARK_BYTES} are needed`);
}
