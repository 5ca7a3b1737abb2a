import fc from "fast-check";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey, sign } from "../../../shared/crypto/signature.ts";
import { isPosternError } from "../../../shared/errors.ts";
import {
  encodeStatement,
  namesEdge,
  type OwnerStatement,
  signStatement,
  verifyStatement,
} from "../../../shared/protocol/statement.ts";
import { issueDevice, issueRoot } from "../../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import * as arbitrary from "./arbitraries.ts";
import { damage, damaged } from "./codec.ts";

const YEAR = 31_536_000_000;
const VALIDITY = { notBefore: 0, notAfter: 60 * YEAR };

/** A root with its private key in hand. */
async function makeRoot() {
  const pair = await generateSigningKey("Ed25519", false);
  const signer = cryptoKeySigner(pair.privateKey);
  const root = await issueRoot(signer, await exportSpki(pair.publicKey), VALIDITY, webCryptoRandom);
  return { root, signer, sign: (bytes: Bytes) => sign(pair.privateKey, bytes) };
}

function sample(owner: Bytes): OwnerStatement {
  const [statement] = fc.sample(arbitrary.statement, 1);
  if (statement === undefined) throw new Error("no sample");
  return { ...statement, owner };
}

Deno.test("verifyStatement() reads back what signStatement() wrote, STMT-01", async () => {
  const { root, sign } = await makeRoot();
  await fc.assert(
    fc.asyncProperty(arbitrary.statement, async (one) => {
      const statement = { ...one, owner: root.fingerprint };
      const signed = await signStatement(root.der, statement, sign);
      const verified = await verifyStatement(signed, root.fingerprint);
      const { root: certificate, bytes, signed: whole, hash, ...fields } = verified;
      assertEquals<OwnerStatement>(fields, statement);
      assertEquals([certificate, bytes, whole, hash], [root.der, encodeStatement(statement), signed, sha256(signed)]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("verifyStatement() refuses every damaged statement, STMT-01", async () => {
  const { root, sign } = await makeRoot();
  const signed = await signStatement(root.der, sample(root.fingerprint), sign);
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      try {
        await verifyStatement(damaged(signed, change), root.fingerprint);
      } catch (error) {
        const codes = ["tampered", "malformed", "unsupported", "untrusted", "too_large"] as const;
        return codes.some((code) => isPosternError(error, code));
      }
      return false;
    }),
    { numRuns: 300 },
  );
});

Deno.test("verifyStatement() refuses another owner's, whoever signed it, STMT-01", async () => {
  const own = await makeRoot();
  const other = await makeRoot();
  const theirs = await signStatement(other.root.der, sample(other.root.fingerprint), other.sign);
  await assertRejects(() => verifyStatement(theirs, own.root.fingerprint), "tampered");
  const swapped = await signStatement(own.root.der, sample(own.root.fingerprint), other.sign);
  await assertRejects(() => verifyStatement(swapped, own.root.fingerprint), "tampered");
  const inOurName = await signStatement(other.root.der, sample(own.root.fingerprint), other.sign);
  await assertRejects(() => verifyStatement(inOurName, own.root.fingerprint), "tampered");
  const mislabelled = await signStatement(own.root.der, sample(other.root.fingerprint), own.sign);
  await assertRejects(() => verifyStatement(mislabelled, own.root.fingerprint), "tampered");
});

Deno.test("verifyStatement() refuses a root that is no authority, STMT-01", async () => {
  const { root, signer } = await makeRoot();
  const leafKey = await generateSigningKey("Ed25519", false);
  const validity = { notBefore: 0, notAfter: YEAR };
  const leaf = await issueDevice(root, signer, await exportSpki(leafKey.publicKey), validity, webCryptoRandom);
  const signed = await signStatement(
    leaf.der,
    sample(leaf.fingerprint),
    (bytes) => sign(leafKey.privateKey, bytes),
  );
  await assertRejects(() => verifyStatement(signed, leaf.fingerprint), "untrusted");
});

Deno.test("verifyStatement() takes a root whose validity has ended: only a new root ends it, STMT-01", async () => {
  const pair = await generateSigningKey("Ed25519", false);
  const validity = { notBefore: 0, notAfter: 1_000 };
  const root = await issueRoot(
    cryptoKeySigner(pair.privateKey),
    await exportSpki(pair.publicKey),
    validity,
    webCryptoRandom,
  );
  const signed = await signStatement(root.der, sample(root.fingerprint), (bytes) => sign(pair.privateKey, bytes));
  assertEquals((await verifyStatement(signed, root.fingerprint)).root, root.der);
});

Deno.test("the signature covers the label, so that nothing else the root signed passes for a statement, CONV-03", async () => {
  const { root, sign } = await makeRoot();
  const fields = decodeCbor(encodeStatement(sample(root.fingerprint))) as CborInput[];
  const relabelled = encodeCbor(["postern/1/head", ...fields.slice(1)]);
  const signed = encodeCbor([root.der, relabelled, await sign(relabelled)]);
  await assertRejects(() => verifyStatement(signed, root.fingerprint), "malformed");
});

Deno.test("namesEdge() wants origin and key of one and the same edge, STMT-04", async () => {
  const keys = [webCryptoRandom(32), webCryptoRandom(32)] as const;
  const owner = await OwnerFixture.create({ origin: "https://one.test", key: keys[0] });
  assert(namesEdge(owner.statement, { origin: "https://one.test", key: keys[0] }));
  assert(!namesEdge(owner.statement, { origin: "https://one.test", key: keys[1] }));
  assert(!namesEdge(owner.statement, { origin: "https://one.test/", key: keys[0] }));
  assert(!namesEdge(owner.statement, { origin: "https://two.test", key: keys[0] }));
});

Deno.test("a key of any kind that Postern uses can be the manager's, KEY-01", async () => {
  for (const algorithm of ["Ed25519", "ES256", "ES384", "ES512", "PS256"] as const) {
    const owner = await OwnerFixture.create();
    const statement = await owner.restate({ manager: await signingKey(algorithm) });
    assertEquals((await verifyStatement(statement.signed, owner.id)).managerKey, owner.manager.publicKey);
  }
});
