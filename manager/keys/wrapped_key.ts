/**
 * The record of a key that a KEK has wrapped, as it lies on the disk: deterministic CBOR
 *
 *     ["postern/1/wrapped-key", kind, parameters, check, nonce, sealed]
 *
 * Everything in it can be changed by whoever gets at the disk, so nothing is used before it has its form and its bounds, and the
 * sealing authenticates all of it.
 */
import * as v from "valibot";
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bytesOf, bytesUpTo, shapeAs, textUpTo, uint } from "../../shared/protocol/shapes.ts";
import { KEK_LABELS } from "./labels.ts";

/** Length of every key that a KEK wraps. */
export const WRAPPED_KEY_BYTES = AEAD_KEY_BYTES;
/** Length of the value that tells a wrong KEK from a changed record. */
export const CHECK_BYTES = 32;

/** What a provider needs to come to the same secret again; its names and their meaning are the provider's own. */
export type KekParameters = Readonly<Record<string, Bytes | string | number>>;

export interface WrappedKey {
  /** The kind of provider that can unwrap it. */
  readonly kind: string;
  readonly parameters: KekParameters;
  /** Derived from the KEK: the same for the same KEK and parameters, and useless without it. */
  readonly check: Bytes;
  readonly nonce: Bytes;
  /** AES-256-GCM ciphertext and tag. */
  readonly sealed: Bytes;
}

const kind = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/, "must be a kind of KEK"));
const parameters = v.pipe(
  v.record(textUpTo(32, 1), v.union([bytesUpTo(LIMITS.maxWrappedKeyFileBytes), textUpTo(1_024), uint])),
  v.check((entries) => Object.keys(entries).length <= 16, "must have at most 16 entries"),
);
const record = v.strictTuple([
  v.literal(KEK_LABELS.wrappedKey),
  kind,
  parameters,
  bytesOf(CHECK_BYTES),
  bytesOf(AEAD_NONCE_BYTES),
  bytesOf(WRAPPED_KEY_BYTES + AEAD_TAG_BYTES),
]);

export function encodeWrappedKey(wrapped: WrappedKey): Bytes {
  const { check, nonce, sealed } = wrapped;
  return encodeCbor([KEK_LABELS.wrappedKey, wrapped.kind, wrapped.parameters, check, nonce, sealed]);
}

/**
 * Reads a record. What is accepted encodes to the same bytes again.
 *
 * @throws `too_large`; `unsupported` for a record of another version of Postern; `malformed` for anything else
 */
export function decodeWrappedKey(bytes: Bytes): WrappedKey {
  const value = decodeCbor(bytes, { maxBytes: LIMITS.maxWrappedKeyFileBytes });
  const label = Array.isArray(value) ? value[0] : undefined;
  if (typeof label === "string" && label !== KEK_LABELS.wrappedKey && /^postern\/\d{1,6}\/wrapped-key$/.test(label)) {
    throw new PosternError(
      "unsupported",
      `this wrapped key is of the form '${label}', made by another version: use that one`,
    );
  }
  const [, foundKind, found, check, nonce, sealed] = shapeAs(record, value, "wrapped key");
  const wrapped = { kind: foundKind, parameters: found, check, nonce, sealed };
  // valibot leaves out keys such as "constructor"; what was left out would not be authenticated.
  if (!equalBytes(encodeWrappedKey(wrapped), bytes)) {
    throw new PosternError("malformed", "the wrapped key has names it cannot have");
  }
  return wrapped;
}
