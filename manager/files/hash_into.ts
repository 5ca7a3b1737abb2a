/**
 * Hashing what lies on the disk. Synchronous reads of 64 KiB into one hash are as fast as `openssl dgst`; streams take three times as
 * long, and WebCrypto the whole file in memory.
 */
import type { Hash } from "node:crypto";
import { setImmediate } from "node:timers";

const CHUNK_BYTES = 65_536;
/** So much is read at once; then others have their turn. */
const TURN_BYTES = 8_388_608;

/** Hashes up to `maxBytes` of what a file has from here on; returns how much that was. */
export async function hashInto(
  hash: Hash,
  file: Pick<Deno.FsFile, "readSync">,
  maxBytes: number,
  take: (part: Uint8Array) => void = () => {},
): Promise<number> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  let size = 0;
  for (let turn = 0; size < maxBytes;) {
    const count = file.readSync(buffer.subarray(0, Math.min(CHUNK_BYTES, maxBytes - size)));
    if (count === null) break;
    const part = buffer.subarray(0, count);
    hash.update(part);
    take(part);
    size += count;
    turn += count;
    if (turn < TURN_BYTES) continue;
    turn = 0;
    // Not a timer, which would wait for a millisecond at least, at every turn.
    await new Promise<void>((resume) => setImmediate(resume));
  }
  return size;
}
