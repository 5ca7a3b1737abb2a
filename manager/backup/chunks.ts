/**
 * The chunks of a backup: a stream sealed piece by piece, so that every piece opens only in its place, and only a whole stream has an
 * end (shared/spec/backup.md). No I/O.
 */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, sealAead } from "../../shared/crypto/aead.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";

const NOTHING: Bytes = new Uint8Array(0);
const MAX_CHUNKS = 2 ** 32;
const SEALED_BYTES = LIMITS.backupChunkBytes + AEAD_TAG_BYTES;

/** Gives the next bytes, `most` of them unless the end comes before. */
export type ReadBytes = (most: number) => Promise<Bytes>;

/** Seals a stream. The last chunk is held back until it is known to be the last. */
export class ChunkSealer {
  readonly #key: CryptoKey;
  #held: Bytes[] = [];
  #heldBytes = 0;
  #index = 0;

  /** @param key seals this one stream only */
  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Takes more of the stream; returns the chunks that are complete by now. */
  async add(bytes: Bytes): Promise<Bytes> {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= LIMITS.backupChunkBytes) return NOTHING;
    const all = concat(...this.#held);
    const sealed: Bytes[] = [];
    let at = 0;
    for (; all.length - at > LIMITS.backupChunkBytes; at += LIMITS.backupChunkBytes) {
      sealed.push(await this.#seal(all.slice(at, at + LIMITS.backupChunkBytes), false));
    }
    this.#held = [all.slice(at)];
    this.#heldBytes = all.length - at;
    return concat(...sealed);
  }

  /** Ends the stream. @throws `usage` for one without a byte */
  async finish(): Promise<Bytes> {
    if (this.#heldBytes === 0) throw new PosternError("usage", "A stream of chunks is not empty");
    return await this.#seal(concat(...this.#held), true);
  }

  async #seal(chunk: Bytes, isLast: boolean): Promise<Bytes> {
    return await sealAead(this.#key, nonceOf(this.#index++, isLast), chunk, NOTHING);
  }
}

/**
 * Opens a stream, chunk by chunk. Only when the generator has come to its end was it whole.
 *
 * @throws `tampered` for whatever is not the stream that was sealed
 */
// spec: BACKUP-03
export async function* openChunks(key: CryptoKey, read: ReadBytes): AsyncGenerator<Bytes> {
  let chunk = await read(SEALED_BYTES);
  for (let index = 0;; index++) {
    const next = chunk.length < SEALED_BYTES ? NOTHING : await read(SEALED_BYTES);
    const isLast = next.length === 0;
    if (chunk.length <= AEAD_TAG_BYTES) throw broken(index);
    try {
      yield await openAead(key, nonceOf(index, isLast), chunk, NOTHING);
    } catch (cause) {
      throw isPosternError(cause, "tampered") ? broken(index, cause) : cause;
    }
    if (isLast) return;
    chunk = next;
  }
}

function nonceOf(index: number, isLast: boolean): Bytes {
  if (index >= MAX_CHUNKS) throw new PosternError("too_large", "A backup has at most 2^32 chunks");
  const nonce = new Uint8Array(AEAD_NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(AEAD_NONCE_BYTES - 5, index);
  nonce[AEAD_NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

function broken(index: number, cause?: unknown): PosternError {
  const found = `The backup is damaged or was changed, at piece ${
    index + 1
  }: it does not open, or the file was cut off`;
  return new PosternError("tampered", `${found}. Take another copy of it`, { cause });
}
