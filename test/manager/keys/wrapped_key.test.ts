import fc from "fast-check";
import {
  decodeWrappedKey,
  encodeWrappedKey,
  type KekParameters,
  type WrappedKey,
} from "../../../manager/keys/wrapped_key.ts";
import { type CborInput, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { type Bytes, EMPTY } from "../../../shared/bytes/bytes.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array): Bytes => new Uint8Array(array));
const value = fc.oneof(
  fc.nat(),
  fc.string({ maxLength: 20 }),
  fc.uint8Array({ maxLength: 40 }).map((a): Bytes => new Uint8Array(a)),
);
const name = fc.stringMatching(/^[a-z][A-Za-z]{0,20}$/).filter((text) =>
  text !== "constructor" && text !== "prototype"
);
const record: fc.Arbitrary<WrappedKey> = fc.record({
  kind: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
  parameters: fc.dictionary(name, value, { maxKeys: 16 }).map((entries): KekParameters => ({ ...entries })),
  check: bytes(32),
  nonce: bytes(12),
  sealed: bytes(48),
}, { noNullPrototype: true });

const sample: WrappedKey = {
  kind: "key-file",
  parameters: {},
  check: new Uint8Array(32),
  nonce: new Uint8Array(12),
  sealed: new Uint8Array(48),
};

Deno.test("decodeWrappedKey() gives back what was encoded, and only that", () => {
  fc.assert(fc.property(record, (wrapped) => {
    const encoded = encodeWrappedKey(wrapped);
    const decoded = decodeWrappedKey(encoded);
    assertEquals({ ...decoded, parameters: { ...decoded.parameters } }, wrapped);
    assertEquals(encodeWrappedKey(decoded), encoded);
  }));
});

Deno.test("decodeWrappedKey() accepts changed bytes only if they are another record's one encoding", () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.nat(255), fc.boolean(), (wrapped, position, byte, cut) => {
      const encoded = encodeWrappedKey(wrapped);
      const at = position % encoded.length;
      const changed = cut ? encoded.slice(0, at) : encoded.slice();
      if (!cut) changed[at] = byte;
      try {
        assertEquals(encodeWrappedKey(decodeWrappedKey(changed)), changed);
      } catch (error) {
        assert(isPosternError(error, "malformed") || isPosternError(error, "unsupported"), String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("decodeWrappedKey() refuses every other form", () => {
  const fields = (changes: Record<number, CborInput>): CborInput[] => {
    const all: CborInput[] = ["postern/1/wrapped-key", "key-file", {}, sample.check, sample.nonce, sample.sealed];
    return all.map((field, i) => changes[i] ?? field);
  };
  const forms: CborInput[] = [
    null,
    "postern/1/wrapped-key",
    [],
    fields({}).slice(0, 5),
    [...fields({}), 0],
    fields({ 0: "postern/1/kek" }),
    fields({ 1: "Key-File" }),
    fields({ 1: "" }),
    fields({ 2: [] }),
    fields({ 2: { deep: { er: 1 } } }),
    fields({ 2: { negative: -1 } }),
    fields({ 2: { yes: true } }),
    fields({ 2: { "": 1 } }),
    fields({ 2: { constructor: 1 } }),
    fields({ 2: { prototype: 1 } }),
    fields({ 2: { long: "x".repeat(1_025) } }),
    fields({ 2: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`name${i}`, 1])) }),
    fields({ 3: sample.check.slice(1) }),
    fields({ 4: new Uint8Array(16) }),
    fields({ 5: new Uint8Array(49) }),
  ];
  for (const form of forms) assertThrows(() => decodeWrappedKey(encodeCbor(form)), "malformed");
  const proto = JSON.parse('{"__proto__": 1}') as { [key: string]: CborInput };
  assertThrows(() => decodeWrappedKey(encodeCbor(fields({ 2: proto }))), "malformed");
  assertThrows(() => decodeWrappedKey(EMPTY), "malformed");
  assertThrows(() => decodeWrappedKey(new Uint8Array(LIMITS.maxWrappedKeyFileBytes + 1)), "too_large");
  const newer = assertThrows(() => decodeWrappedKey(encodeCbor(["postern/2/wrapped-key", 1])), "unsupported");
  assert(newer.message.includes("postern/2/wrapped-key"));
});
