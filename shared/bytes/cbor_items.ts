/** What the encoder and the decoder of CBOR share: the heads of items, and the bound of their nesting. */
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Major types (RFC 8949 section 3.1). */
export const INT = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const SIMPLE = 7;

/** Additional information of the simple values in use (RFC 8949 section 3.3), and of an indefinite length. */
export const FALSE = 20;
export const TRUE = 21;
export const NULL = 22;
export const INDEFINITE = 31;

/** Bytes of an item's head for an argument (RFC 8949 section 3). */
export function headLength(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < 0x1_0000_0000 ? 5 : 9;
}

/** @throws `malformed` beyond `LIMITS.maxCborDepth` */
export function checkDepth(depth: number): void {
  if (depth > LIMITS.maxCborDepth) throw malformed(`nesting deeper than ${LIMITS.maxCborDepth}`);
}

/** The error for bytes or values that are not of the format. */
export function malformed(found: string, cause?: unknown): PosternError {
  return new PosternError("malformed", `expected deterministic CBOR, found ${found}`, { cause });
}
