/** Large files to be hashed. */
import { createHash } from "node:crypto";
import { webCryptoRandom } from "../../shared/crypto/random.ts";

const CHUNK_BYTES = 2 ** 20;

/** Writes so many bytes, of which no two chunks are alike, to the disk. @returns their SHA-256, lower-case hex */
export async function writeRandomFile(path: string, bytes: number): Promise<string> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < CHUNK_BYTES; at += 65_536) chunk.set(webCryptoRandom(65_536), at);
  for (let written = 0; written < bytes; written += CHUNK_BYTES) {
    new DataView(chunk.buffer).setFloat64(0, written);
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, bytes - written));
    hash.update(part);
    for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
  }
  await file.syncData();
  return hash.digest("hex");
}
