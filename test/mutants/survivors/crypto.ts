/** Survivors in the code of keys, ciphers and signatures. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const CRYPTO: readonly Survivor[] = [
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
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/crypto/hpke.ts", "if (!(cause instanceof HpkeError)) throw cause;", NEVER],
    [
      "shared/crypto/hpke.ts",
      'if (!(cause instanceof HpkeError) && !isPosternError(cause, "malformed")) throw cause;',
      NEVER,
    ],
  ),
  ...because(
    "Both ways give the same (hkdf.test.ts, x25519.test.ts), and the runtime's own is quicker",
    ["shared/crypto/hkdf.ts", "const { hkdfSync } = nativeCrypto ?? {};", "?? becomes &&"],
    [
      "shared/crypto/hkdf.ts",
      "if (hkdfSync === undefined || info.length > MAX_NATIVE_INFO_BYTES) {",
      ALWAYS,
      "=== becomes !==",
      "> becomes >=",
    ],
  ),
  ...because(
    "A key that is public and stays inside of a function: whether the runtime would give it out again says nothing",
    [
      "shared/crypto/x25519.ts",
      'const imported = await crypto.subtle.importKey("raw", publicKey, "X25519", true, []);',
      "true becomes false",
    ],
    [
      "shared/crypto/ml_kem.ts",
      'const key = await kemSubtle().importKey("raw-public", publicKey, NAME, true, ["encapsulateBits"]);',
      "true becomes false",
    ],
    [
      "shared/crypto/ed25519.ts",
      'const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);',
      "false becomes true",
    ],
  ),
  ...because(
    "Deno's own import refuses the same points and lengths; the check is there for runtimes that do not",
    ["shared/crypto/ecdh.ts", "requirePoint(curve, point);", ["the check is taken out", 1]],
    ["shared/crypto/hpke.ts", "await requireHpkePublicKey(suite, publicKey);", "the check is taken out"],
    ["shared/crypto/hpke.ts", "await requireHpkePublicKey(privateKey.suite, encapsulated);", "the check is taken out"],
  ),
];
