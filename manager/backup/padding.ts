/** How far a backup is filled up, so that its size says little (shared/spec/backup.md). */
import { LIMITS } from "../../shared/limits.ts";

/** PADMÉ, as for rows (spec: CONV-11), but for streams of any size: at most 12% more. */
export function paddedStreamLength(length: number): number {
  const least = Math.max(length, LIMITS.backupChunkBytes);
  const exponent = BigInt(least).toString(2).length - 1;
  const kept = exponent.toString(2).length;
  const unit = 2 ** Math.max(0, exponent - kept);
  return Math.ceil(least / unit) * unit;
}
