/**
 * Private keys in and out, always under a passphrase: the one way by which they leave the manager's database.
 *
 * All kinds take the same form, encrypted PKCS#8 in PEM. X-Wing seeds too, though OpenSSL 3.0 does not know that kind: one
 * command and one file format for every key, readable by other libraries, weighs more than an own format with a MAC. What the
 * format lacks in integrity, the public key that the importer compares makes up for.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import { importXWingSeed } from "../../shared/crypto/xwing.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { readPem, writePem } from "../../shared/x509/pem.ts";
import { decryptPbes2, encryptPbes2 } from "./pbes2.ts";
import { type PrivateKeyKind, readPrivateKeyInfo, xwingSeedOf } from "./private_key_info.ts";

const PEM_LABEL = "ENCRYPTED PRIVATE KEY";

/** As OWASP recommends for PBKDF2 with HMAC-SHA-256; a third of a second on a small machine. */
const ITERATIONS = 600_000;
const SALT_BYTES = 16;
const IV_BYTES = 16;

/** A private key that was read from an export. */
export interface ImportedKey {
  readonly kind: PrivateKeyKind;
  readonly pkcs8: Redacted<Bytes>;
  /**
   * Derived from the private key: DER SubjectPublicKeyInfo, raw for X-Wing. The caller must compare it with the certificate or
   * statement that the key belongs to, because the format does not notice every change.
   */
  readonly publicKey: Bytes;
}

/**
 * Exports a private key as PEM text.
 *
 * @param pkcs8 DER PrivateKeyInfo; for X-Wing as `xwingPrivateKeyInfo` makes it
 * @param passphrase from `passphraseOf`
 * @throws `malformed` or `unsupported` for what is no private key of a kind that Postern uses
 */
export async function exportPrivateKey(
  pkcs8: Redacted<Bytes>,
  passphrase: Redacted<string>,
  random: RandomBytes,
): Promise<string> {
  readPrivateKeyInfo(reveal(pkcs8));
  const parameters = { salt: random(SALT_BYTES), iterations: ITERATIONS, iv: random(IV_BYTES) };
  return writePem(PEM_LABEL, await encryptPbes2(reveal(pkcs8), utf8(reveal(passphrase)), parameters));
}

/**
 * Imports a private key, exported by Postern or encrypted by OpenSSL.
 *
 * @throws `too_large`; `malformed`; `unsupported` for a key that is not encrypted, or in another way; `wrong_key` for a wrong
 * passphrase, or a file that was changed, which the format cannot tell apart
 */
export async function importPrivateKey(pem: string, passphrase: Redacted<string>): Promise<ImportedKey> {
  if (pem.length > LIMITS.maxPrivateKeyPemBytes) {
    throw new PosternError("too_large", `a private key's file has at most ${LIMITS.maxPrivateKeyPemBytes} bytes`);
  }
  const pkcs8 = await decryptPbes2(encryptedBlock(pem), utf8(reveal(passphrase)));
  try {
    const { kind } = readPrivateKeyInfo(pkcs8);
    return { kind, pkcs8: new Redacted(pkcs8), publicKey: await publicKeyOf(kind, pkcs8) };
  } catch (cause) {
    // By chance one wrong passphrase in 256 gives a right padding, and what comes out is noise.
    if (!isPosternError(cause, "malformed")) throw cause;
    throw new PosternError(
      "wrong_key",
      "what this passphrase opens is no private key: it is wrong, or the file was changed",
      { cause },
    );
  }
}

function encryptedBlock(pem: string): Bytes {
  const [block, ...more] = readPem(pem);
  if (block === undefined) throw new PosternError("malformed", `expected a PEM block '${PEM_LABEL}', found none`);
  if (more.length > 0) throw new PosternError("malformed", `expected one PEM block, found ${more.length + 1}`);
  if (block.label === PEM_LABEL) return block.bytes;
  if (block.label.endsWith("PRIVATE KEY")) {
    const advice = "encrypt it first: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000";
    throw new PosternError("unsupported", `a '${block.label}' is not encrypted in the way of PKCS#8; ${advice}`);
  }
  throw new PosternError("malformed", `expected a PEM block '${PEM_LABEL}', found '${block.label}'`);
}

/**
 * The public half of a private key: DER SubjectPublicKeyInfo, raw for X-Wing.
 *
 * @param kind as `readPrivateKeyInfo` tells it
 * @throws `malformed`; `unsupported` for sizes that Postern does not use
 */
export async function publicKeyOf(kind: PrivateKeyKind, pkcs8: Bytes): Promise<Bytes> {
  if (kind === "X-Wing") return (await importXWingSeed(xwingSeedOf(pkcs8))).publicKey;
  let spki: Bytes;
  try {
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
    spki = new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new PosternError("malformed", `the bytes are no private key of the kind ${kind}`, { cause });
  }
  // Refuses sizes that Postern does not use.
  algorithmOfSpki(spki);
  return spki;
}
