/** A file of a release as it goes out: what is sent is what the manifest says, to the last byte. */
import { createHash } from "node:crypto";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../manager/files/os_error.ts";
import type { Upload } from "./place.ts";

const CHUNK_BYTES = 262_144;

/** The file at a path, which must have this size and SHA-256. @param onRead is told how many bytes came */
export function uploadFile(
  path: string,
  { name, size, sha256 }: Omit<Upload, "open">,
  onRead: (bytes: number) => void,
): Upload {
  return { name, size, sha256, open: () => ReadableStream.from(readChecked(path, size, sha256, onRead)) };
}

async function* readChecked(
  path: string,
  size: number,
  sha256: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<Bytes> {
  const hash = createHash("sha256");
  let done = 0;
  try {
    using file = await Deno.open(path, { read: true });
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = await file.read(chunk);
      if (count === null) break;
      done += count;
      if (done > size) break;
      const part = chunk.subarray(0, count);
      hash.update(part);
      // The last piece goes out only when the whole is known to be right: a receiver that counts never has a wrong file.
      if (done === size && hash.copy().digest("hex") !== sha256) break;
      onRead(count);
      yield part;
    }
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
  if (done !== size || hash.digest("hex") !== sha256) {
    throw new PosternError(
      "conflict",
      `${path} is not what the manifest describes; describe, encrypt and sign it anew`,
    );
  }
}
