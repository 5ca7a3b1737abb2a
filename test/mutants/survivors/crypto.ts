/** Survivors in the code of keys, ciphers and signatures. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const CRYPTO: readonly Survivor[] = [
  ...because(
    "The public half is thrown away, whatever it may do",
    [
      "shared/crypto/hpke_keys.ts",
      'const usages: KeyUsage[] = usage === "decrypt" ? ["encrypt", usage] : [usage];',
      NEVER,
    ],
  ),
  ...because(
    "Takes the runtime's own ML-KEM or the portable one, which give the same (xwing.test.ts); the rest is for runtimes that lack it",
    [
      "shared/crypto/ml_kem.ts",
      'if (typeof kemSubtle().decapsulateBits !== "function") return false;',
      NEVER,
      ALWAYS,
      "false becomes true",
    ],
    ["shared/crypto/ml_kem.ts", "return true;", "true becomes false"],
    [
      "shared/crypto/ml_kem.ts",
      'if (cause instanceof DOMException && cause.name === "NotSupportedError") return false;',
      NEVER,
      ALWAYS,
      "&& becomes ||",
      "=== becomes !==",
      "false becomes true",
    ],
    ["shared/crypto/ml_kem.ts", "throw cause;", "the throw is taken out"],
    [
      "shared/crypto/xwing.ts",
      "return await hasNativeMlKem() ? await importNative(seed) : await importPortable(seed);",
      ALWAYS,
    ],
    ["shared/crypto/xwing.ts", "return await hasNativeMlKem() ? new NativeXWing() : new XWing();", NEVER, ALWAYS],
  ),
  ...because(
    "Deno's import refuses nothing that was read as a usable key",
    ["shared/crypto/rsa_oaep.ts", "if (!(cause instanceof DOMException)) throw cause;", NEVER, ALWAYS],
    [
      "shared/crypto/rsa_oaep.ts",
      'throw new PosternError("malformed", "expected an RSA public key, found numbers that are none", { cause });',
      "the throw is taken out",
    ],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/crypto/rsa_oaep.ts", "if (!(cause instanceof DOMException)) throw cause;", [NEVER, 2]],
    ["shared/crypto/signature.ts", "if (!(cause instanceof DOMException)) throw cause;", NEVER],
    ["shared/crypto/x25519.ts", "if (!(cause instanceof DOMException)) throw cause;", NEVER],
    ["shared/crypto/signature.ts", 'if (algorithm !== "PS256") throw cause;', NEVER],
    [
      "shared/crypto/x25519.ts",
      'if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;',
      NEVER,
      "|| becomes &&",
    ],
    [
      "shared/crypto/xwing.ts",
      'if (!recipient) throw new PosternError("usage", "this X-Wing KEM was made for sealing");',
      NEVER,
    ],
    [
      "shared/crypto/aead.ts",
      'if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;',
      NEVER,
      "|| becomes &&",
    ],
    ["shared/crypto/ecdh.ts", "if (!(cause instanceof DOMException)) throw cause;", NEVER],
    ["shared/crypto/hpke.ts", "if (!(cause instanceof HpkeError)) throw cause;", NEVER],
    [
      "shared/crypto/hpke.ts",
      'if (!(cause instanceof HpkeError) && !(cause instanceof PosternError && cause.code === "malformed")) throw cause;',
      NEVER,
      ["&& becomes ||", 1],
    ],
    [
      "shared/crypto/rsa_oaep.ts",
      "if (!(cause instanceof DOMException) && !(cause instanceof RangeError)) throw cause;",
      NEVER,
    ],
  ),
  ...because(
    "WebCrypto has no curve beside those of the table",
    ["shared/crypto/signature.ts", "return name !== undefined && name in BY_CURVE;", "&& becomes ||"],
  ),
  ...because(
    "A key that is public: whether the runtime would give it out again says nothing",
    [
      "shared/crypto/x25519.ts",
      'const imported = await crypto.subtle.importKey("raw", publicKey, "X25519", true, []);',
      "true becomes false",
    ],
    [
      "shared/crypto/ecdh.ts",
      'return await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: curve }, true, []);',
      "true becomes false",
    ],
    [
      "shared/crypto/ml_kem.ts",
      'const key = await kemSubtle().importKey("raw-public", publicKey, NAME, true, ["encapsulateBits"]);',
      "true becomes false",
    ],
    [
      "shared/crypto/rsa_oaep.ts",
      'return await crypto.subtle.importKey("spki", spki, ALGORITHM, true, ["encrypt"]);',
      "true becomes false",
    ],
    [
      "shared/crypto/signature.ts",
      'crypto.subtle.importKey("spki", spki, ALGORITHMS[algorithm].key, true, ["verify"]),',
      "true becomes false",
    ],
  ),
  ...because(
    "Deno refuses a key of small order itself; this is for runtimes that do not",
    ["shared/crypto/x25519.ts", "if (shared.every((byte) => byte === 0)) throw smallOrder(undefined);", NEVER],
  ),
  ...because(
    "openHpke() looked at the length before",
    [
      "shared/crypto/xwing.ts",
      'if (encapsulated.length !== XWING_CIPHERTEXT_BYTES) throw new RangeError("not an X-Wing encapsulation");',
      NEVER,
    ],
  ),
  ...because(
    "Without a secret the library fails as well, and openHpke() says the same",
    ["shared/crypto/xwing.ts", "throw new DecapError(cause);", "the throw is taken out"],
  ),
  ...because(
    "Beyond the end there is nothing, which changes no bit and no byte",
    [
      "shared/crypto/equal.ts",
      "for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);",
      "< becomes <=",
    ],
    [
      "shared/crypto/hkdf.ts",
      "for (let at = 0, counter = 1; at < length; at += SHA256_BYTES, counter++) {",
      "< becomes <=",
    ],
  ),
  ...because(
    "No point of these curves, whose order is odd, has a y of 0: with y = p it is refused as lying beside the curve",
    [
      "shared/crypto/ec_point.ts",
      'if (x >= p || y >= p) throw malformed(curve, "a coordinate that is not below the prime");',
      [">= becomes >", 1],
    ],
  ),
  ...because(
    "Deno's own import refuses the same points and lengths; the check is there for runtimes that do not",
    ["shared/crypto/ecdh.ts", "requirePoint(curve, point);", ["the check is taken out", 1]],
    ["shared/crypto/hpke.ts", "await requireHpkePublicKey(suite, publicKey);", "the check is taken out"],
    [
      "shared/crypto/hpke.ts",
      'if (privateKey.suite !== "x25519") requirePoint(SUITE_CURVES[privateKey.suite], encapsulated);',
      "the check is taken out",
      NEVER,
    ],
    ["shared/crypto/signature.ts", "if (signature.length !== signatureBytes(key)) return false;", NEVER],
    [
      "shared/crypto/rsa_oaep.ts",
      'if (ciphertext.length !== modulusBytes(privateKey)) throw new RangeError("not as long as the modulus");',
      NEVER,
    ],
  ),
];
