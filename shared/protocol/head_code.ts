/** How two devices, or a device and the manager, compare the heads that they were shown (shared/spec/head.md, "Comparing heads"). */
import * as v from "valibot";
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { fromBase64Url, toBase64Url } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, decodeAs, label, positive } from "./shapes.ts";

const PREFIX = "postern-head:";
const CODE_BYTES = 10;
/** Crockford's base32. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE = /^(\d{1,16}):([0-9A-Z]{16})$/;

const textTuple = v.strictTuple([label(LABELS.headText), bytesOf(32), bytesOf(16), positive, bytesOf(32)]);

/** A head by its name. */
export interface NamedHead {
  readonly owner: Bytes;
  readonly incarnation: Bytes;
  readonly generation: number;
  readonly hash: Bytes;
}

/** What somebody else shows of the newest head it verified: whole as text, or a code that fits a hash or does not. */
export type OtherHead =
  | { readonly kind: "text"; readonly generation: number; readonly head: NamedHead }
  | { readonly kind: "code"; readonly generation: number; readonly code: string };

/** To be read out: `1234:XXXX-XXXX-XXXX-XXXX`. */
// spec: HEAD-08
export function headCode({ owner, incarnation, generation, hash }: NamedHead): string {
  const named = sha256(encodeCbor([LABELS.headCode, owner, incarnation, generation, hash]));
  const digits = base32(named.subarray(0, CODE_BYTES));
  return `${generation}:${[0, 4, 8, 12].map((at) => digits.slice(at, at + 4)).join("-")}`;
}

/** To be carried as a QR code or in a message: everything. */
export function headText({ owner, incarnation, generation, hash }: NamedHead): string {
  return PREFIX + toBase64Url(encodeCbor([LABELS.headText, owner, incarnation, generation, hash]));
}

/** Reads either of the two, as people pass it on. @throws `malformed` */
export function parseOtherHead(written: string): OtherHead {
  const text = written.trim();
  if (text.length > LIMITS.maxHeadTextChars) throw unreadable();
  if (text.startsWith(PREFIX)) {
    const [, owner, incarnation, generation, hash] = decodeAs(
      textTuple,
      fromBase64Url(text.slice(PREFIX.length)),
      "text of a head",
    );
    return { kind: "text", generation, head: { owner, incarnation, generation, hash } };
  }
  const colon = text.indexOf(":");
  const digits = text.slice(colon + 1).replace(/[\s-]/g, "").toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  const [, number = "", code = ""] = CODE.exec(`${text.slice(0, Math.max(0, colon))}:${digits}`) ?? [];
  const generation = Number(number);
  const isCode = generation > 0 && Number.isSafeInteger(generation) && String(generation) === number &&
    !code.includes("U");
  if (!isCode) throw unreadable();
  return { kind: "code", generation, code: `${number}:${code.match(/.{4}/g)?.join("-") ?? ""}` };
}

/** Whether what the other shows is this head, which must be of the same generation; a text, of the same owner and incarnation too. */
export function isSameHead(other: OtherHead, head: NamedHead): boolean {
  return other.kind === "text" ? equalBytes(other.head.hash, head.hash) : other.code === headCode(head);
}

function base32(bytes: Uint8Array): string {
  const bits = bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  const count = bytes.length * 8 / 5;
  return Array.from({ length: count }, (_, at) => DIGITS[Number((bits >> BigInt(5 * (count - 1 - at))) & 31n)])
    .join("");
}

function unreadable(): PosternError {
  return new PosternError(
    "malformed",
    `A head is compared by its text, which starts with ${PREFIX}, or by its code, such as 1234:XXXX-XXXX-XXXX-XXXX`,
  );
}
