/** Takes one HTTP/1.1 message after the other off a connection, whole and as it came, without understanding more than its length. */
import { concat } from "../../shared/bytes/bytes.ts";

const END_OF_HEAD = new TextEncoder().encode("\r\n\r\n");
const END_OF_LINE = new TextEncoder().encode("\r\n");
const READ_BYTES = 65_536;

/** What {@link WireReader.next} reads. */
export type Side = "request" | "answer";

export class WireReader {
  readonly #conn: Deno.Conn;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Whether a message begins: waits for its first byte and leaves the rest of it unread. False when the other side has closed. */
  async begins(): Promise<boolean> {
    return this.#buffer.length > 0 || await this.#more(1);
  }

  /** The next message, or null when the other side has closed, in the middle of one or between two. */
  async next(side: Side): Promise<Uint8Array | null> {
    const headEnd = await this.#until(END_OF_HEAD, 0);
    if (headEnd === null) return null;
    const head = new TextDecoder("latin1").decode(this.#buffer.subarray(0, headEnd));
    const end = await this.#endOf(head, headEnd, side);
    if (end === null) return null;
    const message = this.#buffer.slice(0, end);
    this.#buffer = this.#buffer.slice(end);
    return message;
  }

  async #endOf(head: string, headEnd: number, side: Side): Promise<number | null> {
    if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) return await this.#chunks(headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const hasNone = side === "request" || /^HTTP\/1\.1 (1\d\d|204|304)/.test(head);
    const end = headEnd + (length === undefined ? 0 : Number(length));
    if (length === undefined && !hasNone) throw new Error("an answer of unknown length");
    return await this.#atLeast(end) ? end : null;
  }

  async #chunks(start: number): Promise<number | null> {
    for (let at = start;;) {
      const lineEnd = await this.#until(END_OF_LINE, at);
      if (lineEnd === null) return null;
      const size = parseInt(new TextDecoder().decode(this.#buffer.subarray(at, lineEnd)), 16);
      at = lineEnd + size + END_OF_LINE.length;
      if (!await this.#atLeast(at)) return null;
      if (size === 0) return at;
    }
  }

  /** Where the mark ends that comes first from here on. */
  async #until(mark: Uint8Array, from: number): Promise<number | null> {
    for (;;) {
      const at = indexOf(this.#buffer, mark, from);
      if (at >= 0) return at + mark.length;
      if (!await this.#more()) return null;
    }
  }

  async #atLeast(length: number): Promise<boolean> {
    while (this.#buffer.length < length) if (!await this.#more()) return false;
    return true;
  }

  async #more(bytes = READ_BYTES): Promise<boolean> {
    const chunk = new Uint8Array(bytes);
    const read = await this.#conn.read(chunk).catch(() => null);
    if (read === null) return false;
    this.#buffer = concat(this.#buffer, chunk.subarray(0, read));
    return true;
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  for (let at = from; at + mark.length <= bytes.length; at++) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
