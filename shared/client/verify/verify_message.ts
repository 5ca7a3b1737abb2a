/** Puts a message together from its parts and hands it out only when it is whole (spec: ROW-09). Pure. */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { createSha256, sha256 } from "../../crypto/hash.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { MessageContent, PartContent } from "../../protocol/plaintexts.ts";

/** How many parts a message of this size is cut into; 0 when it is inline. */
export function partCount(size: number): number {
  return size <= LIMITS.inlineMessageBytes ? 0 : Math.ceil(size / LIMITS.messagePartBytes);
}

/**
 * Checks what a message says of itself: inline or in parts by its size alone, and the right number of them.
 *
 * @throws `tampered`
 */
export function requireConsistent(message: MessageContent): void {
  const { size, parts, inline } = message;
  const isConsistent = parts === partCount(size) && (inline === null) === (parts > 0);
  if (!isConsistent) throw new PosternError("tampered", `A message of ${size} bytes says that it has ${parts} parts`);
  if (inline !== null && (inline.length !== size || !equalBytes(sha256(inline), message.sha256))) {
    throw new PosternError("tampered", "An inline message is not the one that its size and hash name");
  }
}

/** Takes the parts of one message in order. */
export class MessageAssembler {
  readonly #message: MessageContent;
  readonly #whole: Bytes;
  readonly #hash = createSha256();
  #next = 0;

  constructor(message: MessageContent) {
    requireConsistent(message);
    this.#message = message;
    this.#whole = message.inline?.slice() ?? new Uint8Array(message.size);
    if (message.inline !== null) this.#hash.update(message.inline);
  }

  /** The part expected next; equal to the count when all are there. */
  get next(): number {
    return this.#next;
  }

  /** @throws `tampered` for a part of another message, out of order, or of another size than its place has */
  add(part: PartContent): void {
    const { id, size, parts } = this.#message;
    const start = this.#next * LIMITS.messagePartBytes;
    const expected = Math.min(LIMITS.messagePartBytes, size - start);
    const fits = this.#next < parts && part.index === this.#next && equalBytes(part.message, id) &&
      part.bytes.length === expected;
    if (!fits) throw new PosternError("tampered", `Part ${part.index} of a message is not the one that belongs there`);
    this.#whole.set(part.bytes, start);
    this.#hash.update(part.bytes);
    this.#next += 1;
  }

  /** The whole message. @throws `withheld` while parts are missing; `tampered` when the whole is not what was hashed */
  finish(): Bytes {
    const { parts, sha256: expected } = this.#message;
    if (this.#next < parts) {
      throw new PosternError("withheld", `The edge shows ${this.#next} of the ${parts} parts of a message`);
    }
    if (!equalBytes(this.#hash.digest(), expected)) {
      throw new PosternError("tampered", "The parts of a message do not make the message that its hash names");
    }
    return this.#whole;
  }
}
