import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { edit, parsed } from "./fixture.ts";
import { type Kind, KINDS, makeScene } from "./envelopes.ts";

const scene = await makeScene();
const made = Object.fromEntries(
  await Promise.all(KINDS.map(async (kind) => [kind, await scene.encrypt(kind)] as const)),
) as Record<Kind, Bytes>;

type Members = Record<string, JsonValue | undefined>;

function changed(kind: Kind, changes: Members): Bytes {
  return utf8(writeJson({ ...parsed(made[kind]) as Members, ...changes }));
}

const blobOf = (kind: Kind, changes: Members) =>
  changed(kind, { encrypted_blob: { ...parsed(made[kind])["encrypted_blob"] as Members, ...changes } as JsonValue });

Deno.test("MAN-08 schema 1 has the seed's members and no others", () => {
  assertEquals(Object.keys(parsed(made["schema 1"])), [
    ...["encrypted_blob", "encryption_algorithm", "is_critical", "key_id", "key_version", "schema_version"],
    ...["tag_name", "version"],
  ]);
  const blob = parsed(made["schema 1"])["encrypted_blob"] as Members;
  assertEquals(Object.keys(blob), ["ciphertext", "iv", "key_id", "key_version", "tag"]);
});

Deno.test("MAN-01 envelopes are one line, without any line end", () => {
  for (const kind of KINDS) assertEquals([0x0a, 0x0d].some((end) => made[kind].includes(end)), false);
});

Deno.test("MAN-14 an entry of schema 2 has the seed's members", () => {
  const [entry] = parsed(made["schema 2 x25519"])["encrypted_keys"] as Members[];
  assertEquals(Object.keys(entry ?? {}), ["encrypted_mek", "instance_id"]);
  assertEquals([`${entry?.["encrypted_mek"]}`.length, `${entry?.["instance_id"]}`.length], [64, 32]);
});

Deno.test("MAN-03 a cover may be as long as its limit", () => {
  const cover = `${"AAAA".repeat(2_796_202)}AAA=`;
  const envelope = parseEnvelope(changed("schema 3", { cover }));
  assertEquals(envelope.schema === 3 && envelope.cover.length, 8_388_608);
});

const FOR_ALL: readonly (readonly [string, (kind: Kind) => Bytes, ErrorCode?])[] = [
  ["schema 0", (kind) => changed(kind, { schema_version: 0 }), "unsupported"],
  ["schema 4", (kind) => changed(kind, { schema_version: 4 }), "unsupported"],
  ["a schema that is text", (kind) => changed(kind, { schema_version: "1" })],
  ["no schema", (kind) => changed(kind, { schema_version: undefined })],
  ["another algorithm", (kind) => changed(kind, { encryption_algorithm: "AES-128-GCM" }), "unsupported"],
  ["an unknown member", (kind) => changed(kind, { extra: true })],
  ["an unknown member of the blob", (kind) => blobOf(kind, { extra: true })],
  ["an iv of 11 bytes", (kind) => blobOf(kind, { iv: "AAAAAAAAAAAAAAA=" })],
  ["an iv of 16 bytes", (kind) => blobOf(kind, { iv: "AAAAAAAAAAAAAAAAAAAAAA==" })],
  ["a tag of 12 bytes", (kind) => blobOf(kind, { tag: "AAAAAAAAAAAAAAAA" })],
  ["a tag of 4 bytes", (kind) => blobOf(kind, { tag: "AAAAAA==" })],
  ["no tag", (kind) => blobOf(kind, { tag: undefined })],
  ["an empty ciphertext", (kind) => blobOf(kind, { ciphertext: "" })],
  ["base64 without padding", (kind) => blobOf(kind, { tag: "AAAAAAAAAAAAAAAAAAAAAA" })],
  ["base64 with bits that are not used", (kind) => blobOf(kind, { tag: "AAAAAAAAAAAAAAAAAAAAAB==" })],
  ["base64 in the URL alphabet", (kind) => blobOf(kind, { tag: "AAAAAAAAAAAAAAAAAAAA-A==" })],
  ["base64 with white space", (kind) => blobOf(kind, { tag: "AAAAAAAAAAAAAAAAAAAAAA== " })],
  ["base64 with a line feed", (kind) => blobOf(kind, { tag: "AAAAAAAAAA\nAAAAAAAAAAAA==" })],
  ["another key id in the blob", (kind) => blobOf(kind, { key_id: "other" })],
  ["another key version in the blob", (kind) => blobOf(kind, { key_version: 2 })],
  ["a key version of 0", (kind) => changed(kind, { key_version: 0 })],
  ["a key id that is a path", (kind) => changed(kind, { key_id: "../x" })],
  ["a version that is none", (kind) => changed(kind, { version: "1.2" })],
  ["a tag name with a bracket", (kind) => changed(kind, { tag_name: "v[1]" })],
  ["a critical flag that is text", (kind) => changed(kind, { is_critical: "true" })],
  ["a duplicate member", (kind) => edit(made[kind], (text) => text.replace("{", '{"version":"1.2.0",'))],
  ["a byte order mark", (kind) => edit(made[kind], (text) => `\ufeff${text}`)],
  ["an array around it", (kind) => edit(made[kind], (text) => `[${text}]`)],
  ["something after it", (kind) => edit(made[kind], (text) => `${text}{}`)],
  ["brackets after it", (kind) => edit(made[kind], (text) => `${text}[]`)],
  ["half of it", (kind) => made[kind].slice(0, made[kind].length / 2)],
  ["nothing", () => new Uint8Array(0)],
];

const COMMITTED: readonly (readonly [string, (kind: Kind) => Bytes, ErrorCode?])[] = [
  ["a line feed at the end", (kind) => edit(made[kind], (text) => `${text}\n`)],
  ["white space", (kind) => edit(made[kind], (text) => text.replace(":", ": "))],
  ["another order", (kind) => edit(made[kind], (text) => text.replace("{", '{"zzz":1,'))],
  ["no product", (kind) => changed(kind, { product: undefined })],
  ["no expiry", (kind) => changed(kind, { expires: undefined })],
  ["no key commitment", (kind) => changed(kind, { key_commitment: undefined })],
  ["no commitment to the manifest", (kind) => changed(kind, { manifest_commitment: undefined })],
  ["a short commitment", (kind) => changed(kind, { key_commitment: "AAAA" })],
  ["a short nonce", (kind) => changed(kind, { nonce: "AAAA" })],
];

const SCHEMA_2: readonly (readonly [string, (kind: Kind) => Bytes, ErrorCode?])[] = [
  ["another wrap", (kind) => changed(kind, { wrap: "rsa" }), "unsupported"],
  ["no recipients", (kind) => changed(kind, { encrypted_keys: [] })],
  ["recipients that are missing", (kind) => changed(kind, { encrypted_keys: undefined })],
  ["recipients that are text", (kind) => changed(kind, { encrypted_keys: "[]" })],
  ["an entry with a member more", (kind) => changed(kind, { encrypted_keys: entries(kind, { x: 1 }) })],
  ["an entry without an id", (kind) => changed(kind, { encrypted_keys: entries(kind, { instance_id: undefined }) })],
  ["an entry of another length", (kind) => changed(kind, { encrypted_keys: entries(kind, { encrypted_mek: "AAAA" }) })],
  ["an entry twice", (kind) => changed(kind, { encrypted_keys: [...entries(kind), ...entries(kind)] })],
  [
    "entries in another order",
    (kind) => changed(kind, { encrypted_keys: [...entries(kind, { instance_id: "f".repeat(32) }), ...entries(kind)] }),
  ],
  ["white space between entries", (kind) => edit(made[kind], (text) => text.replace('[{"', '[ {"'))],
  ["a cover beside them", (kind) => changed(kind, { cover: "AAAA" })],
];

function entries(kind: Kind, changes: Members = {}): JsonValue[] {
  return (parsed(made[kind])["encrypted_keys"] as Members[]).map((entry) => ({ ...entry, ...changes }) as JsonValue);
}

const ONE_BY_ONE: readonly (readonly [string, () => Bytes, ErrorCode?])[] = [
  ["schema 1 with a product", () => changed("schema 1", { product: "postern" })],
  ["schema 1 with recipients", () => changed("schema 1", { encrypted_keys: [] })],
  ["schema 1 with null", () => edit(made["schema 1"], (text) => text.replace("true", "null"))],
  [
    "schema 1 with a fraction",
    () => edit(made["schema 1"], (text) => text.replace('"schema_version":1', '"schema_version":1.0')),
  ],
  [
    "schema 1 with a duplicate in another spelling",
    () => edit(made["schema 1"], (text) => text.replace("{", '{"\\u0076ersion":"9.9.9",')),
  ],
  ["xwing with an ephemeral key", () => changed("schema 2 xwing", { ephemeral: "A".repeat(43) + "=" })],
  ["x25519 without an ephemeral key", () => changed("schema 2 x25519", { ephemeral: undefined })],
  ["entries of xwing under x25519", () => changed("schema 2 x25519", { encrypted_keys: entries("schema 2 xwing") })],
  ["schema 3 with recipients", () => changed("schema 3", { encrypted_keys: entries("schema 2 xwing") })],
  ["schema 3 without a cover", () => changed("schema 3", { cover: undefined })],
  ["schema 3 with an empty cover", () => changed("schema 3", { cover: "" })],
  [
    "schema 3 with a cover that is too long",
    () => changed("schema 3", { cover: "AAAA".repeat(2_796_204) }),
    "too_large",
  ],
  ["schema 3 with a wrap", () => changed("schema 3", { wrap: "xwing" })],
  ["a file that is too large", () => new Uint8Array(67_108_865), "too_large"],
  ["a file that is too large by its recipients", () => bracketed(67_108_865), "too_large"],
  ["a file as large as may be that is none", () => bracketed(67_108_864)],
];

/** A list and nothing else. */
function bracketed(length: number): Bytes {
  const bytes = new Uint8Array(length);
  bytes.set([0x5b], 0);
  bytes.set([0x5d], length - 1);
  return bytes;
}

function refuses(what: string, make: () => Bytes, code: ErrorCode = "malformed"): void {
  Deno.test(`MAN-02 MAN-07 parseEnvelope() refuses ${what}: ${code}`, () => {
    assertThrows(() => parseEnvelope(make()), code);
  });
}

for (const kind of KINDS) {
  for (const [what, make, code] of FOR_ALL) {
    refuses(`${kind} with ${what}`, () => make(kind), code);
  }
}
for (const kind of KINDS.slice(1)) {
  for (const [what, make, code] of COMMITTED) refuses(`${kind} with ${what}`, () => make(kind), code);
}
for (const kind of KINDS.slice(1, 3)) {
  for (const [what, make, code] of SCHEMA_2) refuses(`${kind} with ${what}`, () => make(kind), code);
}
for (const [what, make, code] of ONE_BY_ONE) refuses(what, make, code);
