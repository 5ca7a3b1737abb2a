/** Ids as a person types them: any clear beginning of their hexadecimal digits. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { fromHex } from "../../shared/bytes/encoding.ts";
import { PosternError } from "../../shared/errors.ts";

const MIN_DIGITS = 4;

/**
 * The bytes that an id begins with.
 *
 * @param what for the error, such as `a fingerprint`
 * @throws `usage`
 */
export function idPrefix(text: string, what: string, maxBytes: number): Bytes {
  const digits = text.toLowerCase().replace(/[:\s]/g, "");
  if (
    !/^[0-9a-f]*$/.test(digits) || digits.length < MIN_DIGITS || digits.length > 2 * maxBytes || digits.length % 2 > 0
  ) {
    throw new PosternError(
      "usage",
      `${what} is given by its first digits, an even number from ${MIN_DIGITS} to ${
        2 * maxBytes
      } of them; found '${text}'`,
    );
  }
  return fromHex(digits);
}
