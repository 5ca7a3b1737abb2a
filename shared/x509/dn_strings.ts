/** The string types of ASN.1 as text, for the values of names. */
import type { Bytes } from "../bytes/bytes.ts";
import { type Element, malformed, TAG } from "../der/read.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of a value in one of the types that names are compared by (DirectoryString and IA5String, RFC 5280 section
 * 7.1), undefined for any other: NumericString and VisibleString compare as the bytes they are.
 *
 * The one-byte types are read as ISO 8859-1, also where their alphabet is smaller: real certificates hold "@" and
 * umlauts in PrintableString, OpenSSL reads them so, and a name is only ever compared.
 *
 * @throws `malformed` for bytes that are not text in the type they claim.
 */
export function readText({ tag, content }: Element, what: string): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      try {
        return strictUtf8.decode(content);
      } catch (cause) {
        if (!(cause instanceof TypeError)) throw cause;
        throw malformed(what, "is a UTF8String that is not UTF-8");
      }
    case TAG.printableString:
    case TAG.teletexString:
    case TAG.ia5String:
      return fromUnits(content, 1, what);
    case TAG.bmpString:
      return fromUnits(content, 2, what);
    case TAG.universalString:
      return fromUnits(content, 4, what);
    default:
      return undefined;
  }
}

function fromUnits(content: Bytes, width: number, what: string): string {
  if (content.length % width !== 0) throw malformed(what, "is a string that ends within a character");
  let text = "";
  for (let at = 0; at < content.length; at += width) {
    let code = 0;
    for (let i = 0; i < width; i++) code = code * 256 + (content[at + i] ?? 0);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw malformed(what, "is a string with no character");
    text += String.fromCodePoint(code);
  }
  return text;
}
