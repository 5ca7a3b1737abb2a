/** What is signed here is read again as it was written, for any content and time. */
import fc from "fast-check";
import { concat, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { readSignatureFile, writeSignaturePem } from "../../../shared/cms/signature_file.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { readSignedAttributes, writeSignedAttributes } from "../../../shared/cms/signed_attributes.ts";
import { readSignedData } from "../../../shared/cms/signed_data.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { contextConstructed, TAG } from "../../../shared/der/read.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";
import { DAY, newKey } from "../x509/builder.ts";
import { certified, CONTENT, NOW, root, signed, signerOf } from "./publisher.ts";

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((one) => new Uint8Array(one));

Deno.test("signed attributes are read as they were written (CMS-05)", () => {
  const seconds = fc.integer({ min: -600_000_000, max: 250_000_000_000 }).map((value) => value * 1000);
  const fingerprints = fc.array(bytes(32), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(bytes(64), seconds, fingerprints, (messageDigest, signingTime, fingerprints) => {
    const der = writeSignedAttributes({ messageDigest, signingTime, fingerprints });
    const content = der.subarray(der.length < 130 ? 2 : der.length < 260 ? 3 : 4);
    const read = readSignedAttributes({ tag: contextConstructed(0), content, whole: der });
    assertEquals(read.signingTime, signingTime);
    assert(equalBytes(read.messageDigest, messageDigest) && equalBytes(read.der, der));
    assertEquals(read.signingCertificates?.map(({ digest }) => new Uint8Array(digest)), fingerprints);
    assertEquals(der[0], TAG.set);
  }));
});

Deno.test("signDetached() makes what verifyDetached() accepts, for any content without a CR (CMS-16)", async () => {
  const { root, signer } = await signed();
  const trust = { roots: [root.certificate], now: NOW };
  const content = fc.uint8Array({ maxLength: 400 }).map((one) =>
    new Uint8Array(one.map((byte) => byte === 13 ? 10 : byte))
  );
  const time = fc.integer({ min: NOW - DAY, max: NOW + 600_000 });
  await fc.assert(
    fc.asyncProperty(content, time, fc.boolean(), async (content, at, isPem) => {
      const der = await signDetached(content, signerOf(signer, "Ed25519"), at);
      const file = isPem ? utf8(writeSignaturePem(der)) : der;
      const { mode, signedAt, scheme, hash } = await verifyDetached(content, file, trust);
      assertEquals([mode, scheme.kind, hash], ["binary", "ed25519", "SHA-512"]);
      assertEquals(signedAt, Math.floor(at / 1000) * 1000);
    }),
    { numRuns: 60 },
  );
});

Deno.test("signDetached() writes each certificate once, whatever the chain repeats, and verifies with every algorithm (CMS-16)", async () => {
  for (const algorithm of ["Ed25519", "ES256", "ES384", "ES512"] as const) {
    const top = await root(algorithm);
    const middle = await certified("CN=middle,O=Publisher", top, { isCa: true });
    const signer = await certified("CN=release,O=Publisher", middle, { key: await newKey(algorithm) });
    const der = await signDetached(CONTENT, signerOf(signer, algorithm, [middle, signer, top, middle]), NOW);
    assertEquals(readSignedData(der).certificates.length, 3);
    const { path } = await verifyDetached(CONTENT, der, { roots: [top.certificate], now: NOW });
    assertEquals(path.length, 3);
  }
});

Deno.test("readSignatureFile() reads any bytes without an error that is not typed", () => {
  const starts = fc.constantFrom(
    ...["", "0", "-----BEGIN CMS-----\n", "MIME-Version: 1.0\nContent-Type: "].map((text) => utf8(text)),
  );
  fc.assert(fc.property(starts, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
    try {
      readSignatureFile(concat(start, rest), 0);
    } catch (error) {
      if (!isPosternError(error)) throw error;
    }
  }));
});
