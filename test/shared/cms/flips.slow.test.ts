/** Every bit of a small signature and of its content: whoever changes one is found out, with a typed error. */
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { writeSignaturePem } from "../../../shared/cms/signature_file.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";
import { certified, CONTENT, NOW, root, signed, signerOf } from "./publisher.ts";

/** Verifies with each bit flipped; fails if any is accepted, or the error is not typed. */
async function codesOfFlips(bytes: Bytes, verify: (changed: Bytes) => Promise<unknown>): Promise<Set<ErrorCode>> {
  const codes = new Set<ErrorCode>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      await verify(changed);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      codes.add(error.code);
      continue;
    }
    assert(false, `accepted with bit ${bit & 7} of byte ${bit >> 3} flipped`);
  }
  return codes;
}

Deno.test("verifyDetached() refuses every bit flipped in the content as `signature` (CMS-11)", async () => {
  const { root, signature } = await signed();
  const trust = { roots: [root.certificate], now: NOW };
  const codes = await codesOfFlips(CONTENT, (content) => verifyDetached(content, signature, trust));
  assertEquals([...codes], ["signature"]);
});

Deno.test("verifyDetached() refuses every bit flipped in a signature in DER, unused certificates included (CMS-04, CMS-09)", async () => {
  const top = await root();
  // A cross certificate that is not on this path: nothing of it is needed, and it may not change either.
  const old = await certified("CN=old,O=Publisher", undefined, { isCa: true });
  const cross = await certified("CN=root,O=Publisher", old, { isCa: true, key: top.key });
  const signer = await certified("CN=release,O=Publisher", top);
  const signature = await signDetached(CONTENT, signerOf(signer, "Ed25519", [cross]), NOW);
  const trust = { roots: [top.certificate], now: NOW };
  assertEquals((await verifyDetached(CONTENT, signature, trust)).path.length, 2);
  await codesOfFlips(signature, (changed) => verifyDetached(CONTENT, changed, trust));
});

Deno.test("verifyDetached() refuses every bit flipped in a signature in PEM (CMS-01)", async () => {
  const { root, signature } = await signed();
  const trust = { roots: [root.certificate], now: NOW };
  const pem = utf8(writeSignaturePem(signature));
  await verifyDetached(CONTENT, pem, trust);
  await codesOfFlips(pem, (changed) => verifyDetached(CONTENT, changed, trust));
});
