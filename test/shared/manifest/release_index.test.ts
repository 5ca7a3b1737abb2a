import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { chooseRelease, isInRollout, isTakenBack, passedOver } from "../../../shared/manifest/choose_release.ts";
import {
  forgetRevoked,
  type IndexMemory,
  newestIndex,
  remember,
  rememberedFloor,
} from "../../../shared/manifest/index_memory.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { judgeIndex, openIndex } from "../../../shared/manifest/open_index.ts";
import {
  envelopePlace,
  envelopeSignaturePlace,
  filePlace,
  INDEX_PLACE,
  INDEX_SIGNATURE_PLACE,
} from "../../../shared/manifest/places.ts";
import { type IndexEntry, parseIndex, type ReleaseIndex, writeIndex } from "../../../shared/manifest/release_index.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { makeSigner, NOW, parsed } from "./fixture.ts";

const WEEK = 604_800_000;
const ENVELOPE = { size: 1_000, sha256: "ab".repeat(32) };

function entry(version: string, changes: Partial<IndexEntry> = {}): IndexEntry {
  return {
    ...{ version, tagName: `v${version}`, isCritical: false, created: NOW - 1, rollout: 100, envelope: ENVELOPE },
    ...{ isRevoked: false, ...changes },
  };
}

function index(changes: Partial<ReleaseIndex> = {}): ReleaseIndex {
  const releases = [entry("1.0.0", { isRevoked: true }), entry("1.1.0"), entry("1.2.0", { rollout: 25 })];
  return { product: "postern", number: 7, created: NOW, expires: NOW + WEEK, floor: "1.0.0", releases, ...changes };
}

const signer = await makeSigner();

async function open(content: Bytes, memory: IndexMemory = [], now = NOW, product = "postern") {
  const signature = await signer.sign(content);
  return await openIndex({ content, signature }, { verify: signer.verify, product, memory, now });
}

Deno.test("IDX-01 an index is read as it was written, in whatever order its releases came", () => {
  assertEquals(parseIndex(writeIndex(index())), index());
  const shuffled = index({ releases: [...index().releases].reverse() });
  assertEquals(writeIndex(shuffled), writeIndex(index()));
  assertEquals(parseIndex(writeIndex(index({ releases: [] }))).releases, []);
  const open = index({ releases: [entry("1.0.0", { manifest: { size: 20, sha256: "cd".repeat(32) } })] });
  assertEquals(parseIndex(writeIndex(open)), open);
});

const GOOD = parsed(writeIndex(index())) as Record<string, JsonValue>;
const ENTRY = (GOOD["releases"] as JsonValue[])[1] as Record<string, JsonValue>;

const BAD: readonly (readonly [string, Record<string, JsonValue | undefined>, ErrorCode?])[] = [
  ["a manifest", { format: "postern/release/1" }, "unsupported"],
  ["no format", { format: undefined }],
  ["an unknown member", { extra: 1 }],
  ["number 0", { number: 0 }],
  ["a number that is text", { number: "7" }],
  ["no expiry", { expires: undefined }],
  ["an expiry that is too far away", { expires: NOW + 93 * 86_400_000 }],
  ["a floor that is no version", { floor: "1" }],
  ["releases that are text", { releases: "none" }],
  ["a release with a place to fetch it from", { releases: [{ ...ENTRY, url: "https://evil.example" }] }],
  ["a rollout of 101", { releases: [{ ...ENTRY, rollout: 101 }] }],
  ["a rollout that is text", { releases: [{ ...ENTRY, rollout: "25%" }] }],
  ["an empty envelope", { releases: [{ ...ENTRY, envelope: { size: 0, sha256: "ab".repeat(32) } }] }],
  ["an envelope over the limit", {
    releases: [{ ...ENTRY, envelope: { size: 2 ** 26 + 1, sha256: "ab".repeat(32) } }],
  }],
  ["an envelope without a hash", { releases: [{ ...ENTRY, envelope: { size: 1 } }] }],
  ["an empty manifest", { releases: [{ ...ENTRY, manifest: { size: 0, sha256: "ab".repeat(32) } }] }],
  ["a manifest over the limit", { releases: [{ ...ENTRY, manifest: { size: 2 ** 24 + 1, sha256: "ab".repeat(32) } }] }],
  ["a manifest without a hash", { releases: [{ ...ENTRY, manifest: { size: 1 } }] }],
  ["a manifest with a place to fetch it from", {
    releases: [{ ...ENTRY, manifest: { size: 1, sha256: "ab".repeat(32), url: "https://evil.example" } }],
  }],
  ["a release that says that it is not revoked", { releases: [{ ...ENTRY, revoked: false }] }],
  ["a tag that leaves the folder", { releases: [{ ...ENTRY, tag_name: ".." }] }],
  ["a release twice", { releases: [ENTRY, ENTRY] }],
  ["releases in another order", { releases: [{ ...ENTRY, version: "2.0.0" }, ENTRY] }],
  ["too many releases", { releases: Array.from({ length: 1_025 }, () => ENTRY) }, "too_large"],
];

for (const [what, changes, code = "malformed"] of BAD) {
  Deno.test(`IDX-01 MAN-24 parseIndex() refuses ${what}: ${code}`, () => {
    assertThrows(() => parseIndex(utf8(writeJson({ ...GOOD, ...changes }))), code);
  });
}

Deno.test("IDX-01 an index is refused with a line feed, and above its size", () => {
  assertThrows(() => parseIndex(utf8(`${writeJson(GOOD)}\n`)), "malformed");
  assertThrows(() => parseIndex(new Uint8Array(1_048_577)), "too_large");
});

Deno.test("IDX-01 an index opens with its signature, and with no bit of it changed", async () => {
  const content = writeIndex(index({ releases: [] }));
  assertEquals((await open(content)).index.number, 7);
  const signature = await signer.sign(content);
  for (let bit = 0; bit < 8 * content.length; bit++) {
    const changed = content.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    const opening = { verify: signer.verify, product: "postern", memory: [], now: NOW };
    await assertRejects(() => openIndex({ content: changed, signature }, opening), "signature");
  }
});

Deno.test("IDX-08 an index of another product is mixed_up", async () => {
  await assertRejects(async () => await open(writeIndex(index({ product: "other" }))), "mixed_up");
});

Deno.test("IDX-04 a freeze shows when the index expires: stale", () => {
  judgeIndex(index(), "h", [], NOW + WEEK - 1);
  assertThrows(() => judgeIndex(index(), "h", [], NOW + WEEK), "stale");
});

Deno.test("IDX-02 rollback: an index older than one seen before is rolled_back", () => {
  const memory = remember([], "a", { index: { number: 7, hash: "h", created: NOW } });
  judgeIndex(index({ number: 7 }), "h", memory, NOW);
  judgeIndex(index({ number: 8 }), "i", memory, NOW);
  assertThrows(() => judgeIndex(index({ number: 6 }), "g", memory, NOW), "rolled_back");
  assertThrows(() => judgeIndex(index({ number: 8, created: NOW - 1 }), "i", memory, NOW), "rolled_back");
});

Deno.test("IDX-02 the highest number counts, whichever certificate was heard of last", () => {
  let memory = remember([], "a", { index: { number: 7, hash: "h", created: NOW } });
  memory = remember(memory, "b", { index: { number: 5, hash: "g", created: NOW } });
  assertEquals(newestIndex(memory)?.number, 7);
  assertThrows(() => judgeIndex(index({ number: 6 }), "i", memory, NOW), "rolled_back");
});

Deno.test("IDX-02 two indexes of one number are forked", () => {
  const memory = remember([], "a", { index: { number: 7, hash: "h", created: NOW } });
  assertThrows(() => judgeIndex(index(), "other", memory, NOW), "forked");
  assertThrows(() => judgeIndex(index({ created: NOW - 1 }), "other", memory, NOW), "forked");
});

Deno.test("IDX-03 fast-forward: no number beyond the seconds that have passed, no time ahead of the clock", () => {
  const seconds = Math.floor(NOW / 1_000);
  judgeIndex(index({ number: seconds }), "h", [], NOW);
  for (const number of [seconds + 1, Number.MAX_SAFE_INTEGER]) {
    assertThrows(() => judgeIndex(index({ number }), "h", [], NOW), "not_yet_valid");
  }
  judgeIndex(index({ created: NOW + 600_000, expires: NOW + WEEK }), "h", [], NOW);
  assertThrows(() => judgeIndex(index({ created: NOW + 600_001, expires: NOW + WEEK }), "h", [], NOW), "not_yet_valid");
});

Deno.test("IDX-05 fast-forward recovery: what a revoked certificate said is forgotten, the rest is not", () => {
  const honest = remember([], "old", { index: { number: 7, hash: "h", created: NOW }, floor: "1.1.0" });
  const driven = remember(honest, "thief", { index: { number: 1_000_000, hash: "x", created: NOW }, floor: "999.0.0" });
  assertEquals(newestIndex(driven)?.number, 1_000_000);
  assertEquals(rememberedFloor(driven), "999.0.0");
  const next = index({ number: 8 });
  assertThrows(() => judgeIndex(next, "i", driven, NOW), "rolled_back");
  const recovered = forgetRevoked(driven, (certificate) => certificate === "thief");
  assertEquals(recovered, honest);
  judgeIndex(next, "i", recovered, NOW);
  assertEquals(rememberedFloor(recovered), "1.1.0");
});

Deno.test("IDX-05 floors of envelopes and indexes are remembered, the highest counts, at most 8 certificates", () => {
  let memory = remember([], "a", { floor: "1.10.0" });
  memory = remember(memory, "a", { floor: "1.9.0" });
  memory = remember(memory, "b", { index: { number: 1, hash: "h", created: NOW } });
  assertEquals(rememberedFloor(memory), "1.10.0");
  assertEquals(newestIndex(memory)?.signer, "b");
  assertEquals(newestIndex(memory.slice(0, 1)), null);
  assertEquals(memory.map((one) => Object.hasOwn(one, "floor")), [true, false]);
  for (let one = 0; one < 8; one++) memory = remember(memory, `c${one}`, { floor: "1.0.0" });
  assertEquals(memory.map(({ signer }) => signer), Array.from({ length: 8 }, (_, one) => `c${one}`));
  assertEquals([newestIndex([]), rememberedFloor([])], [null, undefined]);
});

Deno.test("IDX-07 the newest release is chosen that is not revoked, not below the floor, and whose turn it is", () => {
  const rolloutKey = webCryptoRandom(32);
  const all = index({
    releases: [entry("1.0.0"), entry("1.1.0"), entry("1.2.0", { isRevoked: true }), entry("1.3.0-rc.1")],
  });
  const chosen = (choice: object) => chooseRelease(all, { rolloutKey, ...choice })?.version;
  assertEquals(chosen({}), "1.3.0-rc.1");
  assertEquals(chosen({ installed: "1.3.0-rc.1" }), undefined);
  assertEquals(chosen({ floor: "2.0.0" }), undefined);
  assertEquals(chosen({ floor: "1.3.0-rc.1" }), "1.3.0-rc.1");
  const held = index({ releases: [entry("1.1.0"), entry("1.2.0", { rollout: 0 })] });
  assertEquals(chooseRelease(held, { rolloutKey })?.version, "1.1.0");
  assertEquals(chooseRelease(held, { rolloutKey, ignoresRollout: true })?.version, "1.2.0");
  // Why the others are not taken.
  const passed = (of: ReleaseIndex, choice: object) =>
    passedOver(of, { rolloutKey, ...choice }).map(({ version, why }) => `${version} ${why}`);
  assertEquals(passed(all, { installed: "1.0.0", floor: "1.2.5" }), ["1.2.0 revoked", "1.1.0 floor"]);
  assertEquals(passed(held, { installed: "1.1.0" }), ["1.2.0 rollout"]);
  assertEquals([passed(held, { installed: "1.2.0" }), passed(held, { ignoresRollout: true })], [[], []]);
  assertEquals(["1.1.0", "1.2.0", undefined].map((version) => isTakenBack(all, version)), [false, true, false]);
});

Deno.test("IDX-07 the first P percent stay in as P grows, and are others for another release", () => {
  const keys = Array.from({ length: 500 }, () => webCryptoRandom(32));
  const inside = (version: string, percent: number) =>
    new Set(keys.filter((key) => isInRollout(key, "postern", version, percent)));
  let before = inside("1.2.0", 0);
  assertEquals(before.size, 0);
  for (const percent of [10, 50, 90, 100]) {
    const now = inside("1.2.0", percent);
    for (const key of before) assert(now.has(key));
    // Six standard deviations of 500 throws are at most 68.
    assert(Math.abs(now.size - 5 * percent) <= 68);
    before = now;
  }
  assertEquals(before.size, 500);
  const [one, other] = [inside("1.2.0", 50), inside("1.2.1", 50)];
  assert(one.intersection(other).size < 200);
});

Deno.test("MAN-24 places come from tag and hash alone", () => {
  assertEquals(envelopePlace("v1.2.0"), "v1.2.0/encrypted_manifest.json");
  assertEquals(envelopeSignaturePlace("v1.2.0"), "v1.2.0/encrypted_manifest.json.sig");
  assertEquals(filePlace("v1.2.0", "ab"), "v1.2.0/ab");
  assertEquals([INDEX_PLACE, INDEX_SIGNATURE_PLACE], ["index.json", "index.json.sig"]);
});
