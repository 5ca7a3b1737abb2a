/** The table "Attacks" of manifest.md, row by row: a mirror, or a thief of a key, against an instance that follows the page. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { chooseRelease } from "../../../shared/manifest/choose_release.ts";
import { forgetRevoked, type IndexMemory, remember, rememberedFloor } from "../../../shared/manifest/index_memory.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { openIndex } from "../../../shared/manifest/open_index.ts";
import { openManifest, type SignedFile } from "../../../shared/manifest/open_manifest.ts";
import { envelopePlace, INDEX_PLACE } from "../../../shared/manifest/places.ts";
import { type IndexEntry, type ReleaseIndex, writeIndex } from "../../../shared/manifest/release_index.ts";
import type { Crl } from "../../../shared/x509/crl.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { certified, NOW, root, signerOf } from "../cms/publisher.ts";
import type { Holder } from "../x509/builder.ts";
import { makeScene } from "./envelopes.ts";

const DAY = 86_400_000;
const scene = await makeScene();
const top = await root();
const honest = await certified("CN=release,O=Publisher", top);
const next = await certified("CN=release 2,O=Publisher", top);

type Mirror = Map<string, SignedFile>;

async function signedBy(holder: Holder, content: Bytes): Promise<SignedFile> {
  return { content, signature: await signDetached(content, signerOf(holder, "Ed25519"), NOW) };
}

/** Puts a release on the mirror; what the index says of it. */
async function release(mirror: Mirror, version: string, changes: Partial<ReleaseManifest> = {}, by = honest) {
  const facts = { version, tagName: `v${version}`, isCritical: false, created: NOW - DAY, ...changes };
  const content = await scene.encrypt("schema 3", { expires: NOW + 30 * DAY, floor: "1.0.0", ...facts });
  mirror.set(envelopePlace(facts.tagName), await signedBy(by, content));
  const envelope = { size: content.length, sha256: toHex(sha256(content)) };
  const { tagName, isCritical, created } = facts;
  return { version, tagName, isCritical, created, rollout: 100, envelope, isRevoked: false } satisfies IndexEntry;
}

async function publish(
  mirror: Mirror,
  releases: readonly IndexEntry[],
  changes: Partial<ReleaseIndex> = {},
  by = honest,
) {
  const index = { product: "postern", number: 1, created: NOW - DAY, expires: NOW + 7 * DAY, releases, ...changes };
  mirror.set(INDEX_PLACE, await signedBy(by, writeIndex(index)));
}

/** As much of an update checker as the page asks for. */
class Follower {
  installed = "1.0.0";
  memory: IndexMemory = [];
  crls: readonly Crl[] = [];
  now = NOW;
  readonly #rolloutKey = webCryptoRandom(32);

  /** Takes the release that is there for it; its version, or null when there is none. */
  async take(mirror: Mirror): Promise<string | null> {
    const { now, installed, crls } = this;
    const verify = (content: Bytes, signature: Bytes) =>
      verifyDetached(content, signature, { roots: [top.certificate], crls, now });
    const product = "postern";
    const { index, hash, signer } = await openIndex(get(mirror, INDEX_PLACE), {
      verify,
      product,
      memory: this.memory,
      now,
    });
    this.#remember(signer.certificate.fingerprint, { index: { ...index, hash }, floor: index.floor });
    const floor = rememberedFloor(this.memory);
    const named = chooseRelease(index, { installed, floor, rolloutKey: this.#rolloutKey });
    if (named === null) return null;
    const policy = { product, allowsSchema1: false, installed, named, ...(floor === undefined ? {} : { floor }) };
    const file = get(mirror, envelopePlace(named.tagName));
    const opened = await openManifest(file, { verify, keys: scene.instance.keys, policy, now });
    this.#remember(opened.signer.certificate.fingerprint, { floor: opened.manifest.floor });
    return this.installed = opened.manifest.version;
  }

  revoke(crl: Crl): void {
    this.crls = [crl];
    const serials = [honest, next].filter(({ certificate }) => crl.revoked.has(certificate.serial));
    const revoked = serials.map(({ certificate }) => toHex(certificate.fingerprint));
    this.memory = forgetRevoked(this.memory, (signer) => revoked.includes(signer));
  }

  #remember(fingerprint: Bytes, said: Parameters<typeof remember>[2]): void {
    this.memory = remember(this.memory, toHex(fingerprint), said);
  }
}

function get(mirror: Mirror, place: string): SignedFile {
  const file = mirror.get(place);
  if (file === undefined) throw new Error(`nothing at ${place}`);
  return file;
}

Deno.test("MAN-20 a follower takes what the index names, once", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, [await release(mirror, "1.1.0"), await release(mirror, "1.2.0")]);
  assertEquals(await follower.take(mirror), "1.2.0");
  assertEquals(await follower.take(mirror), null);
});

Deno.test("MAN-19 arbitrary software: an envelope that a stranger signed is untrusted", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  const stranger = await certified("CN=release,O=Publisher", await root());
  await publish(mirror, [await release(mirror, "1.1.0", {}, stranger)]);
  await assertRejects(() => follower.take(mirror), "untrusted");
});

Deno.test("IDX-02 MAN-22 rollback: neither an older index nor an older release is taken", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  const old = await release(mirror, "1.1.0");
  await publish(mirror, [old]);
  const before = get(mirror, INDEX_PLACE);
  await publish(mirror, [old, await release(mirror, "1.2.0", { floor: "1.2.0" })], { number: 2 });
  assertEquals(await follower.take(mirror), "1.2.0");
  mirror.set(INDEX_PLACE, before);
  await assertRejects(() => follower.take(mirror), "rolled_back");
  follower.installed = "1.0.0";
  await publish(mirror, [old], { number: 3 });
  assertEquals(await follower.take(mirror), null);
});

Deno.test("IDX-04 indefinite freeze: an index that does not change is stale after its time", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, [], { expires: NOW + 1_000 });
  assertEquals(await follower.take(mirror), null);
  follower.now += 1_000;
  await assertRejects(() => follower.take(mirror), "stale");
});

Deno.test("MAN-21 indefinite freeze: a release past its time is expired, even under a fresh index", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, [await release(mirror, "1.1.0", { expires: NOW + 1 })]);
  follower.now += 2;
  await assertRejects(() => follower.take(mirror), "expired");
});

Deno.test("IDX-06 mix and match: the envelope of one release in the place of another is mixed_up", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, [await release(mirror, "1.1.0"), await release(mirror, "1.2.0")]);
  mirror.set(envelopePlace("v1.2.0"), get(mirror, envelopePlace("v1.1.0")));
  await assertRejects(() => follower.take(mirror), "mixed_up");
  await release(mirror, "1.2.0", { notes: "signed by the publisher too, and not the one that is named" });
  await assertRejects(() => follower.take(mirror), "mixed_up");
});

Deno.test("MAN-20 IDX-08 wrong software: another product of the same publisher is mixed_up", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  const other = await release(mirror, "1.1.0", { product: "other" });
  await publish(mirror, [other], { product: "other" });
  await assertRejects(() => follower.take(mirror), "mixed_up");
  await publish(mirror, [other], { number: 2 });
  await assertRejects(() => follower.take(mirror), "mixed_up");
});

Deno.test("MAN-03 endless data: what is larger than its limit is too_large before it is looked at", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, []);
  const { signature } = get(mirror, INDEX_PLACE);
  mirror.set(INDEX_PLACE, { content: new Uint8Array(1_048_577), signature });
  await assertRejects(() => follower.take(mirror), "too_large");
});

Deno.test("IDX-03 IDX-05 key compromise, fast-forward: a thief's number and floor go with its certificate", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, [await release(mirror, "1.1.0")]);
  assertEquals(await follower.take(mirror), "1.1.0");
  const most = Math.floor(NOW / 1_000);
  await publish(mirror, [], { number: Number.MAX_SAFE_INTEGER, created: NOW });
  await assertRejects(() => follower.take(mirror), "not_yet_valid");
  await publish(mirror, [], { number: most, created: NOW, floor: "999.0.0" });
  assertEquals(await follower.take(mirror), null);
  const revoked = new Map([[honest.certificate.serial, { at: NOW, reason: "keyCompromise" as const }]]);
  const times = { number: 1n, thisUpdate: NOW - DAY, nextUpdate: NOW + DAY };
  follower.revoke(await issueCrl(top.certificate, cryptoKeySigner(top.key.pair.privateKey), { ...times, revoked }));
  await assertRejects(() => follower.take(mirror), "revoked");
  await publish(mirror, [await release(mirror, "1.2.0", {}, next)], { number: 2, created: NOW - DAY }, next);
  assertEquals(await follower.take(mirror), "1.2.0");
});

Deno.test("IDX-02 two views: another index of the same number is forked", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  await publish(mirror, []);
  assertEquals(await follower.take(mirror), null);
  await publish(mirror, [await release(mirror, "1.1.0")]);
  await assertRejects(() => follower.take(mirror), "forked");
});

Deno.test("MAN-09 downgrade: an envelope of schema 1 under a good index is unsupported", async () => {
  const [mirror, follower] = [new Map() as Mirror, new Follower()];
  const entry = await release(mirror, "1.1.0");
  const facts = {
    version: "1.1.0",
    tagName: "v1.1.0",
    isCritical: false,
    created: NOW - DAY,
    expires: NOW + DAY,
    floor: "1.0.0",
  };
  const content = await scene.encrypt("schema 1", facts);
  mirror.set(envelopePlace("v1.1.0"), await signedBy(honest, content));
  const envelope = { size: content.length, sha256: toHex(sha256(content)) };
  await publish(mirror, [{ ...entry, envelope }]);
  await assertRejects(() => follower.take(mirror), "unsupported");
});
