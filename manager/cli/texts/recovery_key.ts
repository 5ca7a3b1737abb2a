/** The recovery key as its owner writes it down: base32 in groups of four, with a check group against slips of the pen. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { PosternError } from "../../../shared/errors.ts";

const DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
const KEY_BYTES = 32;
const KEY_DIGITS = 52;
const CHECK_DIGITS = 4;

/** 56 digits of RFC 4648's base32 in lower case, in 14 groups; the last one checks the others. */
export function writeRecoveryKey(seed: Bytes): string {
  const digits = base32(seed);
  return (digits + checkDigits(digits)).match(/.{4}/g)?.join("-") ?? "";
}

/** Reads it back as a person types it: capitals, spaces and dashes do not matter. @throws `malformed` */
export function readRecoveryKey(text: string): Bytes {
  const digits = text.toLowerCase().replace(/[\s-]/g, "");
  const key = digits.slice(0, KEY_DIGITS);
  const isWhole = digits.length === KEY_DIGITS + CHECK_DIGITS && /^[a-z2-7]+$/.test(digits);
  if (!isWhole || checkDigits(key) !== digits.slice(KEY_DIGITS)) {
    throw new PosternError(
      "malformed",
      "This is not a recovery key: compare it letter by letter with what was written down",
    );
  }
  const seed = fromBase32(key);
  // The last digit has bits to spare, and one key has one spelling.
  if (base32(seed) !== key) {
    throw new PosternError("malformed", "This is not a recovery key: its last letters are wrong");
  }
  return seed;
}

function checkDigits(digits: string): string {
  return base32(sha256(utf8(`recovery key ${digits}`))).slice(0, CHECK_DIGITS);
}

function base32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += DIGITS[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? out : out + DIGITS[(held << (5 - bits)) & 31];
}

function fromBase32(digits: string): Bytes {
  const out = new Uint8Array(KEY_BYTES);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of digits) {
    held = ((held << 5) | DIGITS.indexOf(digit)) & 0xffff;
    bits += 5;
    if (bits >= 8 && at < KEY_BYTES) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  return out;
}
