/** A file line by line, however long it is: what is in memory is a piece of it. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../../manager/files/os_error.ts";

const CHUNK_BYTES = 65_536;
const LINE_FEED = 0x0a;

/**
 * The lines of a file, each without its end.
 *
 * @throws `too_large` for a longer line; `malformed` if the last one has no end: the file was cut off; `not_found`, `storage`
 */
export async function* readLines(path: string, maxLineBytes: number): AsyncGenerator<Bytes> {
  let rest: Bytes = new Uint8Array(0);
  try {
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      rest = concat(rest, buffer.subarray(0, count));
      let start = 0;
      for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED, start)) {
        if (end - start > maxLineBytes) throw tooLong(path, maxLineBytes);
        yield rest.slice(start, end);
        start = end + 1;
      }
      rest = rest.slice(start);
      if (rest.length > maxLineBytes) throw tooLong(path, maxLineBytes);
    }
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
  if (rest.length > 0) throw new PosternError("malformed", `the last line of ${path} has no end: it was cut off`);
}

function tooLong(path: string, maxLineBytes: number): PosternError {
  return new PosternError("too_large", `a line of ${path} has more than ${maxLineBytes} bytes`);
}
