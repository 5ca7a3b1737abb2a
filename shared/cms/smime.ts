/**
 * The S/MIME message that `openssl cms -sign` writes if it is not told otherwise (RFC 8551 section 3.5.3), in exactly the form in
 * which it does: not a letter of it may be another, for nothing in it is signed.
 */
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { fromBase64, toBase64 } from "../bytes/encoding.ts";
import type { Hash } from "../crypto/digest.ts";
import { badSignature } from "./errors.ts";
import { malformed } from "../der/read.ts";
import { LIMITS } from "../limits.ts";

/** What the message holds. */
export interface SmimeMessage {
  /** The signature, DER. */
  readonly der: Bytes;
  /** What was signed, as it stands there. */
  readonly content: Bytes;
  /** The hash that the header names. */
  readonly hash: Hash;
}

const WHAT = "S/MIME signature";
const HEADER_BYTES = 320;
const HASHES: Readonly<Record<string, Hash>> = { "sha-256": "SHA-256", "sha-384": "SHA-384", "sha-512": "SHA-512" };

// `openssl cms` writes the type without "x-", `openssl smime` with it.
const HEADER = new RegExp(
  [
    String.raw`^MIME-Version: 1\.0(\r?\n)`,
    String.raw`Content-Type: multipart/signed; protocol="application/(x-)?pkcs7-signature"; `,
    String.raw`micalg="([a-z0-9-]{1,16})"; boundary="----([0-9A-F]{32})"\1\1`,
    String.raw`This is an S/MIME signed message\1\1`,
    String.raw`------\4\1`,
  ].join(""),
);

/** What `-nodetach` makes. */
const ATTACHED = /^MIME-Version: 1\.0\r?\n[^]*\nContent-Type: application\/(x-)?pkcs7-mime;/;

const M = 0x4d;

/** Whether a file can only be such a message. */
export function isSmime(file: Bytes): boolean {
  return file[0] === M;
}

/** Reads the message from all of the file. @throws `malformed`; `signature` for other digests and attached contents */
// spec: CMS-02
export function readSmime(file: Bytes): SmimeMessage {
  const opened = latin1(file.subarray(0, HEADER_BYTES));
  const header = HEADER.exec(opened);
  const [opening = "", eol = "", prefix = "", micalg = "", boundary = ""] = header ?? [];
  if (header === null) {
    if (ATTACHED.test(opened)) {
      throw badSignature("message holds what it signs; only a signature beside the file is accepted");
    }
    throw malformed(WHAT, "its header is not the one that OpenSSL writes");
  }
  const hash = HASHES[micalg];
  if (hash === undefined) {
    throw badSignature(`is over a digest by ${micalg}; accepted are SHA-256, SHA-384 and SHA-512`);
  }
  const part = `${eol}------${boundary}${eol}` + [
    `Content-Type: application/${prefix}pkcs7-signature; name="smime.p7s"`,
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment; filename="smime.p7s"`,
  ].map((line) => `${line}${eol}`).join("") + eol;
  const end = `${eol}------${boundary}--${eol}${eol}`;
  const start = findLast(file, utf8(part), opening.length, 2 * LIMITS.maxCmsBytes);
  const tail = latin1(file.subarray(start + part.length));
  if (!tail.endsWith(end)) throw malformed(WHAT, "does not end as OpenSSL ends it");
  const der = readBody(tail.slice(0, -end.length));
  return { der, content: file.subarray(opening.length, start), hash };
}

/** Base64 in lines of 64, which end with LF also where all other lines end with CR LF. */
function readBody(body: string): Bytes {
  const der = fromBase64(body.replaceAll("\n", ""));
  if (body !== toBase64(der).replace(/.{1,64}/g, "$&\n")) {
    throw malformed(WHAT, "its second part is not base64 in lines of 64 characters");
  }
  return der;
}

/** Where the pattern begins for the last time, between `from` and the end, and at most so many bytes before the end. */
function findLast(file: Bytes, pattern: Bytes, from: number, within: number): number {
  for (let at = file.length; at >= Math.max(from, file.length - within); at--) {
    if (pattern.every((byte, i) => file[at + i] === byte)) return at;
  }
  throw malformed(WHAT, "has no second part as OpenSSL writes it");
}

/** For comparing with ASCII: what is not ASCII never becomes it. */
function latin1(bytes: Bytes): string {
  return new TextDecoder("latin1").decode(bytes);
}
