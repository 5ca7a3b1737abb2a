import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

/**
 * Compares secrets, MACs and tokens without telling by its timing where they differ. The lengths are not secret: bytes of
 * different length are unequal at once.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The same for texts of one alphabet, such as base64: no arrays are made for it. */
export function constantTimeEqualText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
