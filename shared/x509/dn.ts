/**
 * Distinguished names: reading them from DER, the canonical text they are looked up by, and the text people see.
 *
 * Canonical text, in the order of the certificate (the root of the name first):
 *
 *     name  = [ rdn *( "," rdn ) ]           ; the empty name is the empty text
 *     rdn   = pair *( "+" pair )             ; sorted by their UTF-8 bytes
 *     pair  = dotted-oid "=" ( text / "#" hex-of-DER )
 *
 * where `text` is prepared by `prepareText` and has a backslash before each of `\,+="` and before a `#` at its start.
 * Two names are equal by RFC 5280 section 7.1 if, and only if, their canonical texts are equal, whichever string types
 * they are encoded in (spec: ROW-12).
 */
import { type Bytes, compareBytes, utf8 } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import type { Brand } from "../crypto/brand.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { attributeName } from "./attribute_names.ts";
import { DerReader, malformed, readOid, readWhole, TAG } from "../der/read.ts";
import { element, oid, sequence } from "../der/write.ts";
import { readText } from "./dn_strings.ts";
import { prepareText } from "./dn_prepare.ts";

/** One attribute of a name: its type, dotted; its text if its value is a string; and its value in DER. */
export interface Attribute {
  readonly type: string;
  readonly text: string | undefined;
  readonly der: Bytes;
}

/** A name in the order of the certificate; each inner list is one relative distinguished name. */
export type Name = readonly (readonly Attribute[])[];

/** The one text for all equal names; a lookup key. */
export type CanonicalDn = Brand<string, "CanonicalDn">;

/**
 * Reads a Name (RFC 5280 section 4.1.2.4) from all of its DER.
 *
 * @throws `malformed`; `too_large` above `LIMITS.maxDnBytes`.
 */
export function readName(der: Bytes, what: string): Name {
  if (der.length > LIMITS.maxDnBytes) {
    throw new PosternError(
      "too_large",
      `${what}: a name of ${der.length} bytes, at most ${LIMITS.maxDnBytes} are read`,
    );
  }
  const reader = new DerReader(readWhole(der, TAG.sequence, what), what);
  const name: (readonly Attribute[])[] = [];
  while (!reader.done) name.push(readRdn(reader.expect(TAG.set, what).content, what));
  return name;
}

function readRdn(content: Bytes, what: string): readonly Attribute[] {
  const reader = new DerReader(content, what);
  const attributes: Attribute[] = [];
  let previous: Bytes | undefined;
  while (!reader.done) {
    const pair = reader.expect(TAG.sequence, what);
    if (previous !== undefined && compareBytes(previous, pair.whole) > 0) {
      throw malformed(what, "is a SET out of order");
    }
    previous = pair.whole;
    const fields = new DerReader(pair.content, what);
    const type = readOid(fields.expect(TAG.oid, what).content, what);
    const value = fields.next();
    fields.end();
    attributes.push({ type, text: readText(value, what), der: value.whole });
  }
  if (attributes.length === 0) throw malformed(what, "is an empty SET");
  return attributes;
}

/** Writes a Name in DER, each value as it was encoded. */
export function writeName(name: Name): Bytes {
  return sequence(...name.map((rdn) => {
    const pairs = rdn.map((attribute) => sequence(oid(attribute.type), attribute.der));
    return element(TAG.set, ...pairs.sort(compareBytes));
  }));
}

/**
 * The canonical text of a name.
 *
 * @throws `too_large` when compatibility characters make it longer than `LIMITS.maxDnBytes` bytes.
 */
export function canonicalDn(name: Name): CanonicalDn {
  const text = name.map(canonicalRdn).join(",");
  // A UTF-16 unit is at most three bytes: short texts need no counting.
  if (text.length * 3 > LIMITS.maxDnBytes && utf8(text).length > LIMITS.maxDnBytes) {
    throw new PosternError("too_large", `a name has a canonical form of more than ${LIMITS.maxDnBytes} bytes`);
  }
  return text as CanonicalDn;
}

const CANONICAL_SPECIALS = /[\\,+="]|^#/g;

/** The canonical text of one relative distinguished name: the unit that directory name constraints compare. */
export function canonicalRdn(rdn: readonly Attribute[]): string {
  const pairs = rdn.map(({ type, text, der }) =>
    `${type}=${text === undefined ? `#${toHex(der)}` : prepareText(text).replace(CANONICAL_SPECIALS, "\\$&")}`
  );
  if (pairs.length > 1) pairs.sort((a, b) => compareBytes(utf8(a), utf8(b)));
  return pairs.join("+");
}

/** The text that people see: RFC 4514, the leaf of the name first, safe to print on a terminal. */
export function displayDn(name: Name): string {
  return name.map((rdn) => rdn.map(displayAttribute).join("+")).reverse().join(",");
}

// RFC 4514 section 2.4.
const DISPLAY_SPECIALS = /["+,;<>\\]|^#/g;

function displayAttribute({ type, text, der }: Attribute): string {
  const name = attributeName(type);
  if (name === undefined || text === undefined) return `${name ?? type}=#${toHex(der).toUpperCase()}`;
  const escaped = text.replace(DISPLAY_SPECIALS, "\\$&").replace(UNPRINTABLE, escapeUtf8).replace(/^ | $/g, "\\ ");
  return `${name}=${escaped}`;
}

// Control and format characters could rewrite a terminal's line or turn the reading direction of a forged name.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

function escapeUtf8(character: string): string {
  return toHex(utf8(character)).replace(/../g, "\\$&").toUpperCase();
}
