import fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { type Bytes, concat, EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { deriveEcdh, importEcdhPkcs8 } from "../../../shared/crypto/ecdh.ts";
import { openHpke, sealHpke } from "../../../shared/crypto/hpke.ts";
import {
  type DhkemSuite,
  generateHpkeSecret,
  HPKE_SUITES,
  type HpkePrivateKey,
  hpkePublicKeyOfSpki,
  type HpkeSuite,
  importHpkeKey,
  isHpkeSuite,
  requireHpkePublicKey,
  SUITE_CURVES,
} from "../../../shared/crypto/hpke_keys.ts";
import { TAG } from "../../../shared/der/read.ts";
import { element, octetBits, oid, sequence, unsigned } from "../../../shared/der/write.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { exportSpki, generateSigningKey } from "../../../shared/crypto/signature.ts";
import { deriveX25519, importX25519 } from "../../../shared/crypto/x25519.ts";
import { dhkemSecret, REFERENCE_KEMS, referenceSeal } from "./hpke_reference.ts";
import { openssl, withOpenssl } from "./openssl.ts";

const SUITES = Object.keys(HPKE_SUITES).filter(isHpkeSuite);
const DHKEM_SUITES: readonly DhkemSuite[] = ["x25519", "p256", "p384", "p521"];

const info = utf8("what this is and where it belongs");
const symKey = new Uint8Array(32).fill(7);

const made = new Map<HpkeSuite, Promise<Bytes>>();

/** One secret for each suite, made when first asked for: RSA keys take a while. */
function secretOf(suite: HpkeSuite): Promise<Bytes> {
  const secret = made.get(suite) ?? generateHpkeSecret(suite);
  made.set(suite, secret);
  return secret;
}

async function keyOf(suite: HpkeSuite): Promise<HpkePrivateKey> {
  return await importHpkeKey(suite, await secretOf(suite));
}

function flipped(bytes: Bytes, bit: number): Bytes {
  const changed = bytes.slice();
  const at = (bit >> 3) % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

for (const suite of SUITES) {
  const bound = suite === "rsa-oaep-256" ? EMPTY : utf8("associated");

  Deno.test(`openHpke() gives back what sealHpke() took with ${suite}, at every size`, async () => {
    const key = await keyOf(suite);
    const sizes = suite === "rsa-oaep-256" ? [0, 1, 32, 190, 318] : [0, 1, 32, 1000, 65_536, 262_144];
    for (const size of sizes) {
      const plaintext = new Uint8Array(size).fill(size);
      const sealed = await sealHpke(suite, key.publicKey, info, plaintext, bound);
      assertEquals(sealed.encapsulated.length, HPKE_SUITES[suite].encapsulatedBytes);
      assertEquals(await openHpke(suite, key, info, sealed, bound), plaintext);
    }
  });

  Deno.test(`openHpke() throws tampered when anything sealed with ${suite} changed`, async () => {
    const key = await keyOf(suite);
    const sealed = await sealHpke(suite, key.publicKey, info, symKey, bound);
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), async (bit) => {
        const ciphertext = flipped(sealed.ciphertext, bit);
        await assertRejects(() => openHpke(suite, key, info, { ...sealed, ciphertext }, bound), "tampered");
        await assertRejects(() => openHpke(suite, key, flipped(info, bit), sealed, bound), "tampered");
        if (sealed.encapsulated.length === 0) return;
        const encapsulated = flipped(sealed.encapsulated, bit);
        await assertRejects(() => openHpke(suite, key, info, { ...sealed, encapsulated }, bound), "tampered");
        await assertRejects(() => openHpke(suite, key, info, sealed, flipped(bound, bit)), "tampered");
      }),
      { numRuns: 15 },
    );
    const cut = [0, 1, 15, 16, sealed.ciphertext.length - 1].map((length) => sealed.ciphertext.slice(0, length));
    for (const ciphertext of [...cut, concat(sealed.ciphertext, new Uint8Array(1))]) {
      await assertRejects(() => openHpke(suite, key, info, { ...sealed, ciphertext }, bound), "tampered");
    }
    for (const encapsulated of [concat(sealed.encapsulated, new Uint8Array(1)), sealed.encapsulated.slice(1)]) {
      if (encapsulated.length === HPKE_SUITES[suite].encapsulatedBytes) continue;
      await assertRejects(() => openHpke(suite, key, info, { ...sealed, encapsulated }, bound), "tampered");
    }
  });

  Deno.test(`WRAP-02 openHpke() throws tampered for another key of ${suite}, unsupported for another suite`, async () => {
    const key = await keyOf(suite);
    const sealed = await sealHpke(suite, key.publicKey, info, symKey);
    const other = await importHpkeKey(suite, await generateHpkeSecret(suite));
    await assertRejects(() => openHpke(suite, other, info, sealed), "tampered");
    for (const name of [...SUITES.filter((each) => each !== suite), "", "toString", "XWING"]) {
      await assertRejects(() => openHpke(name, key, info, sealed), "unsupported");
    }
  });

  Deno.test(`sealHpke() with ${suite} never makes the same bytes twice`, async () => {
    const key = await keyOf(suite);
    const [a, b] = [
      await sealHpke(suite, key.publicKey, info, symKey),
      await sealHpke(suite, key.publicKey, info, symKey),
    ];
    assert(toHex(a.ciphertext) !== toHex(b.ciphertext));
  });

  Deno.test(`importHpkeKey() refuses secrets that are not of ${suite}`, async () => {
    const secret = await secretOf(suite);
    const code = suite === "xwing" ? "unsupported" : "malformed";
    const foreign = await Promise.all(SUITES.filter((each) => each !== suite).map(secretOf));
    for (const bytes of [EMPTY, secret.slice(1), secret.slice(0, -1), concat(secret, new Uint8Array(1)), ...foreign]) {
      await assertRejects(() => importHpkeKey(suite, bytes), code);
    }
  });

  Deno.test(`sealHpke() and requireHpkePublicKey() refuse public keys that are not of ${suite}`, async () => {
    const { publicKey } = await keyOf(suite);
    await requireHpkePublicKey(suite, publicKey);
    for (const bytes of [EMPTY, publicKey.slice(1), publicKey.slice(0, -1), concat(publicKey, new Uint8Array(1))]) {
      await assertRejects(() => requireHpkePublicKey(suite, bytes), "malformed");
      await assertRejects(() => sealHpke(suite, bytes, info, symKey), "malformed");
    }
  });

  Deno.test(`private keys of ${suite} cannot be taken out of the runtime`, async () => {
    const { key } = await keyOf(suite);
    const parts = "mlKem" in key ? [key.mlKem, key.x25519] : [key];
    for (const part of parts) {
      assert(part instanceof CryptoKey);
      assertEquals(part.extractable, false);
    }
  });
}

Deno.test("X-Wing alone withstands a quantum computer, WRAP-04", () => {
  assertEquals(SUITES.filter((suite) => HPKE_SUITES[suite].quantumSafe), ["xwing"]);
});

Deno.test("sealHpke() throws malformed when the point is not on the curve", async () => {
  for (const suite of ["p256", "p384", "p521"] as const) {
    const { publicKey } = await keyOf(suite);
    await assertRejects(() => sealHpke(suite, flipped(publicKey, 8 * publicKey.length - 1), info, symKey), "malformed");
  }
});

Deno.test("sealHpke() throws malformed and openHpke() tampered when an X25519 key is of small order", async () => {
  const zero = new Uint8Array(32);
  await assertRejects(() => sealHpke("x25519", zero, info, symKey), "malformed");
  const key = await keyOf("x25519");
  const sealed = { encapsulated: zero, ciphertext: new Uint8Array(48) };
  await assertRejects(() => openHpke("x25519", key, info, sealed), "tampered");
  const hybrid = await keyOf("xwing");
  const { encapsulated, ciphertext } = await sealHpke("xwing", hybrid.publicKey, info, symKey);
  encapsulated.fill(0, -32);
  await assertRejects(() => openHpke("xwing", hybrid, info, { encapsulated, ciphertext }), "tampered");
});

Deno.test("sealHpke() throws malformed when a coefficient of an X-Wing key is not below the modulus", async () => {
  const { publicKey } = await keyOf("xwing");
  const changed = publicKey.slice();
  changed.fill(0xff, 0, 3);
  await assertRejects(() => sealHpke("xwing", changed, info, symKey), "malformed");
});

Deno.test("rsa-oaep-256 throws unsupported for keys of another kind, too small ones, and those that are too large for the runtime", async () => {
  const { publicKey: ed25519 } = await generateSigningKey("Ed25519", true);
  await assertRejects(async () => sealHpke("rsa-oaep-256", await exportSpki(ed25519), info, symKey), "unsupported");
  const usages = { name: "RSA-OAEP", hash: "SHA-256", modulusLength: 1_024, publicExponent: Uint8Array.of(1, 0, 1) };
  const small = await crypto.subtle.generateKey(usages, true, ["encrypt", "decrypt"]) as CryptoKeyPair;
  const secret = new Uint8Array(await crypto.subtle.exportKey("pkcs8", small.privateKey));
  await assertRejects(() => importHpkeKey("rsa-oaep-256", secret), "unsupported");
  await assertRejects(
    async () => sealHpke("rsa-oaep-256", await exportSpki(small.publicKey), info, symKey),
    "unsupported",
  );
  const numbers = sequence(unsigned(new Uint8Array(1_024).fill(0xff)), unsigned(Uint8Array.of(1, 0, 1)));
  const large = sequence(sequence(oid("1.2.840.113549.1.1.1"), element(TAG.null)), octetBits(numbers));
  const sealed = sealHpke("rsa-oaep-256", large, info, symKey).then(({ ciphertext }) =>
    ciphertext.length === 1_024 ? "sealed" : "nothing"
  );
  const known = await sealed.catch((error) =>
    isPosternError(error, "unsupported") ? "unsupported" : Promise.reject(error)
  );
  assert(known === "sealed" || known === "unsupported");
});

Deno.test("rsa-oaep-256 throws too_large beyond its room and unsupported for associated data", async () => {
  const { publicKey } = await keyOf("rsa-oaep-256");
  await assertRejects(() => sealHpke("rsa-oaep-256", publicKey, info, new Uint8Array(319)), "too_large");
  await assertRejects(() => sealHpke("rsa-oaep-256", publicKey, info, symKey, utf8("a")), "unsupported");
  const key = await keyOf("rsa-oaep-256");
  const sealed = await sealHpke("rsa-oaep-256", publicKey, info, symKey);
  await assertRejects(() => openHpke("rsa-oaep-256", key, info, sealed, utf8("a")), "unsupported");
});

Deno.test("hpkePublicKeyOfSpki() names the suite of a certificate's key and throws unsupported when it can only sign", async () => {
  const suites = { ES256: "p256", ES384: "p384", ES512: "p521", PS256: "rsa-oaep-256" } as const;
  for (const [algorithm, suite] of Object.entries(suites)) {
    const { publicKey } = await generateSigningKey(algorithm as keyof typeof suites, true);
    const found = hpkePublicKeyOfSpki(await exportSpki(publicKey));
    assertEquals(found.suite, suite);
    await requireHpkePublicKey(suite, found.publicKey);
  }
  const ed25519 = await exportSpki((await generateSigningKey("Ed25519", false)).publicKey);
  assertThrows(() => hpkePublicKeyOfSpki(ed25519), "unsupported");
});

Deno.test("a certificate's signing key opens what was sealed to its SubjectPublicKeyInfo", async () => {
  const pair = await generateSigningKey("ES256", true);
  const { suite, publicKey } = hpkePublicKeyOfSpki(await exportSpki(pair.publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const sealed = await sealHpke(suite, publicKey, info, symKey);
  assertEquals(await openHpke(suite, await importHpkeKey(suite, pkcs8), info, sealed), symKey);
});

/** RFC 9180 appendices A.1.1 and A.3.1, the first encryption: what makes the reference one. */
const RFC_VECTORS = [
  {
    suite: "x25519",
    secret: "302e020100300506032b656e04220420" + "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
    encapsulated: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
    ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
  },
  {
    suite: "p256",
    secret: "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420" +
      "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
    encapsulated: "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9" +
      "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
    ciphertext: "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
  },
] as const;

Deno.test("the reference implementation gives the values of RFC 9180 appendix A", async () => {
  for (const { suite, secret, encapsulated, ciphertext } of RFC_VECTORS) {
    const key = await importHpkeKey(suite, fromHex(secret));
    const shared = await referenceSecret(suite, fromHex(secret), fromHex(encapsulated), key.publicKey);
    const sealed = referenceSeal(
      REFERENCE_KEMS[suite].id,
      "aes-128-gcm",
      shared,
      fromHex("4f6465206f6e2061204772656369616e2055726e"),
      utf8("Beauty is truth, truth beauty"),
      utf8("Count-0"),
    );
    assertEquals(toHex(sealed), ciphertext);
  }
});

/** The recipient's shared secret, by our Diffie-Hellman, which Wycheproof and OpenSSL check, and the reference's KEM. */
async function referenceSecret(
  suite: DhkemSuite,
  secret: Bytes,
  encapsulated: Bytes,
  publicKey: Bytes,
): Promise<Bytes> {
  const dh = suite === "x25519"
    ? await deriveX25519((await importX25519(secret.slice(-32))).privateKey, encapsulated)
    : await deriveEcdh(
      SUITE_CURVES[suite],
      (await importEcdhPkcs8(SUITE_CURVES[suite], secret)).privateKey,
      encapsulated,
    );
  return dhkemSecret(REFERENCE_KEMS[suite], dh, encapsulated, publicKey);
}

for (const suite of DHKEM_SUITES) {
  Deno.test(`sealHpke() makes what the reference implementation makes with ${suite}`, async () => {
    const secret = await secretOf(suite);
    const { publicKey } = await importHpkeKey(suite, secret);
    for (const [plaintext, associatedData] of [[symKey, EMPTY], [EMPTY, utf8("aad")]] as const) {
      const sealed = await sealHpke(suite, publicKey, info, plaintext, associatedData);
      const shared = await referenceSecret(suite, secret, sealed.encapsulated, publicKey);
      const expected = referenceSeal(REFERENCE_KEMS[suite].id, "aes-256-gcm", shared, info, plaintext, associatedData);
      assertEquals(sealed.ciphertext, expected);
    }
  });
}

withOpenssl.test("rsa-oaep-256 agrees with OpenSSL in both directions", async () => {
  const make = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pem";
  const secret = await openssl([make, "pkcs8 -topk8 -nocrypt -in pem -outform DER -out out"]);
  const key = await importHpkeKey("rsa-oaep-256", secret);
  const padding = "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256";
  const options = `${padding} -pkeyopt rsa_oaep_label:${toHex(info)} -in message -out out`;
  const theirs = await openssl([`pkeyutl -encrypt -pubin -keyform DER -inkey key ${options}`], {
    key: key.publicKey,
    message: symKey,
  });
  const sealed = { encapsulated: EMPTY, ciphertext: theirs };
  assertEquals(await openHpke("rsa-oaep-256", key, info, sealed), symKey);
  const { ciphertext } = await sealHpke("rsa-oaep-256", key.publicKey, info, symKey);
  const opened = await openssl([`pkeyutl -decrypt -keyform DER -inkey key ${options}`], {
    key: secret,
    message: ciphertext,
  });
  assertEquals(opened, symKey);
});
