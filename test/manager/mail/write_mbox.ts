/** Writing mbox files as other programs do, for reading them back. */
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";

export interface MboxStyle {
  readonly quoting: "mboxrd" | "mboxo" | "none";
  readonly eol: "\n" | "\r\n";
}

/** The content of an mbox file. A message that does not end its last line gets a line end, as every writer must. */
export function writeMbox(messages: readonly Bytes[], style: MboxStyle): Bytes {
  return concat(...messages.flatMap((raw, i) => [
    utf8(`From sender${i}@example.com Thu Nov 13 10:22:${10 + (i % 50)} 2023${style.eol}`),
    quoted(finished(raw), style.quoting),
    utf8(style.eol),
  ]));
}

/** What a reader can get back of a message. */
export function finished(raw: Bytes): Bytes {
  return raw.at(-1) === 10 ? raw : concat(raw, utf8("\n"));
}

function quoted(raw: Bytes, quoting: MboxStyle["quoting"]): Bytes {
  if (quoting === "none") return raw;
  // Latin-1 maps bytes to characters one to one.
  let text = "";
  for (const byte of raw) text += String.fromCharCode(byte);
  const pattern = quoting === "mboxrd" ? /(^|\n)(>*From )/g : /(^|\n)(From )/g;
  return Uint8Array.from(text.replace(pattern, "$1>$2"), (char) => char.charCodeAt(0));
}
