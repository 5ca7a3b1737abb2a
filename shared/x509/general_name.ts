/** GeneralName and GeneralSubtree (RFC 5280 sections 4.2.1.6 and 4.2.1.10). */
import type { Bytes } from "../bytes/bytes.ts";
import { context, contextConstructed, DerReader, type Element, malformed, readWhole, TAG } from "../der/read.ts";
import { canonicalRdn, readName } from "./dn.ts";

/** A name of one form; `rdns` are canonical, and `other` forms are told apart by their identifier octet and can be neither matched nor ignored. */
export type GeneralName =
  | { readonly form: "email" | "dns" | "uri"; readonly text: string }
  | { readonly form: "directory"; readonly rdns: readonly string[] }
  | { readonly form: "ip"; readonly bytes: Bytes }
  | { readonly form: "other"; readonly tag: number };

/** Which names the certificates below may carry; a list that is undefined does not constrain. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[] | undefined;
  readonly excluded: readonly GeneralName[] | undefined;
}

/** Reads SubjectAltName's GeneralNames: at least one. */
export function readGeneralNames(value: Bytes, what: string): readonly GeneralName[] {
  const reader = new DerReader(readWhole(value, TAG.sequence, what), what);
  const names: GeneralName[] = [];
  while (!reader.done) names.push(readGeneralName(reader.next(), what));
  if (names.length === 0) throw malformed(what, "is an empty list of names");
  return names;
}

/** Reads NameConstraints; `minimum` and `maximum` must be absent, as RFC 5280 demands. */
export function readNameConstraints(value: Bytes, what: string): NameConstraints {
  const reader = new DerReader(readWhole(value, TAG.sequence, what), what);
  const permitted = reader.optional(contextConstructed(0));
  const excluded = reader.optional(contextConstructed(1));
  reader.end();
  if (permitted === undefined && excluded === undefined) throw malformed(what, "constrains nothing");
  return {
    permitted: permitted && readSubtrees(permitted.content, what),
    excluded: excluded && readSubtrees(excluded.content, what),
  };
}

function readSubtrees(content: Bytes, what: string): readonly GeneralName[] {
  const reader = new DerReader(content, what);
  const bases: GeneralName[] = [];
  while (!reader.done) {
    const subtree = new DerReader(reader.expect(TAG.sequence, what).content, what);
    bases.push(readGeneralName(subtree.next(), what));
    subtree.end();
  }
  if (bases.length === 0) throw malformed(what, "is an empty list of subtrees");
  return bases;
}

function readGeneralName({ tag, content }: Element, what: string): GeneralName {
  switch (tag) {
    case context(1):
      return { form: "email", text: ascii(content, what) };
    case context(2):
      return { form: "dns", text: ascii(content, what) };
    case context(6):
      return { form: "uri", text: ascii(content, what) };
    case context(7):
      return { form: "ip", bytes: content };
    case contextConstructed(4):
      return { form: "directory", rdns: readName(content, what).map(canonicalRdn) };
    case contextConstructed(0):
    case contextConstructed(3):
    case contextConstructed(5):
    case context(8):
      return { form: "other", tag };
    default:
      throw malformed(what, "holds a name of no known form");
  }
}

function ascii(content: Bytes, what: string): string {
  let text = "";
  for (const byte of content) {
    // A control character, a NUL above all, makes "good.example\0.evil.example" two names to two readers.
    if (byte < 0x20 || byte > 0x7e) throw malformed(what, "holds a name with a character that is not printable ASCII");
    text += String.fromCharCode(byte);
  }
  return text;
}
