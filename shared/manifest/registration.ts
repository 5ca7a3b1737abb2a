/** The two files of a registration, as text of one line (shared/spec/registration.md). */
import type { Bytes } from "../bytes/bytes.ts";
import { fromBase64Url, toBase64Url } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const FILES = {
  request: { prefix: "postern-registration-request:", maxBytes: LIMITS.maxRegistrationRequestBytes },
  answer: { prefix: "postern-registration-answer:", maxBytes: LIMITS.maxRegistrationAnswerBytes },
} as const;

export type RegistrationFile = keyof typeof FILES;

/** A file's text, with its line end. */
export function registrationText(what: RegistrationFile, bytes: Bytes): string {
  return `${FILES[what].prefix}${toBase64Url(bytes)}\n`;
}

/** The bytes in a file's text; white space around it is no matter. @throws `malformed`, `too_large` */
export function parseRegistrationText(what: RegistrationFile, text: string): Bytes {
  const { prefix, maxBytes } = FILES[what];
  // Four characters are three bytes; white space may add some.
  if (text.length > prefix.length + 2 * maxBytes) {
    throw new PosternError("too_large", `A registration ${what} has at most ${maxBytes} bytes`);
  }
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix)) {
    throw new PosternError("malformed", `A registration ${what} is a line that starts with ${prefix}`);
  }
  return fromBase64Url(trimmed.slice(prefix.length));
}
