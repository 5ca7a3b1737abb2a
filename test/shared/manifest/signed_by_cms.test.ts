/** The whole pipeline as an instance runs it: CMS, chain, cover, commitments, judgement. */
import { type VerifiedSigner, verifyDetached } from "../../../shared/cms/verify.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { openManifest, type VerifySignature } from "../../../shared/manifest/open_manifest.ts";
import { openIndex } from "../../../shared/manifest/open_index.ts";
import { writeIndex } from "../../../shared/manifest/release_index.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { certified, NOW, root, signerOf } from "../cms/publisher.ts";
import { makeScene } from "./envelopes.ts";
import { manifest, POLICY } from "./fixture.ts";

const DAY = 86_400_000;
const scene = await makeScene();
const top = await root();
const release = await certified("CN=release,O=Publisher", top);
const signer = signerOf(release, "Ed25519");
const times = { created: NOW - DAY, expires: NOW + DAY };
const content = await scene.encrypt("schema 3", times);
const signature = await signDetached(content, signer, NOW);

function verifierFor(pinned: typeof top): VerifySignature<VerifiedSigner> {
  return (bytes, file) => verifyDetached(bytes, file, { roots: [pinned.certificate], now: NOW });
}

const opening = { verify: verifierFor(top), keys: scene.instance.keys, policy: POLICY, now: NOW };

Deno.test("MAN-19 a release signed by CMS opens, and says whose certificate signed it", async () => {
  const opened = await openManifest({ content, signature }, opening);
  assertEquals(opened.manifest, manifest(times));
  assertEquals(opened.signer.certificate.fingerprint, release.certificate.fingerprint);
});

Deno.test("MAN-19 a chain to another root is untrusted before anything is decrypted", async () => {
  const verify = verifierFor(await root());
  const keys = { mdks: [], registrations: [], shared: [] };
  await assertRejects(() => openManifest({ content, signature }, { ...opening, verify, keys }), "untrusted");
});

Deno.test("MAN-19 content changed by one bit anywhere is refused by CMS as a bad signature", async () => {
  for (let bit = 0; bit < 8 * content.length; bit += 131) {
    const changed = content.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    await assertRejects(() => openManifest({ content: changed, signature }, opening), "signature");
  }
});

Deno.test("IDX-01 the signature of an index is none of an envelope, and neither parses as the other", async () => {
  const index = writeIndex({ product: "postern", number: 1, ...times, releases: [] });
  const indexSignature = await signDetached(index, signer, NOW);
  const asIndex = { verify: opening.verify, product: "postern", memory: [], now: NOW };
  assertEquals((await openIndex({ content: index, signature: indexSignature }, asIndex)).index.number, 1);
  await assertRejects(() => openIndex({ content: index, signature }, asIndex), "signature");
  await assertRejects(() => openManifest({ content: index, signature: indexSignature }, opening), "malformed");
  await assertRejects(() => openIndex({ content, signature }, asIndex), "malformed");
});
