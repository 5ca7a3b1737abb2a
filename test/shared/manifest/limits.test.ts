/** Each limit of manifest.md, at its edge: what is just allowed, and what is just not. */
import fc from "fast-check";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { parseManifest, writeManifest } from "../../../shared/manifest/manifest.ts";
import { requirePath } from "../../../shared/manifest/paths.ts";
import { readJson } from "../../../shared/manifest/read_json.ts";
import { RecipientTable, writeTable } from "../../../shared/manifest/recipient_table.ts";
import { parseIndex, type ReleaseIndex, writeIndex } from "../../../shared/manifest/release_index.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { manifest, NOW, parsed } from "./fixture.ts";

const MANIFEST = parsed(writeManifest(manifest())) as Record<string, JsonValue>;
const FILE = { path: "a", size: 1, mode: "0644", sha256: "0".repeat(64) };
const INDEX: ReleaseIndex = { product: "postern", number: 1, created: NOW, expires: NOW + 1, releases: [] };
const DAY = 86_400_000;

const withMembers = (changes: Record<string, JsonValue>) => () =>
  void parseManifest(utf8(writeJson({ ...MANIFEST, ...changes })));
const ofLife = (days: number, more = 0) => withMembers({ created: NOW, expires: NOW + days * DAY + more });
const path = (text: string) => () => requirePath(text);
const json = (text: string, maxBytes: number) => () => void readJson(utf8(text), maxBytes, "the text");
const nested = (objects: number) => `${'{"a":'.repeat(objects)}1${"}".repeat(objects)}`;
const index = (changes: Partial<ReleaseIndex>) => () => void writeIndex({ ...INDEX, ...changes });
const releases = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...{ version: `1.${at}.0`, tagName: "v", isCritical: false, created: NOW, rollout: 0, isRevoked: false },
    envelope: { size: 1, sha256: "0".repeat(64) },
  }));

const EDGES: readonly (readonly [string, () => void, () => void, ErrorCode?])[] = [
  ["bytes of a file", json('{"a":1}', 7), json('{"a":1}', 6)],
  ["nesting", json(`${"[".repeat(8)}${"]".repeat(8)}`, 99), json(`${"[".repeat(9)}${"]".repeat(9)}`, 99)],
  ["nesting of objects", json(nested(8), 99), json(nested(9), 99)],
  ["characters of a product", withMembers({ product: "a".repeat(128) }), withMembers({ product: "a".repeat(129) })],
  ["characters of a tag", withMembers({ tag_name: "a".repeat(128) }), withMembers({ tag_name: "a".repeat(129) })],
  ["bytes of notes", withMembers({ notes: "ä".repeat(32_768) }), withMembers({ notes: `${"ä".repeat(32_768)}a` })],
  ["plain bytes of notes", withMembers({ notes: "a".repeat(65_536) }), withMembers({ notes: "a".repeat(65_537) })],
  [
    "bytes of all files",
    withMembers({ files: [{ ...FILE, size: 2 ** 36 - 1 }, { ...FILE, path: "b" }] }),
    withMembers({ files: [{ ...FILE, size: 2 ** 36 }, { ...FILE, path: "b" }] }),
  ],
  ["the life of a release", ofLife(1_830), ofLife(1_830, 1), "malformed"],
  ["the shortest life", ofLife(0, 1), ofLife(0), "malformed"],
  ["a floor", withMembers({ floor: "1.2.0" }), withMembers({ floor: "1.2.1" }), "malformed"],
  ["bytes of a name beyond ASCII", path(`${"é".repeat(127)}a`), path("é".repeat(128))],
  ["bytes of a name that NFKC would make shorter", path("\uff21".repeat(85)), path("\uff21".repeat(86))],
  ["names in a path", path(`${"ä/".repeat(31)}b`), path(`${"ä/".repeat(32)}b`)],
  ["plain names in a path", path(`${"a/".repeat(31)}b`), path(`${"a/".repeat(32)}b`)],
  ["bytes of a name", path("a".repeat(255)), path("a".repeat(256))],
  [
    "bytes of a whole path",
    path([...["a", "b", "c"].map((name) => name.repeat(255)), "d".repeat(254), "e"].join("/")),
    path([...["a", "b", "c", "d"].map((name) => name.repeat(255)), "e"].join("/")),
  ],
  ["the life of an index", index({ expires: NOW + 92 * DAY }), index({ expires: NOW + 92 * DAY + 1 }), "malformed"],
  ["releases of an index", index({ releases: releases(1_024) }), index({ releases: releases(1_025) })],
  ["the number of an index", index({ number: 1 }), index({ number: 0 }), "malformed"],
];

for (const [what, allowed, refused, code = "too_large"] of EDGES) {
  Deno.test(`MAN-03 ${what}: up to the limit and no further`, () => {
    allowed();
    assertThrows(refused, code);
  });
}

Deno.test("MAN-03 MAN-14 recipients of schema 2: up to the limit and no further", () => {
  const entries = Array.from({ length: 16_385 }, (_, at) => {
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(0, at);
    return { id, wrapped: new Uint8Array(48).fill(at) };
  });
  const table = new RecipientTable(writeTable(entries.slice(1)), "x25519");
  assertEquals(table.count, 16_384);
  for (const { id, wrapped } of [1, 2, 77, 16_383, 16_384].flatMap((at) => entries[at] ?? [])) {
    assertEquals(toHex(table.find(id) ?? new Uint8Array(0)), toHex(wrapped));
  }
  assertEquals(table.find(new Uint8Array(16)), null);
  assertEquals(table.find(new Uint8Array(16).fill(255)), null);
  assertThrows(() => writeTable(entries), "too_large");
  const line = '{"encrypted_mek":"' + "A".repeat(64) + '","instance_id":"' + "0".repeat(32) + '"}';
  assertThrows(() => new RecipientTable(utf8(`${`${line},`.repeat(16_384)}${line}`), "x25519"), "too_large");
});

Deno.test("MAN-14 a table is refused for one wrong character of punctuation, wherever it is", () => {
  const entries = [1, 2, 3].map((at) => ({ id: new Uint8Array(16).fill(at), wrapped: new Uint8Array(48) }));
  const text = writeTable(entries);
  assertEquals(new RecipientTable(text, "x25519").count, 3);
  const stride = (text.length + 1) / 3;
  for (let entry = 0; entry < 3; entry++) {
    const at = entry * stride;
    // What is left of an entry without a wrapped MEK of 64 characters and an id of 32.
    const punctuation = [[0, 18], [18 + 64, 17], [18 + 64 + 17 + 32, entry === 2 ? 2 : 3]] as const;
    for (const place of punctuation.flatMap(([begin, count]) => Array.from({ length: count }, (_, i) => begin + i))) {
      const changed = text.with(at + place, (text[at + place] ?? 0) ^ 1);
      assertThrows(() => new RecipientTable(changed, "x25519"), "malformed");
    }
  }
  for (const length of [0, text.length - 1, stride, stride - 2]) {
    assertThrows(() => new RecipientTable(text.slice(0, length), "x25519"), "malformed");
  }
  assertEquals(new RecipientTable(text.slice(0, stride - 1), "x25519").count, 1);
});

Deno.test("MAN-14 a table is taken only if each id is above the one before, whichever digit tells them apart", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 });
  const close = fc.tuple(digits, fc.nat(31), fc.constantFrom(..."0123456789abcdef")).map(([id, at, digit]) =>
    [id, id.slice(0, at) + digit + id.slice(at + 1)] as const
  );
  const entry = (id: string) => `{"encrypted_mek":"${"A".repeat(64)}","instance_id":"${id}"}`;
  fc.assert(fc.property(fc.oneof(close, fc.tuple(digits, digits)), fc.nat(3), ([first, second], before) => {
    // At any place in memory, as a table lies anywhere in its envelope.
    const bytes = utf8(`${" ".repeat(before)}${entry(first)},${entry(second)}`).subarray(before);
    if (first < second) assertEquals(new RecipientTable(bytes, "x25519").count, 2);
    else assertThrows(() => new RecipientTable(bytes, "x25519"), "malformed");
  }));
});

Deno.test("IDX-01 the index that parseIndex() gives back has no member that it did not read", () => {
  assertEquals(parseIndex(writeIndex(INDEX)), INDEX);
});
