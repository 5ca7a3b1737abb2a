/** Takes an object of a file apart: each member by its form, and none left over (spec: MAN-02). */
import type { Bytes } from "../bytes/bytes.ts";
import { fromBase64, isHexOf } from "../bytes/encoding.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { requireVersion } from "./version.ts";

/** Of a product's name, and of a key's. */
export const NAME_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const TAG = /^[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9_+-])?$/;

/** An object whose members are asked for one by one. */
export class Fields {
  readonly #object: JsonObject;
  readonly #what: string;
  #taken = 0;

  /** @throws `malformed` unless it is an object */
  constructor(value: JsonValue | undefined, what: string) {
    if (typeof value !== "object" || Array.isArray(value)) {
      throw new PosternError("malformed", `${what} must be an object`);
    }
    this.#object = value as JsonObject;
    this.#what = what;
  }

  /** Call it after the last one. @throws `malformed` for a member that nothing asked for */
  end(): void {
    let members = 0;
    // Without making a list of them; nothing is inherited (see read_json.ts).
    for (const _ in this.#object) members++;
    if (members !== this.#taken) throw this.wrong("the members of its form and no others");
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  value(name: string): JsonValue {
    const value = this.#object[name];
    if (value === undefined) throw this.wrong(`a member ${name}`);
    this.#taken++;
    return value;
  }

  fields(name: string): Fields {
    return new Fields(this.value(name), `${name} of ${this.#what}`);
  }

  /** At least `min`, at most `max` items; `too_large` above. */
  list(name: string, min: number, max: number): readonly JsonValue[] {
    const value = this.value(name);
    if (!Array.isArray(value) || value.length < min) throw this.wrong(`at least ${min} ${name}`);
    if (value.length > max) throw new PosternError("too_large", `${this.#what} has more than ${max} ${name}`);
    return value;
  }

  string(name: string): string {
    const value = this.value(name);
    if (typeof value !== "string") throw this.wrong(`text as ${name}`);
    return value;
  }

  matching(name: string, form: RegExp): string {
    const text = this.string(name);
    if (!form.test(text)) throw this.wrong(`the form of ${name}`);
    return text;
  }

  /** Lower-case hex of a SHA-256. */
  sha256(name: string): string {
    const text = this.string(name);
    if (!isHexOf(text, SHA256_BYTES)) throw this.wrong(`the form of ${name}`);
    return text;
  }

  boolean(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== "boolean") throw this.wrong(`true or false as ${name}`);
    return value;
  }

  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (typeof value !== "number" || value < min || value > max) throw this.wrong(`a number from ${min} as ${name}`);
    return value;
  }

  /** Canonical base64 of so many bytes. @throws `malformed`, `too_large` above `max` */
  bytes(name: string, min: number, max: number = min): Bytes {
    const text = this.string(name);
    if (min !== max && text.length > 4 * Math.ceil(max / 3)) {
      throw new PosternError("too_large", `${name} of ${this.#what} has more than ${max} bytes`);
    }
    const bytes = fromBase64(text);
    if (bytes.length < min || bytes.length > max) throw this.wrong(`${min} bytes as ${name}`);
    return bytes;
  }

  product(): string {
    return this.#name("product", NAME_FORM, LIMITS.maxProductChars);
  }

  keyId(): string {
    return this.#name("key_id", NAME_FORM, LIMITS.maxKeyIdChars);
  }

  tagName(): string {
    return this.#name("tag_name", TAG, LIMITS.maxReleaseNameChars);
  }

  version(name: "version" | "floor" = "version"): string {
    return requireVersion(this.string(name), `${name} of ${this.#what}`);
  }

  /** What `read` makes of a member; undefined where it is missing. */
  optional<T>(name: string, read: () => T): T | undefined {
    return this.has(name) ? read() : undefined;
  }

  wrong(expected: string): PosternError {
    return new PosternError("malformed", `${this.#what} must have ${expected}`);
  }

  #name(name: string, form: RegExp, maxChars: number): string {
    const text = this.string(name);
    if (text.length > maxChars) {
      throw new PosternError("too_large", `${name} of ${this.#what} has more than ${maxChars} characters`);
    }
    if (!form.test(text)) throw this.wrong(`the form of ${name}`);
    return text;
  }
}
