/** Whom an instance takes for its publisher's next root, and whom not, whatever the present one has issued. */
import { concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { contextConstructed } from "../../../shared/der/read.ts";
import { element, sequence } from "../../../shared/der/write.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { followRoot, readRootFile } from "../../../shared/manifest/follow_root.ts";
import { EXTENSION, PURPOSE } from "../../../shared/x509/extensions.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { certified, CONTENT, NOW, root, signerOf } from "../cms/publisher.ts";
import { DAY, type Holder, nameDer, newKey } from "../x509/builder.ts";

const top = await root();
const NAME = "CN=next,O=Publisher";
const allowed = element(contextConstructed(4), nameDer("O=Publisher"));
const constraint = extension(
  EXTENSION.nameConstraints,
  true,
  sequence(element(contextConstructed(0), sequence(allowed))),
);

/** Follows to a root of a name and key for which the pinned one has issued an authority. */
async function follow(limits: Parameters<typeof certified>[2]) {
  const cross = await certified(NAME, top, { isCa: true, ...limits });
  const offered = await certified(NAME, undefined, { isCa: true, key: cross.key });
  const leaf = await certified("CN=leaf,O=Publisher", cross);
  const signature = await signDetached(CONTENT, signerOf(leaf, "Ed25519", [cross]), NOW);
  const index = { content: CONTENT, signature };
  const followed = await followRoot(offered.certificate, top.certificate, index, { now: NOW });
  assertEquals(followed?.fingerprint, offered.certificate.fingerprint);
}

Deno.test("CMS-23 an authority that the pinned root has issued without limits may take its place", async () => {
  await follow({});
});

Deno.test("CMS-23 an authority that the pinned root has limited does not become one without limits", async () => {
  await assertRejects(() => follow({ pathLen: 0 }), "untrusted");
  await assertRejects(() => follow({ purposes: [PURPOSE.codeSigning] }), "untrusted");
  await assertRejects(() => follow({ more: [constraint] }), "untrusted");
});

/** An index signed below an authority that the pinned root has issued without limits. */
const cross = await certified(NAME, top, { isCa: true });
const leaf = await certified("CN=leaf,O=Publisher", cross);

async function indexBy(signer: Holder, ...chain: Holder[]) {
  return { content: CONTENT, signature: await signDetached(CONTENT, signerOf(signer, "Ed25519", chain), NOW) };
}

Deno.test("CMS-23 the root that is pinned already is nothing to follow, whatever the index says", async () => {
  const index = { ...await indexBy(leaf, cross), content: utf8("another") };
  assertEquals(await followRoot(top.certificate, top.certificate, index, { now: NOW }), null);
});

Deno.test("CMS-23 an authority takes the pinned root's place itself: under its name, with its key, and nobody that it names", async () => {
  const next = await certified(NAME, undefined, { isCa: true });
  // What is signed below the authority is below these as well, by certificates that they have made of it.
  const byKey = await certified(NAME, next, { isCa: true, key: cross.key });
  await assertRejects(
    async () => followRoot(next.certificate, top.certificate, await indexBy(leaf, cross, byKey), { now: NOW }),
    "untrusted",
  );
  const renamed = await certified("CN=other,O=Publisher", undefined, { isCa: true, key: cross.key });
  const byName = await certified(NAME, renamed, { isCa: true, key: cross.key });
  await assertRejects(
    async () => followRoot(renamed.certificate, top.certificate, await indexBy(leaf, cross, byName), { now: NOW }),
    "untrusted",
  );
});

Deno.test("CMS-23 a signer right below the pinned root does not take its place", async () => {
  const signer = await certified(NAME, top);
  const offered = await certified(NAME, undefined, { isCa: true, key: signer.key });
  await assertRejects(
    async () => followRoot(offered.certificate, top.certificate, await indexBy(signer), { now: NOW }),
    "untrusted",
  );
});

Deno.test("CMS-23 the other root is an authority that signed itself, and is in its time", async () => {
  const index = await indexBy(leaf, cross);
  const follow = (offered: Holder) => followRoot(offered.certificate, top.certificate, index, { now: NOW });
  const key = cross.key;
  await assertRejects(async () => follow(await certified(NAME, undefined, { key })), "untrusted");
  await assertRejects(() => follow(cross), "untrusted");
  const elsewhere = await certified("CN=elsewhere,O=Publisher", undefined, { isCa: true, key });
  await assertRejects(async () => follow(await certified(NAME, elsewhere, { isCa: true, key })), "untrusted");
  const forged = await certified(NAME, { ...cross, key: await newKey() }, { isCa: true, key });
  await assertRejects(() => follow(forged), "untrusted");
  const early = { isCa: true, key, notBefore: NOW + DAY / 2, notAfter: NOW + DAY };
  await assertRejects(async () => follow(await certified(NAME, undefined, early)), "not_yet_valid");
  const late = { isCa: true, key, notBefore: NOW - DAY, notAfter: NOW - DAY / 2 };
  await assertRejects(async () => follow(await certified(NAME, undefined, late)), "expired");
});

Deno.test("readRootFile() reads one certificate, in DER or PEM, and nothing beside it", () => {
  const { der, fingerprint } = top.certificate;
  const pem = writePem("CERTIFICATE", der);
  for (const bytes of [der, utf8(pem), utf8(`The root.\n${pem}`)]) {
    assertEquals(readRootFile(bytes).fingerprint, fingerprint);
  }
  const largest = 2 * LIMITS.maxCertificateBytes;
  assertEquals(readRootFile(utf8(pem.padStart(largest, "\n"))).fingerprint, fingerprint);
  assertThrows(() => readRootFile(utf8(pem.padStart(largest + 1, "\n"))), "too_large");
  const others = [pem + pem, writePem("PRIVATE KEY", der), "no root", ""].map(utf8);
  for (const bytes of [...others, concat(der, der)]) assertThrows(() => readRootFile(bytes), "malformed");
});
