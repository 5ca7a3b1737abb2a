/**
 * The KEK from a private key in a PEM file: RSA (RSAES-OAEP, SHA-256) or EC (HPKE with an ephemeral key for each record). X-Wing keys,
 * as `postern key export` writes them, work too, and stand up to a quantum computer.
 *
 * A certificate's key is one that an organisation keeps anyway; on the same disk it protects as much as a key file does, unless it is
 * encrypted.
 */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { openHpke, sealHpke } from "../../shared/crypto/hpke.ts";
import { type HpkePrivateKey, type HpkeSuite, importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bytesOf, bytesUpTo, textUpTo } from "../../shared/protocol/shapes.ts";
import { readPem } from "../../shared/x509/pem.ts";
import { requirePrivateFile } from "../files/permissions.ts";
import { readBounded } from "../files/read_bounded.ts";
import { envelopeKek } from "./envelope.ts";
import { importPrivateKey } from "./export.ts";
import { KEK_LABELS } from "./labels.ts";
import { type PrivateKeyKind, readPrivateKeyInfo, xwingSeedOf } from "./private_key_info.ts";
import type { KekProvider } from "./provider.ts";

export const PKI_KIND = "pki";

const SUITES: Readonly<Partial<Record<PrivateKeyKind, HpkeSuite>>> = {
  ...{ RSA: "rsa-oaep-256", "P-256": "p256", "P-384": "p384", "P-521": "p521", "X-Wing": "xwing" },
};

const parameters = v.strictObject({
  suite: textUpTo(32, 1),
  /** SHA-256 of the public key. */
  key: bytesOf(32),
  encapsulated: bytesUpTo(LIMITS.maxEncapsulatedBytes),
  ciphertext: bytesUpTo(LIMITS.maxWrappedKeyBytes, 1),
});

/**
 * Opens a private key that nobody else may read: PEM, PKCS#8, encrypted or not.
 *
 * @param uid the user that the manager runs as, null where the system has none
 * @param passphrase asked for if the key is encrypted
 * @throws `configuration` for a file that others may read; `not_found`, `storage`, `malformed`; `unsupported` for a key that can only
 * sign; `wrong_key` for a wrong passphrase
 */
export async function openPkiKek(
  path: string,
  uid: number | null,
  passphrase: () => Promise<Redacted<string>>,
  random: RandomBytes,
): Promise<KekProvider> {
  const file = await readBounded(path, LIMITS.maxPrivateKeyPemBytes, requirePrivateFile(path, uid));
  const key = await privateKeyOf(new TextDecoder("latin1").decode(file), path, passphrase);
  return pkiKek(key, `private key ${path} (${key.suite})`, random);
}

/** The KEK of a private key. */
function pkiKek(privateKey: HpkePrivateKey, description: string, random: RandomBytes): KekProvider {
  const { suite, publicKey } = privateKey;
  const key = sha256(publicKey);
  return envelopeKek({
    ...{ kind: PKI_KIND, description, parameters },
    async protect(secret, context) {
      const sealed = await sealHpke(suite, publicKey, info(suite, key, context), reveal(secret));
      return { suite: suite as string, key, ...sealed };
    },
    async recover(found, context) {
      if (found.suite !== suite || !constantTimeEqual(found.key, key)) {
        const advice = "name the file of that one with --pki-key";
        throw new PosternError("wrong_key", `this is not the private key that the key was wrapped by: ${advice}`);
      }
      return new Redacted(await openHpke(suite, privateKey, info(suite, key, context), found));
    },
  }, random);
}

function info(suite: HpkeSuite, key: Bytes, context: Bytes): Bytes {
  return encodeCbor([KEK_LABELS.kek, PKI_KIND, suite, key, context]);
}

async function privateKeyOf(
  pem: string,
  path: string,
  passphrase: () => Promise<Redacted<string>>,
): Promise<HpkePrivateKey> {
  const blocks = readPem(pem).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const [block] = blocks;
  if (block === undefined || blocks.length > 1) {
    throw new PosternError("malformed", `${path} must hold one private key in PEM, and holds ${blocks.length}`);
  }
  switch (block.label) {
    case "PRIVATE KEY":
      return await importFor(block.bytes, path);
    case "ENCRYPTED PRIVATE KEY":
      return await importFor(reveal((await importPrivateKey(pem, await passphrase())).pkcs8), path);
    default: {
      const advice = `make it PKCS#8: openssl pkcs8 -topk8 -in ${path} -out NEW`;
      throw new PosternError("unsupported", `${path} is a '${block.label}', of the form before PKCS#8; ${advice}`);
    }
  }
}

async function importFor(pkcs8: Bytes, path: string): Promise<HpkePrivateKey> {
  const { kind } = readPrivateKeyInfo(pkcs8);
  const suite = SUITES[kind];
  if (suite === undefined) {
    throw new PosternError("unsupported", `${path} is an ${kind} key, which can only sign: take an RSA or EC key`);
  }
  return await importHpkeKey(suite, suite === "xwing" ? xwingSeedOf(pkcs8) : pkcs8);
}
