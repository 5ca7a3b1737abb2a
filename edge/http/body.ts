/** Reading the body of a request, as far as the limit and no further (spec: CONV-08). */
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { MEDIA } from "../../shared/protocol/wire.ts";

/**
 * The body, whole.
 *
 * @throws `too_large` as soon as it is known to be; `malformed` when it breaks off
 */
export async function readBody(request: Request, maxBytes: number = LIMITS.maxBodyBytes): Promise<Bytes> {
  if (request.body === null) return EMPTY;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      length += read.value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(read.value);
    }
  } catch (error) {
    // The rest is not wanted; a stream that already failed cannot be cancelled, which changes nothing.
    reader.cancel().catch(() => {});
    if (error instanceof PosternError) throw error;
    throw new PosternError("malformed", "The body of the request broke off", { cause: error });
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Bytes {
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** @throws `unsupported` for a body that is not declared as plain CBOR */
export function requireCbor(headers: Headers): void {
  const type = headers.get("content-type");
  if (type?.toLowerCase() !== MEDIA.cbor) {
    throw new PosternError("unsupported", `The body is not declared as ${MEDIA.cbor}`);
  }
  if (headers.has("content-encoding")) throw new PosternError("unsupported", "The body is encoded");
}

function tooLarge(maxBytes: number): PosternError {
  return new PosternError("too_large", `A body has at most ${maxBytes} bytes`);
}
