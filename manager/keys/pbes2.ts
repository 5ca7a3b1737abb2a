/**
 * Encrypted PKCS#8 (RFC 5958 section 3) by PBES2 (RFC 8018 section 6.2): PBKDF2 with HMAC-SHA-256 and AES-256-CBC, the one form
 * that every tool of the last twenty years opens.
 *
 * The format has no authentication: a wrong passphrase shows by what comes out being no key, and a changed byte may give
 * another key. Whoever imports one compares its public key with what is known of it.
 */
import { type Bytes, EMPTY, equalBytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { readAlgorithm } from "../../shared/der/algorithm.ts";
import { DerReader, type Element, readSmallInteger, readWhole, TAG } from "../../shared/der/read.ts";
import { element, oid, sequence, unsigned } from "../../shared/der/write.ts";

/** RFC 8018 appendix A and C. */
const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const HMAC_SHA256 = "1.2.840.113549.2.9";
const AES256_CBC = "2.16.840.1.101.3.4.1.42";

const PRFS: Readonly<Record<string, string>> = {
  [HMAC_SHA256]: "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

const AES_KEY_BITS = 256;
const IV_BYTES = 16;
const NULL: Bytes = element(TAG.null, EMPTY);

/** What the encryption takes beside the passphrase. */
export interface Pbes2Parameters {
  /** Name of a hash for WebCrypto. */
  readonly prf: string;
  readonly salt: Bytes;
  readonly iterations: number;
  readonly iv: Bytes;
}

/** An EncryptedPrivateKeyInfo, DER. The hash is SHA-256. */
export async function encryptPbes2(
  plain: Bytes,
  password: Bytes,
  parameters: Omit<Pbes2Parameters, "prf">,
): Promise<Bytes> {
  const { salt, iterations, iv } = parameters;
  const key = await deriveKey(password, { ...parameters, prf: "SHA-256" }, "encrypt");
  const encrypted = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key, plain));
  const octets = (bytes: Uint8Array): Bytes => element(TAG.octetString, bytes);
  const count = Uint8Array.of(iterations >> 24, iterations >> 16, iterations >> 8, iterations);
  const derivation = sequence(oid(PBKDF2), sequence(octets(salt), unsigned(count), sequence(oid(HMAC_SHA256), NULL)));
  const scheme = sequence(oid(PBES2), sequence(derivation, sequence(oid(AES256_CBC), octets(iv))));
  return sequence(scheme, octets(encrypted));
}

/**
 * What was encrypted.
 *
 * @throws `malformed`; `unsupported` for another scheme, or a number of iterations out of bounds; `wrong_key` when the padding
 * is wrong, which a wrong passphrase nearly always makes it
 */
export async function decryptPbes2(der: Bytes, password: Bytes): Promise<Bytes> {
  const { parameters, encrypted } = readEncrypted(der);
  const key = await deriveKey(password, parameters, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: parameters.iv }, key, encrypted));
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;
    throw new PosternError("wrong_key", "the passphrase does not open this private key, or its file was changed", {
      cause,
    });
  }
}

function readEncrypted(der: Bytes): { parameters: Pbes2Parameters; encrypted: Bytes } {
  const what = "encrypted private key";
  const reader = new DerReader(readWhole(der, TAG.sequence, what), what);
  const scheme = algorithm(reader.expect(TAG.sequence, what), PBES2, "PBES2");
  const encrypted = reader.expect(TAG.octetString, what).content.slice();
  reader.end();
  const parts = new DerReader(scheme, "PBES2 parameters");
  const derivation = algorithm(parts.expect(TAG.sequence, "PBES2 parameters"), PBKDF2, "PBKDF2");
  const cipher = readAlgorithm(parts.expect(TAG.sequence, "PBES2 parameters"), "encryption scheme");
  parts.end();
  if (cipher.oid !== AES256_CBC) throw otherScheme(`the cipher ${cipher.oid}`);
  const iv = cipher.parameters?.tag === TAG.octetString ? cipher.parameters.content.slice() : EMPTY;
  if (iv.length !== IV_BYTES) {
    throw new PosternError("malformed", "the initialisation vector of AES-256-CBC has 16 bytes");
  }
  return { parameters: { ...readDerivation(derivation), iv }, encrypted };
}

/** PBKDF2-params of RFC 8018 appendix A.2. */
function readDerivation(content: Bytes): Omit<Pbes2Parameters, "iv"> {
  const what = "PBKDF2 parameters";
  const reader = new DerReader(content, what);
  if (reader.peek() !== TAG.octetString) throw otherScheme("a salt from elsewhere");
  const salt = reader.next().content.slice();
  const iterations = readSmallInteger(reader.expect(TAG.integer, what).content, what);
  const keyBytes = reader.optional(TAG.integer);
  if (keyBytes !== undefined && readSmallInteger(keyBytes.content, what) !== AES_KEY_BITS / 8) {
    throw new PosternError("malformed", "the length of the derived key is not that of AES-256");
  }
  // Absent means HMAC-SHA-1.
  const prf = reader.done ? undefined : readAlgorithm(reader.expect(TAG.sequence, what), what);
  reader.end();
  const hash = PRFS[prf?.oid ?? ""];
  if (hash === undefined || prf?.parameters === undefined || !equalBytes(prf.parameters.whole, NULL)) {
    throw otherScheme(`the hash ${prf?.oid ?? "SHA-1"}`);
  }
  if (salt.length < 8 || salt.length > LIMITS.maxPbes2SaltBytes) throw otherScheme(`a salt of ${salt.length} bytes`);
  if (iterations < LIMITS.minPbkdf2Iterations || iterations > LIMITS.maxPbkdf2Iterations) {
    throw otherScheme(`${iterations} iterations`);
  }
  return { prf: hash, salt, iterations };
}

/** The parameters of an algorithm that must be this one. */
function algorithm(sequence: Element, expected: string, name: string): Bytes {
  const found = readAlgorithm(sequence, name);
  if (found.oid !== expected) throw otherScheme(found.oid);
  return readWhole(found.parameters?.whole ?? EMPTY, TAG.sequence, name);
}

function otherScheme(found: string): PosternError {
  const form = "PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC";
  const advice = "openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 converts it";
  return new PosternError(
    "unsupported",
    `the private key must be encrypted by ${form}; this one has ${found}; ${advice}`,
  );
}

async function deriveKey(password: Bytes, parameters: Pbes2Parameters, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveKey"]);
  const { salt, iterations, prf } = parameters;
  const pbkdf2 = { name: "PBKDF2", hash: prf, salt, iterations };
  return await crypto.subtle.deriveKey(pbkdf2, base, { name: "AES-CBC", length: AES_KEY_BITS }, false, [use]);
}
