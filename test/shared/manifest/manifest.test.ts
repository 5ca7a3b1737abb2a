import * as fc from "fast-check";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { parseManifest, type ReleaseManifest, writeManifest } from "../../../shared/manifest/manifest.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { file, manifest, NOW, parsed } from "./fixture.ts";

const GOOD = parsed(writeManifest(manifest())) as Record<string, JsonValue>;
const FILE = { path: "a", size: 1, mode: "0644", sha256: "0".repeat(64) };

const names = fc.string({ unit: fc.constantFrom(..."abcdefäß0-_."), minLength: 1, maxLength: 8 })
  .filter((name) => !/\.$/.test(name));
const manifests: fc.Arbitrary<ReleaseManifest> = fc.record({
  product: fc.constantFrom("postern", "Other-1.x"),
  version: fc.tuple(fc.nat(), fc.nat(), fc.nat()).map((numbers) => numbers.join(".")),
  tagName: fc.constantFrom("v1", "1.0.0+x", "a"),
  isCritical: fc.boolean(),
  created: fc.integer({ min: 0, max: NOW }),
  expires: fc.integer({ min: NOW + 1, max: NOW + 2 }),
  files: fc.uniqueArray(names, { minLength: 1, maxLength: 5, selector: (name) => name.normalize("NFKC").toUpperCase() })
    .map((all) => all.map((name) => file(`f/x${name}`))),
}).map((one) => ({ ...one, created: NOW - one.created % 1_000_000 }));

Deno.test("MAN-04 parseManifest() gives back what writeManifest() wrote", () => {
  assertEquals(parseManifest(writeManifest(manifest())), manifest());
  fc.assert(fc.property(manifests, (one) => {
    const bytes = writeManifest(one);
    assertEquals(writeManifest(parseManifest(bytes)), bytes);
  }));
});

Deno.test("MAN-04 what a manifest does not say is no member of it", () => {
  const { commit: _commit, notes: _notes, floor: _floor, ...bare } = manifest();
  const read = parseManifest(writeManifest(bare));
  assertEquals(["commit", "notes", "floor"].filter((name) => Object.hasOwn(read, name)), []);
});

Deno.test("MAN-04 writeManifest() gives the same bytes in whatever order the files come", () => {
  const files = [file("b"), file("a/c"), file("B2"), file("ä")];
  const expected = writeManifest(manifest({ files }));
  assertEquals(writeManifest(manifest({ files: [...files].reverse() })), expected);
  assertEquals(expected.includes(0x0a), false);
});

const BAD: readonly (readonly [string, Record<string, JsonValue | undefined>, ErrorCode?])[] = [
  ["another format", { format: "postern/release/2" }, "unsupported"],
  ["an index", { format: "postern/index/1" }, "unsupported"],
  ["no format", { format: undefined }],
  ["an unknown member", { extra: 1 }],
  ["no product", { product: undefined }],
  ["a product that is a path", { product: "../x" }],
  ["a product that is too long", { product: "a".repeat(129) }, "too_large"],
  ["no version", { version: undefined }],
  ["a version with build metadata", { version: "1.2.0+1" }],
  ["a version that is a number", { version: 1 }],
  ["a tag that is a path", { tag_name: "a/b" }],
  ["a tag that is true", { tag_name: true }],
  ["a product that is a number", { product: 1 }],
  ["a tag that is a parent", { tag_name: ".." }],
  ["a tag that ends in a full stop", { tag_name: "v1." }],
  ["a tag that is too long", { tag_name: "a".repeat(129) }, "too_large"],
  ["a critical flag that is text", { is_critical: "true" }],
  ["a critical flag that is a number", { is_critical: 1 }],
  ["an end that is its beginning", { expires: NOW - 604_800_000 }],
  ["an end that is too far away", { expires: NOW + 158_112_000_000 }],
  ["a floor above the version", { floor: "1.2.1" }],
  ["a commit that is none", { commit: "abc" }],
  ["a commit in upper case", { commit: "2B".repeat(20) }],
  ["notes with CR", { notes: "a\r\n" }],
  ["notes that are too long", { notes: "ä".repeat(32_769) }, "too_large"],
  ["no files", { files: [] }],
  ["files that are an object", { files: {} }],
  ["a file that is a text", { files: ["a"] }],
  ["a file with a link", { files: [{ ...FILE, link: "/etc/passwd" }] }],
  ["a file without a hash", { files: [{ path: "a", size: 1, mode: "0644" }] }],
  ["a hash that is too short", { files: [{ ...FILE, sha256: "0".repeat(63) }] }],
  ["a hash in upper case", { files: [{ ...FILE, sha256: "A".repeat(64) }] }],
  ["a mode with setuid", { files: [{ ...FILE, mode: "4755" }] }],
  ["a mode that is a number", { files: [{ ...FILE, mode: 420 }] }],
  ["a size that is text", { files: [{ ...FILE, size: "1" }] }],
  ["a path that leaves the folder", { files: [{ ...FILE, path: "../a" }] }],
  ["files that are too large together", { files: [{ ...FILE, size: 2 ** 36 + 1 }] }, "too_large"],
  ["files in another order", { files: [{ ...FILE, path: "b" }, FILE] }],
  ["a file twice", { files: [FILE, FILE] }],
  ["files that collide", { files: [{ ...FILE, path: "A" }, FILE] }],
];

for (const [what, changes, code = "malformed"] of BAD) {
  Deno.test(`MAN-04 parseManifest() refuses ${what}: ${code}`, () => {
    assertThrows(() => parseManifest(utf8(writeJson({ ...GOOD, ...changes }))), code);
  });
}

Deno.test("MAN-04 parseManifest() names the member that is missing, and tells a path that is there twice from one that collides", () => {
  const messageOf = (changes: Record<string, JsonValue | undefined>) =>
    assertThrows(() => parseManifest(utf8(writeJson({ ...GOOD, ...changes }))), "malformed").message;
  assertEquals(messageOf({ version: undefined }), "the manifest must have a member version");
  assertEquals(messageOf({ files: [FILE, FILE] }).includes("sorted by path, each path once"), true);
  assertEquals(messageOf({ files: [{ ...FILE, path: "A" }, FILE] }).includes("whatever the file system"), true);
});

Deno.test("MAN-04 parseManifest() refuses what is no object", () => {
  for (const text of ["[]", "1", '"a"', "true"]) {
    const { message } = assertThrows(() => parseManifest(utf8(text)), "malformed");
    assertEquals(message, "the manifest must be an object");
  }
});

Deno.test("MAN-03 parseManifest() counts files", () => {
  const files = Array.from({ length: 65_537 }, (_, at) => ({ ...FILE, path: at.toString(36).padStart(4, "0") }));
  assertThrows(() => parseManifest(utf8(writeJson({ ...GOOD, files }))), "too_large");
});
