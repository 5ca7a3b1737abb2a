/** Reads one HTTP/1.1 answer after another from what a connection delivers. Pure. */

/** One answer, whole. Views into the reader's memory: copy what is to be kept before the next `push`. */
export interface Answer {
  readonly status: number;
  /** Status line and headers as they came, without the empty line. */
  readonly head: string;
  readonly body: Uint8Array;
}

const CR = 13;
const LF = 10;
const FIRST_CAPACITY = 65_536;
const decoder = new TextDecoder("latin1");

/** Collects bytes until an answer is complete. Nobody pipelines: there is at most one at a time. */
export class AnswerReader {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  #filled = 0;

  /** Where the next bytes are to be read into; never empty. */
  get free(): Uint8Array {
    if (this.#filled === this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#filled);
  }

  /** Takes note of bytes that were read into `free`. Returns the answer as soon as it is complete. */
  push(count: number): Answer | null {
    this.#filled += count;
    const answer = parseAnswer(this.#buffer.subarray(0, this.#filled));
    if (answer !== null) this.#filled = 0;
    return answer;
  }
}

/** The answer that fills these bytes, or null as long as some are missing. @throws Error for what is no such answer */
export function parseAnswer(bytes: Uint8Array): Answer | null {
  const end = endOfHead(bytes);
  if (end < 0) return null;
  const head = decoder.decode(bytes.subarray(0, end));
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error(`no HTTP/1.1 answer: ${head.slice(0, 80)}`);
  const rest = bytes.subarray(end + 4);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    if (rest.length < Number(length)) return null;
    if (rest.length > Number(length)) throw new Error("more bytes than the answer has");
    return { status, head, body: rest };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error("neither a length nor chunks");
  const body = joinChunks(rest);
  return body === null ? null : { status, head, body };
}

/** The value of a header, or null. */
export function headerOf({ head }: Pick<Answer, "head">, name: string): string | null {
  const lines = head.split("\r\n").slice(1);
  const line = lines.find((one) => one.slice(0, name.length + 1).toLowerCase() === `${name}:`);
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/** Position of the empty line after the headers, or -1. */
function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
  }
  return -1;
}

/** The content of a chunked body (RFC 9112 section 7.1), or null as long as its end is missing. */
function joinChunks(bytes: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (let at = 0;;) {
    const lineEnd = bytes.indexOf(CR, at);
    if (lineEnd < 0 || lineEnd + 2 > bytes.length) return null;
    const size = Number.parseInt(decoder.decode(bytes.subarray(at, lineEnd)), 16);
    if (!(size >= 0)) throw new Error("a chunk without a size");
    const start = lineEnd + 2;
    if (start + size + 2 > bytes.length) return null;
    if (size === 0) return joined(parts);
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
