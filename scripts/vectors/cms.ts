/** Example of cms.md: a publisher's root, its signing certificate, a signature over a line, and a revocation list. */
import { type Bytes, concat, utf8 } from "../../shared/bytes/bytes.ts";
import { signDetached } from "../../shared/cms/sign.ts";
import { writeSignaturePem } from "../../shared/cms/signature_file.ts";
import type { Revocation } from "../../shared/x509/crl.ts";
import { parseName } from "../../shared/x509/dn_parse.ts";
import { issuePublisherRoot, issueReleaseSigner } from "../../shared/x509/issue_publisher.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { issueCrl } from "../../shared/x509/write_crl.ts";
import { seeded, signingKeyFrom } from "./fixed.ts";
import type { Example } from "./vector.ts";

const MADE_AT = Date.UTC(2026, 0, 1);
const SIGNED_AT = Date.UTC(2026, 0, 2);
const EXPIRES = Date.UTC(2036, 0, 1);
const HOUR = 3_600_000;

export async function cmsExample(): Promise<Example> {
  const random = seeded("postern example publisher");
  const [rootKey, signerKey] = [await signingKeyFrom(random(32)), await signingKeyFrom(random(32))];
  const validity = { notBefore: MADE_AT, notAfter: EXPIRES };
  const by = cryptoKeySigner(rootKey.privateKey);
  const rootSubject = { name: parseName("CN=publisher root"), spki: rootKey.publicKey };
  const root = await issuePublisherRoot(by, rootSubject, validity, random);
  const signerSubject = { name: parseName("CN=release"), spki: signerKey.publicKey };
  const signer = await issueReleaseSigner(root, by, signerSubject, validity, random);
  const content = utf8('{"version":"1.2.0"}\n');
  const sign = (bytes: Bytes) => signerKey.sign(bytes);
  const signature = await signDetached(
    content,
    { certificate: signer, chain: [], algorithm: "Ed25519", sign },
    SIGNED_AT,
  );
  const listing = (number: bigint, revoked: ReadonlyMap<string, Revocation>) =>
    issueCrl(root, by, { number, thisUpdate: SIGNED_AT, nextUpdate: SIGNED_AT + HOUR, revoked });
  const none = await listing(1n, new Map());
  const one = await listing(2n, new Map([[signer.serial, { at: SIGNED_AT, reason: "keyCompromise" }]]));
  const changed = concat(content.subarray(0, -1), utf8("\r\n"));
  return {
    page: "cms.md",
    about: "Everything is verified at the time `now` under the pinned root of the first step.",
    steps: [
      {
        name: "certificates",
        inputs: { rootSeed: rootKey.seed, signerSeed: signerKey.seed, notBefore: MADE_AT, notAfter: EXPIRES },
        outputs: { root: root.der, signer: signer.der },
      },
      {
        name: "signature",
        inputs: { content, signedAt: SIGNED_AT },
        outputs: { signature, pem: writeSignaturePem(signature) },
      },
      {
        name: "verified",
        inputs: { now: SIGNED_AT, content, crl: none.der },
        outputs: { result: "ok", signer: signer.fingerprint, root: root.fingerprint, crlNumber: 1 },
      },
      { name: "revoked", inputs: { now: SIGNED_AT, content, crl: one.der }, outputs: { result: "revoked" } },
      { name: "stale", inputs: { now: SIGNED_AT + HOUR, content, crl: none.der }, outputs: { result: "stale" } },
      {
        name: "changed",
        inputs: { now: SIGNED_AT, content: changed, crl: none.der },
        outputs: { result: "signature" },
      },
    ],
  };
}
