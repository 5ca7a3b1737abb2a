/** Whether bytes are obviously no mail: a picture, a program, a text of another kind. Whatever could be one, is one. */
import type { Bytes } from "../../shared/bytes/bytes.ts";

/** How far a header is looked for: beyond, something else would have shown. */
const LOOKED_AT_BYTES = 8_192;
/** The name and colon of a header field (RFC 5322 section 2.2; before the colon, section 4.5.8 allows white space). */
const FIELD = /^[!-9;-~]+[ \t]*:/m;
const END_OF_HEADER = /\r?\n\r?\n|\r\r/;

/** Why bytes cannot be a mail, or null. */
export function whyNoMail(raw: Bytes): string | null {
  const start = new TextDecoder("latin1").decode(raw.subarray(0, LOOKED_AT_BYTES)).replace(/^[\r\n]+/, "");
  const header = start.split(END_OF_HEADER, 1)[0] ?? "";
  if (header.includes("\0")) return "there are zero bytes where its header should be";
  return FIELD.test(header) ? null : "it does not begin with header fields, such as 'Subject: ...'";
}
