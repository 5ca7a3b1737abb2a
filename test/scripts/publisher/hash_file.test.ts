import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { hashFile } from "../../../scripts/publisher/hash_file.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

/** More than is read at once, so that a file can be changed between two reads. */
const CONTENT = new Uint8Array(150_000).map((_, at) => at % 251);

/** Hashes a file, while `meddle` is told how many bytes were read so far. */
async function hashWhile(meddle: (path: string, read: number, found: Deno.FileInfo) => void) {
  const path = await Deno.makeTempFile({ prefix: "postern-hash-" });
  try {
    await Deno.writeFile(path, CONTENT);
    const found = await Deno.stat(path);
    let read = 0;
    return await hashFile(path, found, (bytes) => meddle(path, read += bytes, found));
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("hashFile() hashes a file that nobody touches", async () => {
  assertEquals(await hashWhile(() => {}), { size: CONTENT.length, sha256: toHex(sha256(CONTENT)) });
});

Deno.test("hashFile() refuses a file that grows or shrinks while it is read", async () => {
  for (const length of [CONTENT.length + 1, CONTENT.length - 1, 0]) {
    await assertRejects(() => hashWhile((path) => Deno.truncateSync(path, length)), "conflict");
  }
});

Deno.test("hashFile() refuses a file that grew, even if it looks at its end as it did before", async () => {
  const meddle = (path: string, read: number, { size, mtime }: Deno.FileInfo) => {
    if (read < size) return Deno.writeFileSync(path, Uint8Array.of(1), { append: true });
    if (read === size) return;
    Deno.truncateSync(path, size);
    Deno.utimeSync(path, mtime ?? 0, mtime ?? 0);
  };
  await assertRejects(() => hashWhile(meddle), "conflict");
});

Deno.test("hashFile() refuses another file of the same name", async () => {
  const path = await Deno.makeTempFile({ prefix: "postern-hash-" });
  await Deno.writeFile(path, CONTENT);
  const found = await Deno.stat(path);
  // Kept, so that its number is not given to the new one.
  await Deno.rename(path, `${path}.old`);
  await Deno.writeFile(path, CONTENT);
  await assertRejects(() => hashFile(path, found, () => {}), "conflict");
  for (const one of [path, `${path}.old`]) await Deno.remove(one);
});
