/** Whom an instance takes for its publisher's next root, and whom not, whatever the present one has issued. */
import { signDetached } from "../../../shared/cms/sign.ts";
import { contextConstructed } from "../../../shared/der/read.ts";
import { element, sequence } from "../../../shared/der/write.ts";
import { followRoot } from "../../../shared/manifest/follow_root.ts";
import { EXTENSION, PURPOSE } from "../../../shared/x509/extensions.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { certified, CONTENT, NOW, root, signerOf } from "../cms/publisher.ts";
import { nameDer } from "../x509/builder.ts";

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
