/** Certificates from PEM files. */
import { resolve } from "node:path";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { readPem } from "../../shared/x509/pem.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

const SEQUENCE = 0x30;

/**
 * All certificates of a file: one in DER, or any number in PEM, where other blocks (a key, a request) are passed over.
 *
 * @throws `malformed` when there is none; `not_found`, `storage`, `too_large`, `unsupported`
 */
export async function readCertificates(
  path: string,
  s: ScriptSurroundings,
): Promise<readonly [Certificate, ...Certificate[]]> {
  const file = await readBounded(resolve(s.cwd, path), LIMITS.maxCertificateFileBytes);
  const [first, ...others] = bytesOf(file).map(readCertificate);
  if (first === undefined) throw new PosternError("malformed", `${path} holds no certificate: expected PEM or DER`);
  return [first, ...others];
}

/** The only certificate of a file. @throws as {@link readCertificates}; `malformed` when there are more */
export async function readOneCertificate(path: string, s: ScriptSurroundings): Promise<Certificate> {
  const [certificate, another] = await readCertificates(path, s);
  if (another !== undefined) throw new PosternError("malformed", `${path} holds several certificates; expected one`);
  return certificate;
}

function bytesOf(file: Bytes): readonly Bytes[] {
  if (file[0] === SEQUENCE) return [file];
  const blocks = readPem(new TextDecoder().decode(file));
  return blocks.filter(({ label }) => label === "CERTIFICATE").map(({ bytes }) => bytes);
}

/** A public key from PEM: DER SubjectPublicKeyInfo. @throws `malformed`; `not_found`, `storage`, `too_large` */
export async function readPublicKey(path: string, s: ScriptSurroundings): Promise<Bytes> {
  const text = new TextDecoder().decode(await readBounded(resolve(s.cwd, path), LIMITS.maxPrivateKeyPemBytes));
  const [block, another] = readPem(text);
  if (block?.label !== "PUBLIC KEY" || another !== undefined) {
    throw new PosternError("malformed", `${path} is not one PEM block 'PUBLIC KEY'`);
  }
  return block.bytes;
}
