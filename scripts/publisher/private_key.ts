/** A publisher's private keys in PEM files: PKCS#8, with a passphrase or without, and the older forms that OpenSSL writes. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { resolve } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { algorithmOfSpki, exportPkcs8, exportSpki, generateSigningKey } from "../../shared/crypto/signature.ts";
import { importSigningKey, sign, type SignatureAlgorithm } from "../../shared/crypto/signature.ts";
import type { CmsAlgorithm } from "../../shared/cms/algorithms.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { writePem } from "../../shared/x509/pem.ts";
import type { CertificateSigner } from "../../shared/x509/write_certificate.ts";
import { judgePermissions, type PathState, type PermissionFinding } from "../../manager/files/permissions.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { exportPrivateKey, importPrivateKey } from "../../manager/keys/export.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** A private key that was read; what it signs with follows from it. */
export interface PrivateKey {
  readonly pkcs8: Redacted<Bytes>;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly algorithm: SignatureAlgorithm;
  /** Whether the file needed a passphrase. */
  readonly isEncrypted: boolean;
}

/**
 * Reads a private key. One that neither a passphrase nor its file's mode protects is taken, since others make such files, but not in
 * silence.
 *
 * @param passphrase is asked for only when the key is encrypted; undefined if there is none
 * @throws `usage` when the key is encrypted and there is no passphrase; `wrong_key`, `malformed`, `unsupported`, `not_found`, `storage`
 */
export async function readPrivateKey(
  path: string,
  passphrase: () => Promise<Redacted<string> | null>,
  s: ScriptSurroundings,
): Promise<PrivateKey> {
  let exposure: PermissionFinding | undefined;
  const inspect = (state: PathState) => void ([exposure] = judgePermissions({ path, kind: "file" }, state, s.uid));
  const pem = new TextDecoder().decode(await readBounded(resolve(s.cwd, path), LIMITS.maxPrivateKeyPemBytes, inspect));
  const labels = labelsOf(pem);
  const isEncrypted = labels.includes("ENCRYPTED PRIVATE KEY");
  if (!isEncrypted) {
    if (exposure !== undefined) {
      const { problem, found, remedy } = exposure;
      s.err(`warning: others may have the key in ${path}, its ${problem} is ${found}; run: ${remedy}\n`);
    }
    return readPlain(path, pem);
  }
  const secret = await passphrase();
  if (secret === null) {
    const advice = "name its passphrase with --passphrase-file or --passphrase-fd";
    throw new PosternError("usage", `The key in ${path} is encrypted: ${advice}`);
  }
  const { pkcs8, publicKey } = await importPrivateKey(pem, secret);
  return { pkcs8, spki: publicKey, algorithm: algorithmOfSpki(publicKey), isEncrypted };
}

function labelsOf(pem: string): readonly string[] {
  return [...pem.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----/gm)].map(([, label = ""]) => label);
}

function readPlain(path: string, pem: string): PrivateKey {
  let pkcs8: Bytes;
  let spki: Bytes;
  try {
    const key = createPrivateKey({ key: pem, format: "pem" });
    pkcs8 = new Uint8Array(key.export({ format: "der", type: "pkcs8" }));
    spki = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const advice = "expected PEM of PKCS#8: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 makes it";
    throw new PosternError("malformed", `${path} is no private key; ${advice}`, { cause });
  }
  return { pkcs8: new Redacted(pkcs8), spki, algorithm: algorithmOfSpki(spki), isEncrypted: false };
}

/** What signs with a key. @param algorithm the key's own, or `RS256` for an RSA key */
export async function signerOfKey(
  key: PrivateKey,
  algorithm: CmsAlgorithm = key.algorithm,
): Promise<(bytes: Bytes) => Promise<Bytes>> {
  if (algorithm !== "RS256") {
    const imported = await importSigningKey(reveal(key.pkcs8), algorithm, false);
    return (bytes) => sign(imported, bytes);
  }
  const parameters = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("pkcs8", reveal(key.pkcs8), parameters, false, ["sign"]);
  return async (bytes) => new Uint8Array(await crypto.subtle.sign(parameters.name, imported, bytes));
}

/** The same for certificates and revocation lists. */
export async function certificateSignerOfKey(key: PrivateKey): Promise<CertificateSigner> {
  return { algorithm: key.algorithm, sign: await signerOfKey(key) };
}

/** Algorithms of new keys by the names of `--algorithm`. */
export const KEY_ALGORITHMS = {
  ed25519: "Ed25519",
  p256: "ES256",
  p384: "ES384",
  p521: "ES512",
  rsa3072: "PS256",
  rsa4096: "PS256",
} as const;

/** One of {@link KEY_ALGORITHMS}. */
export type KeyAlgorithm = keyof typeof KEY_ALGORITHMS;

const RSA_4096 = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 4_096, publicExponent: Uint8Array.of(1, 0, 1) };

/** A new key. */
export async function newPrivateKey(name: KeyAlgorithm): Promise<PrivateKey> {
  const algorithm = KEY_ALGORITHMS[name];
  const pair = name === "rsa4096"
    ? await crypto.subtle.generateKey(RSA_4096, true, ["sign", "verify"])
    : await generateSigningKey(algorithm, true);
  const pkcs8 = new Redacted(await exportPkcs8(pair.privateKey));
  return { pkcs8, spki: await exportSpki(pair.publicKey), algorithm, isEncrypted: false };
}

/** A key as its file has it, encrypted if there is a passphrase. */
export async function privateKeyFile(
  { pkcs8 }: PrivateKey,
  passphrase: Redacted<string> | null,
  s: ScriptSurroundings,
): Promise<Bytes> {
  const pem = passphrase === null
    ? writePem("PRIVATE KEY", reveal(pkcs8))
    : await exportPrivateKey(pkcs8, passphrase, s.random);
  return utf8(pem);
}
