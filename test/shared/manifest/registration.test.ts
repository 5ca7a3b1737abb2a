import fc from "fast-check";
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toBase64Url } from "../../../shared/bytes/encoding.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { sealHpke } from "../../../shared/crypto/hpke.ts";
import { generateHpkeSecret, type HpkePrivateKey, importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import {
  makeRegistrationAnswer,
  openRegistrationAnswer,
  type OwnRequest,
  type Registration,
} from "../../../shared/manifest/registration_answer.ts";
import {
  instanceIdOf,
  judgeRenewal,
  makeRegistrationRequest,
  readRegistrationRequest,
  type RegistrationRequest,
} from "../../../shared/manifest/registration_request.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import { damage, damaged } from "../protocol/codec.ts";
import { filled } from "../protocol/epoch.ts";

const identity = await signingKey();
const xwing = await importHpkeKey("xwing", await generateHpkeSecret("xwing"));
const { root } = await OwnerFixture.create();
const asked: RegistrationRequest = {
  identityKey: identity.publicKey,
  keys: { version: 2, xwing: xwing.publicKey, x25519: filled(32, 7) },
  ...{ time: 1_900_000_000_000, nonce: filled(16, 4) },
};
const request = await makeRegistrationRequest(asked, identity.sign);
const own: OwnRequest = { bytes: request, identityKey: identity.publicKey, version: 2, xwing };

const registration: Registration = {
  ...{ product: "postern", root: root.der, entrySecret: new Redacted(filled(32, 9)) },
  cover: new Redacted(filled(17_000, 3)),
  sharedKeys: [
    { keyId: "manifest_decryption_key", keyVersion: 1, key: new Redacted(filled(32, 1)) },
    { keyId: "manifest_decryption_key", keyVersion: 2, key: new Redacted(filled(32, 2)) },
  ],
};

/** Stands for the CMS signature, whose own tests are elsewhere: a hash that only the publisher makes. */
const signature = (body: Bytes): Bytes => sha256(utf8("publisher"), body);
const publisher = (body: Bytes) => Promise.resolve(signature(body));
const verify = (body: Bytes, signed: Bytes) =>
  equalBytes(signed, signature(body))
    ? Promise.resolve()
    : Promise.reject(new PosternError("signature", "not the publisher's"));

const answer = async (given: Partial<Registration> = {}, to: RegistrationRequest = asked, bytes = request) =>
  await makeRegistrationAnswer({ bytes, read: to }, { ...registration, ...given }, publisher);

Deno.test("readRegistrationRequest() reads what makeRegistrationRequest() made, and verifies its sender, REG-03", async () => {
  assertEquals(await readRegistrationRequest(request), asked);
  const stranger = await signingKey();
  await assertRejects(
    async () => readRegistrationRequest(await makeRegistrationRequest(asked, stranger.sign)),
    "tampered",
  );
  const other = await signingKey("ES256");
  const ecdsa = await makeRegistrationRequest({ ...asked, identityKey: other.publicKey }, other.sign);
  await assertRejects(() => readRegistrationRequest(ecdsa), "unsupported");
  await assertRejects(() => readRegistrationRequest(new Uint8Array(4_097)), "too_large");
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      const error = await readRegistrationRequest(damaged(request, change)).then(() => null, (thrown) => thrown);
      return ["tampered", "malformed", "unsupported"].includes(isPosternError(error) ? error.code : "");
    }),
    { numRuns: 200 },
  );
});

Deno.test("readRegistrationRequest() refuses keys that nothing can be sealed to, REG-03", async () => {
  const with1 = (at: number) => Uint8Array.from({ length: 32 }, (_, i) => i === at ? 1 : 0);
  const changed = (bytes: Bytes, at: number, value: number[]) => {
    const copy = bytes.slice();
    copy.set(value, at);
    return copy;
  };
  const bad: Readonly<Record<string, Partial<RegistrationRequest["keys"]>>> = {
    "zero": { x25519: new Uint8Array(32) },
    "of small order": { x25519: with1(0) },
    "with the highest bit": { x25519: changed(filled(32, 7), 31, [0x87]) },
    "of order 8": { x25519: fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800") },
    "above the prime": { x25519: changed(filled(32, 0xff), 31, [0x7f]) },
    // The first coefficient of ML-KEM's vector is 4095, and they are below 3329.
    "ML-KEM out of range": { xwing: changed(xwing.publicKey, 0, [0xff, 0xff]) },
    "X-Wing with an X25519 key of small order": { xwing: changed(xwing.publicKey, 1_184, [...with1(0)]) },
  };
  for (const [what, keys] of Object.entries(bad)) {
    const made = await makeRegistrationRequest({ ...asked, keys: { ...asked.keys, ...keys } }, identity.sign);
    await assertRejects(() => readRegistrationRequest(made), "malformed").catch((error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    });
  }
});

Deno.test("instanceIdOf() is what the identity key makes it, REG-01", async () => {
  const hash = sha256(encodeCbor(["postern/1/instance-id", identity.publicKey]));
  assertEquals(instanceIdOf(identity.publicKey), hash.slice(0, 16));
  assert(!equalBytes(instanceIdOf(identity.publicKey), instanceIdOf((await signingKey()).publicKey)));
});

Deno.test("judgeRenewal() takes newer keys of the same instance alone, REG-01 REG-04", async () => {
  const known = { instance: instanceIdOf(identity.publicKey), keys: asked.keys, time: asked.time };
  const keys = { ...asked.keys, x25519: filled(32, 8) };
  assertEquals(judgeRenewal(known, asked), "same");
  assertEquals(judgeRenewal(known, { ...asked, time: 1 }), "same");
  assertEquals(judgeRenewal(known, { ...asked, keys: { ...keys, version: 3 } }), "newer");
  assertThrows(() => judgeRenewal(known, { ...asked, keys }), "rolled_back");
  assertThrows(() => judgeRenewal(known, { ...asked, keys: { ...keys, version: 1 } }), "rolled_back");
  assertThrows(() => judgeRenewal(known, { ...asked, keys: { ...asked.keys, version: 1 } }), "rolled_back");
  assertThrows(
    () => judgeRenewal(known, { ...asked, keys: { ...asked.keys, xwing: filled(1_216, 8) } }),
    "rolled_back",
  );
  assertThrows(
    () => judgeRenewal(known, { ...asked, time: asked.time - 1, keys: { ...keys, version: 3 } }),
    "rolled_back",
  );
  const { publicKey } = await signingKey();
  assertThrows(() => judgeRenewal(known, { ...asked, identityKey: publicKey }), "mixed_up");
});

/** Registrations hold secrets that compare as equal only when revealed. */
const plain = (r: Registration) => ({
  ...{ product: r.product, root: r.root, entrySecret: reveal(r.entrySecret) },
  cover: r.cover === null ? null : reveal(r.cover),
  sharedKeys: r.sharedKeys.map(({ keyId, keyVersion, key }) => [keyId, keyVersion, reveal(key)]),
});

Deno.test("openRegistrationAnswer() gives what was sealed, once root and signature are confirmed, REG-05", async () => {
  const opened = await openRegistrationAnswer(await answer(), own);
  assertEquals([opened.product, opened.root.fingerprint], ["postern", root.fingerprint]);
  assertEquals(plain(await opened.verified(root.fingerprint, verify)), plain(registration));
  await assertRejects(() => opened.verified(filled(32, 1), verify), "untrusted");
  const unsigned = await makeRegistrationAnswer({ bytes: request, read: asked }, registration, () => {
    return Promise.resolve(filled(32, 1));
  });
  const forged = await openRegistrationAnswer(unsigned, own);
  await assertRejects(() => forged.verified(root.fingerprint, verify), "signature");
  const bare = await openRegistrationAnswer(await answer({ cover: null, sharedKeys: [] }), own);
  assertEquals(
    plain(await bare.verified(root.fingerprint, verify)),
    plain({ ...registration, cover: null, sharedKeys: [] }),
  );
  assertEquals((await bare.verified(root.fingerprint, verify)).cover, null);
});

Deno.test("openRegistrationAnswer() refuses what is for another request, instance or key, REG-06", async () => {
  const later: RegistrationRequest = { ...asked, time: asked.time + 1 };
  const laterBytes = await makeRegistrationRequest(later, identity.sign);
  const toLater = await answer({}, later, laterBytes);
  await assertRejects(() => openRegistrationAnswer(toLater, own), "mixed_up");
  const mine = await answer();
  await assertRejects(() => openRegistrationAnswer(mine, { ...own, version: 3 }), "mixed_up");
  const elsewhere = await importHpkeKey("xwing", await generateHpkeSecret("xwing"));
  await assertRejects(() => openRegistrationAnswer(mine, { ...own, xwing: elsewhere }), "tampered");
  const { publicKey } = await signingKey();
  const forOther = await answer({}, { ...asked, identityKey: publicKey });
  await assertRejects(() => openRegistrationAnswer(forOther, own), "mixed_up");
  await assertRejects(
    () => openRegistrationAnswer(new Uint8Array(LIMITS.maxRegistrationAnswerBytes + 1), own),
    "too_large",
  );
});

Deno.test("openRegistrationAnswer() refuses every kind of damage, or the signature does, REG-05 REG-06", async () => {
  const bytes = await answer({ cover: null });
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      const open = async () => {
        await (await openRegistrationAnswer(damaged(bytes, change), own)).verified(root.fingerprint, verify);
      };
      const error = await open().then(() => null, (thrown) => thrown);
      return ["tampered", "malformed", "mixed_up", "signature"].includes(isPosternError(error) ? error.code : "");
    }),
    { numRuns: 200 },
  );
});

async function sealedContent(content: Bytes, key: HpkePrivateKey): Promise<Bytes> {
  const hash = sha256(request);
  const info = encodeCbor(["postern/1/registration-seal", hash, 2]);
  const { encapsulated, ciphertext } = await sealHpke("xwing", key.publicKey, info, content);
  const body = encodeCbor(["postern/1/registration-answer", hash, 2, encapsulated, ciphertext]);
  return encodeCbor([body, await publisher(utf8(toBase64Url(body)))]);
}

Deno.test("openRegistrationAnswer() is strict with what is inside, too, REG-06", async () => {
  const id = instanceIdOf(identity.publicKey);
  const good = ["postern/1/registration", id, "p", root.der, filled(32, 1), null, [["a", 1, filled(32, 1)]]] as const;
  const put = (at: number, value: unknown) => encodeCbor(good.map((one, i) => i === at ? value as string : one));
  await openRegistrationAnswer(await sealedContent(put(2, "q"), xwing), own);
  const two = put(6, [["a", 2, filled(32, 1)], ["b", 1, filled(32, 1)]]);
  await openRegistrationAnswer(await sealedContent(two, xwing), own);
  const bad: readonly (readonly [number, unknown])[] = [
    ...[[0, "postern/1/registration-answer"], [2, ""], [2, "x".repeat(129)], [3, filled(10, 1)], [
      4,
      filled(31, 1),
    ]] as const,
    ...[[5, filled(65_537, 1)], [5, new Uint8Array(0)], [6, [["a", 0, filled(32, 1)]]], [6, [[
      "a",
      1,
      filled(16, 1),
    ]]]] as const,
    // Names that no release can have, and that a terminal may take for something else.
    ...[[2, "a b"], [2, "\x1b[2J"], [2, "../x"], [6, [["a\nb", 1, filled(32, 1)]]]] as const,
    [6, [["a", 2, filled(32, 1)], ["a", 1, filled(32, 1)]]],
    [6, [["a", 1, filled(32, 1)], ["a", 1, filled(32, 2)]]],
    [6, [["b", 1, filled(32, 1)], ["a", 2, filled(32, 1)]]],
    [6, Array.from({ length: 65 }, (_, i) => ["a", i + 1, filled(32, 1)])],
  ];
  for (const [at, value] of bad) {
    const bytes = await sealedContent(put(at, value), xwing);
    await assertRejects(() => openRegistrationAnswer(bytes, own), "malformed");
  }
});

Deno.test("parseRegistrationText() reads what registrationText() wrote, and nothing else, REG-03 REG-06", async () => {
  const text = registrationText("request", request);
  assert(text.startsWith("postern-registration-request:") && text.endsWith("\n"));
  assertEquals(parseRegistrationText("request", text), request);
  assertEquals(parseRegistrationText("request", `\n ${text.trim()}\r\n`), request);
  assertThrows(() => parseRegistrationText("answer", text), "malformed");
  assertThrows(() => parseRegistrationText("request", `${text.trim()}=`), "malformed");
  assertThrows(() => parseRegistrationText("request", text.repeat(1_000)), "too_large");
  assertThrows(() => parseRegistrationText("request", `x${text.slice(1)}`), "malformed");
  const most = "postern-registration-request:".length + 2 * LIMITS.maxRegistrationRequestBytes;
  assertEquals(parseRegistrationText("request", text.trim().padEnd(most)), request);
  assertThrows(() => parseRegistrationText("request", text.trim().padEnd(most + 1)), "too_large");
  const bytes = await answer();
  assertEquals(parseRegistrationText("answer", registrationText("answer", bytes)), bytes);
});
