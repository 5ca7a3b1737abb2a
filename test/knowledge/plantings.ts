/**
 * Ways to leak, made by other code than what looks for them: each writes a mark down somewhere in the middle of other bytes. They
 * prove that the scanner can fail a test, and that it would for the leak of any of these forms.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Mark } from "./marks.ts";

/** What stands around a leak. */
export interface Around {
  readonly before: Buffer;
  readonly after: Buffer;
}

/** Writes a mark down between other bytes. */
export type Planting = (mark: Mark, around: Around) => Uint8Array;

/** For any mark. */
export const PLANTINGS: Readonly<Record<string, Planting>> = {
  ...{
    raw: (mark, around) => plain(mark, around),
    "reversed bytes": (mark, around) => between(around, Buffer.from(mark.bytes.toReversed())),
    "everything reversed": (mark, around) => Uint8Array.from([...plain(mark, around)].reverse()),
    "cut off at its end": (mark, { before }) => Buffer.concat([before, mark.bytes.subarray(0, 13)]),
    "cut off at its beginning": (mark, { after }) => Buffer.concat([mark.bytes.subarray(-13), after]),
    hex: (mark, around) => Buffer.from(plain(mark, around).toString("hex")),
    "upper-case hex": (mark, around) => Buffer.from(plain(mark, around).toString("hex").toUpperCase()),
    "hex reversed": (mark, around) => Buffer.from([...plain(mark, around).toString("hex")].reverse().join("")),
    "hex with colons": (mark, around) =>
      Buffer.from((plain(mark, around).toString("hex").match(/../g) ?? []).join(":")),
    "hex with hyphens": (mark, around) =>
      Buffer.from((plain(mark, around).toString("hex").match(/.{8}/g) ?? []).join("-")),
    "hex in UTF-16": (mark, around) => Buffer.from(plain(mark, around).toString("hex"), "utf16le"),
    base64: (mark, around) => Buffer.from(plain(mark, around).toString("base64")),
    base64url: (mark, around) => Buffer.from(plain(mark, around).toString("base64url")),
    "base64 in lines": (mark, around) =>
      Buffer.from(plain(mark, around).toString("base64").replace(/.{76}/g, "$&\r\n")),
    "base64 in UTF-16BE": (mark, around) => Buffer.from(plain(mark, around).toString("base64"), "utf16le").swap16(),
    "base64, percent-encoded": (mark, around) =>
      Buffer.from(encodeURIComponent(plain(mark, around).toString("base64"))),
    "percent-encoding": (mark, around) => escaped(plain(mark, around), "%"),
    "upper-case percent-encoding": (mark, around) =>
      Buffer.from(escaped(plain(mark, around), "%").toString().toUpperCase()),
    "quoted-printable": (mark, around) =>
      Buffer.from(escaped(plain(mark, around), "=").toString().toUpperCase().replace(/.{72}/g, "$&=\r\n")),
    "\\x escapes": (mark, around) => escaped(plain(mark, around), "\\x"),
    "\\u escapes": (mark, around) => escaped(plain(mark, around), "\\u00"),
    "JSON of a byte array": (mark) => Buffer.from(JSON.stringify({ id: 7, value: new Uint8Array(mark.bytes) })),
    "JSON of numbers": (mark, around) => Buffer.from(JSON.stringify([...plain(mark, around)], null, 2)),
    "console output": (mark) => Buffer.from(inspect({ value: new Uint8Array(mark.bytes) }, { colors: true })),
    "console output of a buffer": (mark) => Buffer.from(inspect(Buffer.from(mark.bytes))),
    "CBOR": (mark, { before, after }) => encodeCbor([before, { value: mark.bytes }, after]),
  },
  ...Object.fromEntries(["sha256", "sha512", "sha1", "md5"].flatMap((name): [string, Planting][] => [
    [name, (mark, around) => between(around, hash(name, mark.bytes))],
    [`half of the ${name}`, (mark, around) => between(around, hash(name, mark.bytes).subarray(0, 13))],
    [`${name} in hex`, (mark, around) => Buffer.from(between(around, hash(name, mark.bytes)).toString("hex"))],
    [`${name} in base64`, (mark, around) => Buffer.from(between(around, hash(name, mark.bytes)).toString("base64"))],
  ])),
  ...{
    gzip: (mark, around) => between(around, gzipSync(plain(mark, around))),
    "gzip, cut off": (mark, around) => Buffer.from(gzipSync(plain(mark, around), { level: 9 }).subarray(0, -9)),
    zlib: (mark, around) => between(around, deflateSync(plain(mark, around), { level: 1 })),
    "zlib in gzip": (mark, around) => between(around, gzipSync(deflateSync(plain(mark, around)))),
    "hex in gzip": (mark, around) => between(around, gzipSync(plain(mark, around).toString("hex"))),
    deflate: (mark, around) => Buffer.concat([deflateRawSync(plain(mark, around)), around.after]),
    "deflate in CBOR": (mark, around) => encodeCbor([1, { row: encodeCbor([deflateRawSync(plain(mark, around))]) }]),
    Brotli: (mark, around) => brotliCompressSync(plain(mark, around)),
  },
};

/** For marks that are text, besides the others. */
export const TEXT_PLANTINGS: Readonly<Record<string, Planting>> = {
  "UTF-16LE": (mark, around) => between(around, Buffer.from(textOf(mark), "utf16le")),
  "UTF-16BE": (mark, around) => between(around, Buffer.from(textOf(mark), "utf16le").swap16()),
  "UTF-16LE in base64": (mark, around) =>
    Buffer.from(between(around, Buffer.from(textOf(mark), "utf16le")).toString("base64")),
  "upper case": (mark, around) => between(around, Buffer.from(textOf(mark).toUpperCase())),
  "lower case in base64": (mark, around) =>
    Buffer.from(between(around, Buffer.from(textOf(mark).toLowerCase())).toString("base64")),
  "a URL": (mark, around) => Buffer.from(`GET /?q=${around.before.toString("hex")}${encodeURIComponent(textOf(mark))}`),
};

/** For marks that are not. */
export const BYTE_PLANTINGS: Readonly<Record<string, Planting>> = {
  "Latin-1 text": (mark, around) => Buffer.from(plain(mark, around).toString("latin1"), "utf8"),
};

function plain(mark: Mark, around: Around): Buffer {
  return between(around, Buffer.from(mark.bytes));
}

function between({ before, after }: Around, bytes: Uint8Array): Buffer {
  return Buffer.concat([before, bytes, after]);
}

function escaped(bytes: Buffer, mark: string): Buffer {
  return Buffer.from([...bytes].map((byte) => mark + byte.toString(16).padStart(2, "0")).join(""));
}

function hash(name: string, bytes: Uint8Array): Buffer {
  return createHash(name).update(bytes).digest();
}

function textOf(mark: Mark): string {
  return Buffer.from(mark.bytes).toString("utf8");
}
