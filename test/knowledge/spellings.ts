/**
 * Every way in which a mark may be written down: as it is, in another case or character set, reversed, hashed; each of them raw, in
 * hexadecimal, and in base64 at all three alignments. What depends on its surroundings (line breaks, escapes, compression) is undone
 * by `views.ts` instead.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Mark } from "./marks.ts";

/** A sequence of bytes to look for, and what it would mean to find it. */
export interface Needle {
  readonly mark: string;
  /** As in "sha256, base64". */
  readonly spelling: string;
  readonly bytes: Uint8Array;
}

/** So many bytes of the beginning, and of the end, of a mark are a finding: what leaks may be cut off. */
const FRAGMENT_BYTES = 12;

const HASHES = ["sha256", "sha512", "sha1", "md5"] as const;

/** All needles of a mark. */
export function needlesOf(mark: Mark): Needle[] {
  return sourcesOf(mark).flatMap(([source, bytes]) =>
    fragments(bytes).flatMap((fragment) =>
      encodingsOf(fragment).map(([encoding, encoded]) => ({
        mark: mark.name,
        spelling: encoding === "" ? source : `${source}, ${encoding}`,
        bytes: encoded,
      }))
    )
  );
}

type Named = readonly [name: string, bytes: Uint8Array];

/** The mark itself and what is computed from the whole of it. */
function sourcesOf({ bytes, isText }: Mark): Named[] {
  const plain: Named[] = isText ? textSources(Buffer.from(bytes).toString("utf8")) : [
    ["as it is", bytes],
    // What becomes of bytes that somebody took for Latin-1 text.
    ["as Latin-1 text", Buffer.from(Buffer.from(bytes).toString("latin1"), "utf8")],
  ];
  const reversed = plain.map(([name, source]): Named => [`${name}, reversed`, source.toReversed()]);
  const hashes = HASHES.map((hash): Named => [hash, createHash(hash).update(bytes).digest()]);
  return [...plain, ...reversed, ...hashes];
}

function textSources(text: string): Named[] {
  const cases = new Map([["as it is", text], ["lower case", text.toLowerCase()], ["upper case", text.toUpperCase()]]);
  if (cases.get("lower case") === text) cases.delete("lower case");
  if (cases.get("upper case") === text) cases.delete("upper case");
  return [...cases].flatMap(([name, spelled]): Named[] => {
    const utf16 = Buffer.from(spelled, "utf16le");
    return [
      [name, Buffer.from(spelled, "utf8")],
      [`${name}, UTF-16LE`, utf16],
      [`${name}, UTF-16BE`, Buffer.from(utf16).swap16()],
    ];
  });
}

function fragments(bytes: Uint8Array): Uint8Array[] {
  return bytes.length <= FRAGMENT_BYTES
    ? [bytes]
    : [bytes.subarray(0, FRAGMENT_BYTES), bytes.subarray(-FRAGMENT_BYTES)];
}

function encodingsOf(fragment: Uint8Array): Named[] {
  const hex = Buffer.from(fragment).toString("hex");
  const texts = new Map([
    ["hex", hex],
    ["upper-case hex", hex.toUpperCase()],
    ...[0, 1, 2].map((before) => [`base64 at ${before}`, base64Inside(fragment, before, "base64")] as const),
    ...[0, 1, 2].map((before) => [`base64url at ${before}`, base64Inside(fragment, before, "base64url")] as const),
  ]);
  const unique = new Map([...texts].map(([name, text]) => [text, name]));
  return [
    ["", fragment],
    ...[...unique].flatMap(([text, name]): Named[] => {
      const bytes = Buffer.from(text, "latin1");
      return [[name, bytes], [`${name}, reversed`, bytes.toReversed()]];
    }),
  ];
}

/**
 * The characters of base64 that depend on the fragment alone, when so many bytes (modulo 3) stand before it.
 */
function base64Inside(fragment: Uint8Array, before: number, form: "base64" | "base64url"): string {
  const text = Buffer.concat([new Uint8Array(before), fragment]).toString(form).replace(/=+$/, "");
  return text.slice(Math.ceil(8 * before / 6), Math.floor(8 * (before + fragment.length) / 6));
}
