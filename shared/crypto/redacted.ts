/**
 * Secrets that do not show up in logs, error reports or JSON by accident.
 *
 * The value lies beside the object, not in it, so that no serialiser, debugger or spread finds it. `reveal` is the only way
 * to it, and searching for that word finds each use.
 */
import { PosternError } from "../errors.ts";

const values = new WeakMap<Redacted<unknown>, unknown>();

const TEXT = "<redacted>";

/** A secret of type `T`; printed in any way, it reads `<redacted>`. */
export class Redacted<out T> {
  /** Not there at run time; it keeps `Redacted<A>` from being taken for `Redacted<B>`. */
  declare readonly secretOf: () => T;

  /** Wraps a secret. */
  constructor(value: T) {
    values.set(this, value);
    Object.freeze(this);
  }

  toString(): string {
    return TEXT;
  }

  toJSON(): string {
    return TEXT;
  }

  /** What Node's `console.log` and `util.inspect` print. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return TEXT;
  }

  /** What Deno's `console.log` and `Deno.inspect` print. */
  [Symbol.for("Deno.customInspect")](): string {
    return TEXT;
  }
}

/** The secret itself. Keep it in a local variable and let it go. */
export function reveal<T>(redacted: Redacted<T>): T {
  if (!values.has(redacted)) throw new PosternError("usage", "this object holds no secret");
  return values.get(redacted) as T;
}
