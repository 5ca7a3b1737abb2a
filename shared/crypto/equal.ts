import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

/**
 * Compares secrets, MACs and tokens without telling by its timing where they differ. The lengths are not secret: bytes of
 * different length are unequal at once.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
