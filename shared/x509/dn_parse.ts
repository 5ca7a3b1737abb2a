/**
 * Names as people type them: RFC 4514, with what RFC 2253 allowed besides (spaces around separators, quoted values).
 *
 * The first part typed is the leaf of the name; a certificate holds it last.
 */
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { fromHex } from "../bytes/encoding.ts";
import { isPosternError, PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { attributeOid } from "./attribute_names.ts";
import { DerReader } from "../der/read.ts";
import { oid, utf8String } from "../der/write.ts";
import { type Attribute, type CanonicalDn, canonicalDn, type Name } from "./dn.ts";
import { readText } from "./dn_strings.ts";

/**
 * The canonical name for a typed one, `CN=ISRG Root X1,O=Internet Security Research Group,C=US`: the key to look it up by.
 *
 * @throws `malformed`, naming the position; `too_large` above `LIMITS.maxDnBytes`.
 */
export function parseDn(text: string): CanonicalDn {
  return canonicalDn(parseName(text));
}

/** Like {@link parseDn}, but the name itself, in the order of the certificate. */
export function parseName(text: string): Name {
  if (utf8(text).length > LIMITS.maxDnBytes) {
    throw new PosternError("too_large", `a name is at most ${LIMITS.maxDnBytes} bytes long`);
  }
  return new NameParser(text).name();
}

class NameParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  name(): Name {
    if (!this.#text.isWellFormed()) this.#fail("text that is not Unicode", 0);
    this.#spaces();
    if (this.#at === this.#text.length) return [];
    const rdns = [this.#rdn()];
    while (this.#take(",")) rdns.push(this.#rdn());
    if (this.#at < this.#text.length) this.#fail(`'${this.#text[this.#at]}' where ',' or '+' or the end must be`);
    return rdns.reverse();
  }

  #rdn(): readonly Attribute[] {
    const attributes = [this.#attribute()];
    while (this.#take("+")) attributes.push(this.#attribute());
    return attributes;
  }

  #attribute(): Attribute {
    this.#spaces();
    const type = this.#type();
    this.#spaces();
    if (!this.#take("=")) this.#fail("no '=' after the attribute type");
    this.#spaces();
    const value = this.#take("#") ? this.#hex() : this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
    this.#spaces();
    return { type, ...value };
  }

  #type(): string {
    const start = this.#at;
    const found = this.#match(/(?:OID\.)?[0-9][0-9.]*|[A-Za-z][A-Za-z0-9-]*/iy);
    if (found === undefined) this.#fail("no attribute type, such as 'CN' or '2.5.4.3'");
    const dotted = found.replace(/^oid\./i, "");
    if (!/^[0-9]/.test(dotted)) return attributeOid(found) ?? this.#fail(`unknown attribute type '${found}'`, start);
    try {
      oid(dotted);
    } catch (error) {
      if (!isPosternError(error, "malformed")) throw error;
      this.#fail(`'${found}' is no attribute type`, start);
    }
    return dotted;
  }

  #hex(): Omit<Attribute, "type"> {
    const start = this.#at;
    try {
      const reader = new DerReader(fromHex((this.#match(/[0-9A-Fa-f]*/y) ?? "").toLowerCase()), "value");
      const value = reader.next();
      reader.end();
      return { text: readText(value, "value"), der: value.whole };
    } catch (error) {
      if (!isPosternError(error, "malformed")) throw error;
      this.#fail("'#' must be followed by the hex of one DER value", start);
    }
  }

  #quoted(): Omit<Attribute, "type"> {
    const start = this.#at++;
    const bytes: number[] = [];
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) this.#fail("a quotation that does not end", start);
      this.#character(bytes);
    }
    this.#at++;
    return this.#string(bytes, start);
  }

  #plain(): Omit<Attribute, "type"> {
    const start = this.#at;
    const bytes: number[] = [];
    // Spaces at the end belong to the separator, unless they were escaped.
    let end = 0;
    while (this.#at < this.#text.length && !/[,+]/.test(this.#text[this.#at] ?? "")) {
      if (/["<>;\0]/.test(this.#text[this.#at] ?? "")) this.#fail("a character that needs a '\\' before it");
      const space = this.#text[this.#at] === " ";
      this.#character(bytes);
      if (!space) end = bytes.length;
    }
    return this.#string(bytes.slice(0, end), start);
  }

  /** Appends the UTF-8 bytes of the next character, or what an escape stands for. */
  #character(bytes: number[]): void {
    const escape = this.#match(/\\(?:[0-9A-Fa-f]{2}|[ "#+,;<=>\\])/y);
    if (escape !== undefined) {
      bytes.push(escape.length === 3 ? Number.parseInt(escape.slice(1), 16) : escape.charCodeAt(1));
      return;
    }
    const character = this.#match(/[^\\]/uy);
    if (character === undefined) this.#fail("a '\\' that escapes nothing");
    bytes.push(...utf8(character));
  }

  #string(bytes: readonly number[], start: number): Omit<Attribute, "type"> {
    const content: Bytes = Uint8Array.from(bytes);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
      return { text, der: utf8String(text) };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#fail("escapes that are not UTF-8", start);
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #spaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #fail(found: string, at = this.#at): never {
    throw new PosternError("malformed", `name, character ${at + 1}: ${found}`);
  }
}
