/**
 * Cuts the bytes of an mbox file into messages. It takes the file in pieces of any size and keeps at most one message; what it
 * gives does not depend on where the pieces end.
 *
 * The "From " line before each message and the empty line after it belong to the format and are taken away; every other byte of
 * the message is kept, line ends included. Content-Length headers (mboxcl) are not followed: they are wrong as soon as anything
 * has edited the file.
 */
import { type Bytes, concat, EMPTY } from "../../shared/bytes/bytes.ts";
import { FIELD_LOOKAHEAD_BYTES, isSeparator, MAX_SEPARATOR_BYTES } from "./mbox_separator.ts";
import { MessageBuffer } from "./message_buffer.ts";

/**
 * How the writer kept body lines that begin with "From " from looking like separators.
 *
 * - `mboxrd`: put ">" before "From " and before every ">From ", ">>From " and so on; reversible, and the default here.
 * - `mboxo`: put ">" before "From " only. A ">From " that was in the message reads as "From ": the format has lost that.
 * - `none`: nothing (mboxcl2, or a program that rewrites bodies in its own way); every line is kept as it is.
 */
export type MboxQuoting = "mboxrd" | "mboxo" | "none";

/** One finding; `at` is the offset in the file of the message's separator. */
export type MboxPart =
  | { readonly kind: "message"; readonly at: number; readonly raw: Bytes }
  | { readonly kind: "too_large"; readonly at: number; readonly bytes: number }
  /** Bytes before the first separator, which belong to no message. */
  | { readonly kind: "preamble"; readonly at: number; readonly bytes: number };

const LF = 10;
const CR = 13;
const QUOTE = 62;
const FROM = [70, 114, 111, 109, 32] as const;
const LF_LINE: Bytes = new Uint8Array([LF]);
const CR_LF_LINE: Bytes = new Uint8Array([CR, LF]);

const latin1 = new TextDecoder("latin1");

export class MboxSplitter {
  readonly #quoting: MboxQuoting;
  readonly #message: MessageBuffer;
  #parts: MboxPart[] = [];
  /** Bytes that cannot be judged before more has come. */
  #waiting: Bytes = EMPTY;
  /** Offset in the file of the first waiting byte. */
  #offset = 0;
  #atLineStart = true;
  /** ">" at the beginning of the present line, counted and not yet passed on. */
  #quotes = 0;
  /** An empty line that is part of the message only if another line of it follows. */
  #heldBlank: Bytes | null = null;
  /** Offset of the present message's separator; null in the preamble. */
  #messageAt: number | null = null;

  constructor(maxMessageBytes: number, quoting: MboxQuoting = "mboxrd") {
    this.#quoting = quoting;
    this.#message = new MessageBuffer(maxMessageBytes);
  }

  /** Takes the next piece of the file; gives what has become complete. */
  push(piece: Uint8Array): MboxPart[] {
    this.#advance(concat(this.#waiting, piece), false);
    return this.#hand();
  }

  /** Ends the file. Nothing may follow. */
  end(): MboxPart[] {
    this.#advance(this.#waiting, true);
    this.#finish();
    return this.#hand();
  }

  #advance(data: Bytes, final: boolean): void {
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at, final);
      if (next === null) break;
      at = next;
    }
    this.#waiting = data.slice(at);
    this.#offset += at;
  }

  /** Judges what begins at `at`. The offset behind it, or null if more data is needed for that. */
  #step(data: Bytes, at: number, final: boolean): number | null {
    if (!this.#atLineStart) return this.#restOfLine(data, at);
    const byte = data[at];
    if (byte === QUOTE && this.#quoting !== "none") return this.#countQuotes(data, at);
    if (byte === FROM[0]) {
      const from = startsWithFrom(data, at);
      if (from === "undecided" && !final) return null;
      if (from === "yes") return this.#quotes > 0 ? this.#quotedLine(data, at) : this.#fromLine(data, at, final);
    } else if (this.#quotes === 0) {
      if (byte === LF) return this.#blankLine(at, LF_LINE);
      if (byte === CR) {
        if (at + 1 === data.length && !final) return null;
        if (data[at + 1] === LF) return this.#blankLine(at, CR_LF_LINE);
      }
    }
    return this.#ordinaryLine(data, at, this.#quotes);
  }

  #countQuotes(data: Bytes, at: number): number {
    let end = at + 1;
    while (data[end] === QUOTE) end++;
    this.#quotes += end - at;
    return end;
  }

  #quotedLine(data: Bytes, at: number): number {
    const unquote = this.#quoting === "mboxrd" || this.#quotes === 1;
    return this.#ordinaryLine(data, at, unquote ? this.#quotes - 1 : this.#quotes);
  }

  /** Looks as far ahead as the judgement may depend on, so that it is the same for pieces of any size. */
  #fromLine(data: Bytes, at: number, final: boolean): number | null {
    const newline = data.indexOf(LF, at);
    const length = (newline < 0 ? data.length : newline) - at;
    if (length > MAX_SEPARATOR_BYTES) return this.#ordinaryLine(data, at, 0);
    const lookahead = data.subarray(at + length + 1, at + length + 1 + FIELD_LOOKAHEAD_BYTES);
    const decided = final || (newline >= 0 && (lookahead.length === FIELD_LOOKAHEAD_BYTES || lookahead.includes(LF)));
    if (!decided) return null;
    const line = latin1.decode(data.subarray(at, at + length)).replace(/\r$/, "");
    const first = this.#messageAt === null && this.#message.length === 0;
    const around = { first, afterBlank: this.#heldBlank !== null, next: latin1.decode(lookahead) };
    if (!isSeparator(line, around)) return this.#ordinaryLine(data, at, 0);
    this.#finish();
    this.#messageAt = this.#offset + at;
    return Math.min(data.length, at + length + 1);
  }

  #blankLine(at: number, line: Bytes): number {
    this.#releaseBlank();
    this.#heldBlank = line;
    return at + line.length;
  }

  #ordinaryLine(data: Bytes, at: number, quotes: number): number {
    this.#releaseBlank();
    this.#message.appendRepeated(QUOTE, quotes);
    this.#quotes = 0;
    this.#atLineStart = false;
    return this.#restOfLine(data, at);
  }

  #restOfLine(data: Bytes, at: number): number {
    const newline = data.indexOf(LF, at);
    const end = newline < 0 ? data.length : newline + 1;
    this.#message.append(data.subarray(at, end));
    this.#atLineStart = newline >= 0;
    return end;
  }

  #releaseBlank(): void {
    // Empty lines before anything else are no preamble worth a report.
    if (this.#heldBlank !== null && (this.#messageAt !== null || this.#message.length > 0)) {
      this.#message.append(this.#heldBlank);
    }
    this.#heldBlank = null;
  }

  #finish(): void {
    if (this.#quotes > 0) this.#ordinaryLine(EMPTY, 0, this.#quotes);
    this.#heldBlank = null;
    const bytes = this.#message.length;
    const raw = this.#message.take();
    if (this.#messageAt === null) {
      if (bytes > 0) this.#parts.push({ kind: "preamble", at: 0, bytes });
    } else if (raw === null) this.#parts.push({ kind: "too_large", at: this.#messageAt, bytes });
    else this.#parts.push({ kind: "message", at: this.#messageAt, raw });
  }

  #hand(): MboxPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}

function startsWithFrom(data: Uint8Array, at: number): "yes" | "no" | "undecided" {
  for (let i = 0; i < FROM.length; i++) {
    if (at + i >= data.length) return "undecided";
    if (data[at + i] !== FROM[i]) return "no";
  }
  return "yes";
}
