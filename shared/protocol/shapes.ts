/**
 * Building blocks for the shape of decoded CBOR, and the one door through which untrusted bytes become typed values.
 * The same shapes validate requests at the edge and describe them in its OpenAPI document.
 */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { decodeCbor, type DecodeOptions } from "../bytes/cbor.ts";
import { PosternError } from "../errors.ts";

const isBytes = (value: unknown): value is Bytes => value instanceof Uint8Array;

/** A byte string of exactly this length (spec: CONV-04). */
export function bytesOf(length: number) {
  return v.custom<Bytes>((value) => isBytes(value) && value.length === length, `must be ${length} bytes`);
}

/** A byte string of `min` to `max` bytes. */
export function bytesUpTo(max: number, min = 0) {
  return v.custom<Bytes>(
    (value) => isBytes(value) && value.length >= min && value.length <= max,
    `must be ${min} to ${max} bytes`,
  );
}

/** A text of `min` to `max` UTF-16 code units. */
export function textUpTo(max: number, min = 0) {
  return v.pipe(v.string(), v.minLength(min), v.maxLength(max));
}

/** A non-negative integer that JavaScript represents exactly. */
export const uint = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A positive integer that JavaScript represents exactly. */
export const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** The first element of everything that is signed, MACed or hashed (spec: CONV-03). */
export function label<const L extends string>(text: L) {
  return v.literal(text);
}

/**
 * Decodes strict CBOR and checks its shape.
 *
 * @param what names the structure in the error, for example "head"
 * @throws `malformed` when the bytes are not deterministic CBOR or not of this shape
 */
export function decodeAs<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
  what: string,
  options: DecodeOptions = {},
): v.InferOutput<S> {
  return shapeAs(schema, decodeCbor(bytes, options), what);
}

/** Checks the shape of an already decoded value; see {@link decodeAs}. */
export function shapeAs<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new PosternError(
    "malformed",
    `The ${what} has not the form it must have${path ? ` at ${path}` : ""}: ${issue.message}`,
  );
}
