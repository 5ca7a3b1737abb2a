import { assert, assertEquals, assertRejects, assertRejectsWith, assertThrows } from "../../assert.ts";
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { type Curve, requirePoint } from "../../../shared/crypto/ec_point.ts";
import { ecdsaDerFromRaw, ecdsaRawFromDer } from "../../../shared/crypto/ecdsa_der.ts";
import {
  algorithmOfSpki,
  exportPkcs8,
  exportSpki,
  generateSigningKey,
  importSigningKey,
  importVerifyKey,
  sign,
  type SignatureAlgorithm,
  verifySignature,
} from "../../../shared/crypto/signature.ts";
import { inOtherRuntime, subtleWith } from "../../other_runtime.ts";
import { openssl, opensslAccepts, withOpenssl } from "./openssl.ts";

const ALGORITHMS: readonly SignatureAlgorithm[] = ["Ed25519", "ES256", "ES384", "ES512", "PS256"];
const BYTES = { Ed25519: 64, ES256: 64, ES384: 96, ES512: 132, PS256: 384 } as const;
const CURVES: Partial<Record<SignatureAlgorithm, Curve>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

const message = utf8("a message to sign");

interface Pair {
  readonly spki: Bytes;
  readonly pkcs8: Bytes;
}

const pairs = new Map<SignatureAlgorithm, Promise<Pair>>();

/** One key pair for each algorithm, made when first asked for: RSA keys take a while. */
function pair(algorithm: SignatureAlgorithm): Promise<Pair> {
  const made = pairs.get(algorithm) ?? generateSigningKey(algorithm, true).then(async (keys) => ({
    spki: await exportSpki(keys.publicKey),
    pkcs8: await exportPkcs8(keys.privateKey),
  }));
  pairs.set(algorithm, made);
  return made;
}

for (const algorithm of ALGORITHMS) {
  Deno.test(`verifySignature() accepts what sign() made with ${algorithm}, and nothing changed, cut or foreign`, async () => {
    const { spki, pkcs8 } = await pair(algorithm);
    assertEquals(algorithmOfSpki(spki), algorithm);
    const verifyKey = await importVerifyKey(spki, algorithm);
    assertEquals(await exportSpki(verifyKey), spki);
    const signature = await sign(await importSigningKey(pkcs8, algorithm, false), message);
    assertEquals(signature.length, BYTES[algorithm]);
    assert(await verifySignature(verifyKey, signature, message));
    assert(!await verifySignature(verifyKey, signature, utf8("a message to sigN")));
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert(!await verifySignature(verifyKey, changed, message));
    }
    for (const length of [0, 1, signature.length - 1]) {
      assert(!await verifySignature(verifyKey, signature.slice(0, length), message));
    }
    assert(!await verifySignature(verifyKey, concat(signature, new Uint8Array(1)), message));
    assert(!await verifySignature(verifyKey, new Uint8Array(signature.length), message));
    const other = await generateSigningKey(algorithm, false);
    assert(!await verifySignature(other.publicKey, signature, message));
  });

  Deno.test(`verifySignature() accepts no other length with ${algorithm}, also where the runtime would`, async () => {
    const verifyKey = await importVerifyKey((await pair(algorithm)).spki, algorithm);
    await inOtherRuntime([subtleWith("verify", () => Promise.resolve(true))], async () => {
      for (const [more, accepted] of [[-1, false], [0, true], [1, false]] as const) {
        assertEquals(await verifySignature(verifyKey, new Uint8Array(BYTES[algorithm] + more), message), accepted);
      }
    });
  });

  Deno.test(`importVerifyKey() and importSigningKey() refuse a key of ${algorithm} for every other algorithm`, async () => {
    const { spki, pkcs8 } = await pair(algorithm);
    for (const other of ALGORITHMS.filter((name) => name !== algorithm)) {
      await assertRejects(() => importVerifyKey(spki, other), "unsupported");
      await assertRejects(() => importSigningKey(pkcs8, other, false), "malformed");
    }
  });

  Deno.test(`importVerifyKey() and importSigningKey() throw malformed for cut or lengthened keys of ${algorithm}`, async () => {
    const { spki, pkcs8 } = await pair(algorithm);
    for (const length of [0, 1, 10, spki.length - 1]) {
      await assertRejects(() => importVerifyKey(spki.slice(0, length), algorithm), "malformed");
    }
    for (const length of [0, 1, 10, pkcs8.length - 1]) {
      await assertRejects(() => importSigningKey(pkcs8.slice(0, length), algorithm, false), "malformed");
    }
    await assertRejects(() => importVerifyKey(concat(spki, new Uint8Array(1)), algorithm), "malformed");
    await assertRejects(() => importSigningKey(concat(pkcs8, new Uint8Array(1)), algorithm, false), "malformed");
    await assertRejects(() => importSigningKey(spki, algorithm, false), "malformed");
  });
}

Deno.test("generateSigningKey() makes private keys that stay inside unless asked otherwise", async () => {
  for (const algorithm of ["Ed25519", "ES256"] as const) {
    assertEquals((await generateSigningKey(algorithm, false)).privateKey.extractable, false);
    const { pkcs8 } = await pair(algorithm);
    assertEquals((await importSigningKey(pkcs8, algorithm, false)).extractable, false);
  }
});

Deno.test("algorithmOfSpki() throws unsupported for keys outside of the table, KEY-02", async () => {
  const generated = await Promise.all([
    crypto.subtle.generateKey("X25519", true, ["deriveBits"]) as Promise<CryptoKeyPair>,
    crypto.subtle.generateKey({ ...rsa(1024), name: "RSA-PSS" }, true, ["sign", "verify"]) as Promise<CryptoKeyPair>,
  ]);
  for (const { publicKey } of generated) {
    const spki = await exportSpki(publicKey);
    assertThrows(() => algorithmOfSpki(spki), "unsupported");
  }
  const secp256k1 = "3056301006072a8648ce3d020106052b8104000a034200" + "04" + "11".repeat(64);
  assertThrows(() => algorithmOfSpki(fromHex(secp256k1)), "unsupported");
});

function rsa(modulusLength: number): RsaHashedKeyGenParams {
  return { name: "RSA-PSS", modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
}

/** A SubjectPublicKeyInfo of an RSA key with these numbers, written by hand. */
function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Bytes {
  const number = (bytes: Uint8Array) => der(0x02, (bytes[0] ?? 0) >= 0x80 ? concat(new Uint8Array(1), bytes) : bytes);
  const key = der(0x30, concat(number(modulus), number(exponent)));
  return der(0x30, concat(fromHex("300d06092a864886f70d0101010500"), der(0x03, concat(new Uint8Array(1), key))));
}

function der(tag: number, content: Uint8Array): Bytes {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return concat(new Uint8Array([tag, ...length]), content);
}

Deno.test("algorithmOfSpki() takes RSA moduli of 2048 to 8192 bits and odd exponents of up to 4 bytes", () => {
  const ones = (bits: number) => {
    const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
    bytes[0] = 0xff >> (bytes.length * 8 - bits);
    return bytes;
  };
  const usual = new Uint8Array([1, 0, 1]);
  for (const bits of [2048, 2049, 3072, 4096, 8192]) assertEquals(algorithmOfSpki(rsaSpki(ones(bits), usual)), "PS256");
  for (const bits of [512, 1024, 2040, 2047, 8193, 16_384]) {
    assertThrows(() => algorithmOfSpki(rsaSpki(ones(bits), usual)), "unsupported");
  }
  assertThrows(() => algorithmOfSpki(rsaSpki(ones(2048).with(-1, 0xfe), usual)), "unsupported");
  for (const exponent of [[3], [17], [0xff, 0xff, 0xff, 0xff]]) {
    assertEquals(algorithmOfSpki(rsaSpki(ones(2048), new Uint8Array(exponent))), "PS256");
  }
  for (const exponent of [[1], [2], [1, 0, 0], [1, 0, 0, 0, 1]]) {
    assertThrows(() => algorithmOfSpki(rsaSpki(ones(2048), new Uint8Array(exponent))), "unsupported");
  }
});

Deno.test("importVerifyKey() throws malformed for a point that is not on the curve", async () => {
  for (const algorithm of ["ES256", "ES384", "ES512"] as const) {
    const { spki } = await pair(algorithm);
    for (const back of [1, 30, 60]) {
      const changed = spki.slice();
      changed[changed.length - back] = (changed[changed.length - back] ?? 0) ^ 1;
      await assertRejects(() => importVerifyKey(changed, algorithm), "malformed");
    }
  }
});

Deno.test("requirePoint() throws malformed for coordinates not below the prime, other forms, and the origin", async () => {
  const point = (await pair("ES256")).spki.slice(-65);
  requirePoint("P-256", point);
  const prime = fromHex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  const cases = [
    concat(point.subarray(0, 33), prime),
    concat(point.subarray(0, 1), prime, point.subarray(33)),
    concat(new Uint8Array([4]), new Uint8Array(64)),
    concat(new Uint8Array([2]), point.subarray(1)),
    point.slice(0, 64),
    concat(new Uint8Array([2]), point.subarray(1, 33)),
    new Uint8Array(1),
    new Uint8Array(0),
  ];
  for (const bytes of cases) assertThrows(() => requirePoint("P-256", bytes), "malformed");
  assertThrows(() => requirePoint("P-384", point), "malformed");
});

Deno.test("verifySignature() throws unsupported for a key of another purpose", async () => {
  const { publicKey } = await crypto.subtle.generateKey({ ...rsa(2048), hash: "SHA-1" }, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  await assertRejects(() => verifySignature(publicKey, new Uint8Array(256), message), "unsupported");
  const hmac = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, [
    "verify",
  ]);
  await assertRejects(() => verifySignature(hmac, new Uint8Array(32), message), "unsupported");
  const ecdh = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  await assertRejects(
    () => verifySignature((ecdh as CryptoKeyPair).publicKey, new Uint8Array(64), message),
    "unsupported",
  );
});

Deno.test("verifySignature() with the private half of a pair is no fault of the signature's", async () => {
  const { privateKey } = await generateSigningKey("Ed25519", false);
  await assertRejectsWith(() => verifySignature(privateKey, new Uint8Array(64), message), "InvalidAccessError");
});

Deno.test("verifySignature() accepts nothing by an RSA key larger than the runtime takes, and says so if that is why", async () => {
  const key = await importVerifyKey(rsaSpki(new Uint8Array(1_024).fill(0xff), new Uint8Array([1, 0, 1])), "PS256");
  const found = verifySignature(key, new Uint8Array(1_024), message);
  const known = await found.catch((error) =>
    isPosternError(error, "unsupported") ? "unsupported" : Promise.reject(error)
  );
  assert(known === false || known === "unsupported", String(known));
});

Deno.test("Ed25519 signatures give the values of RFC 8032 section 7.1", async () => {
  const secret = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
  const spki = fromHex("302a300506032b6570032100fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const key = await importSigningKey(fromHex("302e020100300506032b657004220420" + secret), "Ed25519", false);
  const signature = await sign(key, fromHex("af82"));
  assertEquals(
    toHex(signature),
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  );
  const verifyKey = await importVerifyKey(spki, "Ed25519");
  assert(await verifySignature(verifyKey, signature, fromHex("af82")));
});

Deno.test("verifySignature() refuses an Ed25519 signature whose second half has the group order added", async () => {
  const { spki, pkcs8 } = await pair("Ed25519");
  const signature = await sign(await importSigningKey(pkcs8, "Ed25519", false), message);
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
  const scalar = BigInt("0x" + toHex(signature.slice(32).reverse())) + ORDER;
  const malleable = concat(signature.subarray(0, 32), fromHex(scalar.toString(16).padStart(64, "0")).reverse());
  assert(!await verifySignature(await importVerifyKey(spki, "Ed25519"), malleable, message));
});

const OPENSSL_SIGN: Record<SignatureAlgorithm, { make: string; sign: string; verify: string }> = {
  Ed25519: {
    make: "genpkey -algorithm ed25519",
    sign: "pkeyutl -sign -rawin -keyform DER -inkey key -in message -out out",
    verify: "pkeyutl -verify -rawin -pubin -keyform DER -inkey spki -in message -sigfile signature",
  },
  ES256: ecdsa("P-256", "sha256"),
  ES384: ecdsa("P-384", "sha384"),
  ES512: ecdsa("P-521", "sha512"),
  PS256: {
    make: "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    sign:
      "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -keyform DER -sign key -out out message",
    verify:
      "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -keyform DER -verify spki -signature signature message",
  },
};

function ecdsa(curve: string, hash: string) {
  return {
    make: `genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${curve}`,
    sign: `dgst -${hash} -keyform DER -sign key -out out message`,
    verify: `dgst -${hash} -keyform DER -verify spki -signature signature message`,
  };
}

for (const algorithm of ALGORITHMS) {
  const { make, sign: signCommand, verify } = OPENSSL_SIGN[algorithm];
  const curve = CURVES[algorithm];
  withOpenssl.test(`sign() and verifySignature() agree with OpenSSL in both directions for ${algorithm}`, async () => {
    const pkcs8 = await openssl([`${make} -out pem`, "pkcs8 -topk8 -nocrypt -in pem -outform DER -out out"]);
    const spki = await openssl(["pkey -inform DER -in key -pubout -outform DER -out out"], { key: pkcs8 });
    const theirs = await openssl([signCommand], { key: pkcs8, message });
    const verifyKey = await importVerifyKey(spki, algorithmOfSpki(spki));
    assert(await verifySignature(verifyKey, curve ? ecdsaRawFromDer(theirs, curve) : theirs, message));

    const raw = await sign(await importSigningKey(pkcs8, algorithm, false), message);
    const ours = curve ? ecdsaDerFromRaw(raw, curve) : raw;
    assert(await opensslAccepts(verify, { spki, signature: ours, message }));
    assert(!await opensslAccepts(verify, { spki, signature: ours, message: utf8("another") }));
  });
}
