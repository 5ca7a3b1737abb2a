/** What a publisher's authority does: keys and certificates in files, for `publisher_ca` and for the drills that are built on it. */
import { basename, dirname, resolve } from "node:path";
import { type Bytes, equalBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { type Crl, readCrlFile, type Revocation } from "../../shared/x509/crl.ts";
import { writePem } from "../../shared/x509/pem.ts";
import { verifyCrl } from "../../shared/x509/revocation.ts";
import type { CertificateSigner } from "../../shared/x509/write_certificate.ts";
import { issueCrl } from "../../shared/x509/write_crl.ts";
import { writeFileDurably } from "../../manager/files/durable.ts";
import { lockForTask } from "../../manager/files/lock.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { readOneCertificate } from "./pem_files.ts";
import { certificateSignerOfKey, readPrivateKey } from "./private_key.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** Files that everybody may read. */
export const PUBLIC_MODE = 0o644;
const MILLIS_PER_DAY = 86_400_000;

/** A certificate with what signs by its key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly signer: CertificateSigner;
}

/**
 * Opens an authority from its two files.
 *
 * @param passphrase is asked for only when the key is encrypted
 * @throws `wrong_key` when the key is not the certificate's, or the passphrase is wrong; whatever reading them throws
 */
export async function openAuthority(
  certificatePath: string,
  keyPath: string,
  passphrase: () => Promise<Redacted<string> | null>,
  s: ScriptSurroundings,
): Promise<Authority> {
  const certificate = await readOneCertificate(certificatePath, s);
  const key = await readPrivateKey(keyPath, passphrase, s);
  if (!equalBytes(key.spki, certificate.spki)) {
    throw new PosternError("wrong_key", `The key in ${keyPath} is not that of the certificate in ${certificatePath}`);
  }
  return { certificate, signer: await certificateSignerOfKey(key) };
}

/** Passes names that nothing has yet, before a command makes anything: half of a pair would be in the way of the next try. @throws `conflict` */
export async function requireFree(paths: readonly string[], s: ScriptSurroundings): Promise<void> {
  for (const path of paths) {
    try {
      await Deno.lstat(resolve(s.cwd, path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw fromOsError(error, `look at ${path}`);
    }
    throw new PosternError("conflict", `${path} exists already, and is not replaced`);
  }
}

/** Certificates as a file has them. */
export function certificateFile(...certificates: readonly Certificate[]): Bytes {
  return utf8(certificates.map(({ der }) => writePem("CERTIFICATE", der)).join(""));
}

/**
 * Locks a revocation list from before it is read until the next one is in its place: what another process revokes meanwhile would be
 * lost. The lock is a hidden file beside it.
 *
 * @throws `conflict` when another process makes the next one; `not_found` when there is no such folder; `storage`
 */
export async function lockCrl(path: string, s: ScriptSurroundings): Promise<AsyncDisposable> {
  const file = resolve(s.cwd, path);
  const busy = `Another process makes the next list ${path}`;
  return await lockForTask(dirname(file), busy, { pid: s.pid, sinceMillis: s.now() }, `.${basename(file)}.lock`);
}

/**
 * The revocation list in a file.
 *
 * @throws `not_found` when there is none: to begin with another list would forget who is revoked; `signature` when it is not this
 * authority's; `malformed`, `unsupported`, `storage`
 */
export async function readOwnCrl(path: string, { certificate }: Authority, s: ScriptSurroundings): Promise<Crl> {
  let file: Bytes;
  try {
    file = await readBounded(resolve(s.cwd, path), 2 * LIMITS.maxCrlBytes);
  } catch (cause) {
    if (!isPosternError(cause, "not_found")) throw cause;
    const advice = "look at the path; publisher_ca.ts crl --anew begins the first list of an authority";
    throw new PosternError("not_found", `There is no revocation list ${path}: ${advice}`, { cause });
  }
  const [crl, another] = readCrlFile(file);
  if (crl === undefined || another !== undefined || crl.issuer !== certificate.subject) {
    throw new PosternError("signature", `${path} is not one revocation list of this authority`);
  }
  const wrong = await verifyCrl(crl, certificate, s.now());
  if (wrong !== undefined) throw new PosternError(wrong.code, `${path}: ${wrong.message}`);
  return crl;
}

/** A change to a list. */
export interface CrlChange {
  readonly revoke: readonly { readonly certificate: Certificate; readonly revocation: Revocation }[];
  /** How long the new list is in force. */
  readonly days: number;
}

/**
 * The next list: everything that the one before had, and what is revoked now, with the next number and the present time.
 *
 * @param before null for the first one
 * @throws `usage` for a certificate that this authority did not issue; `clock` when the one before is from the future
 */
export async function nextCrl(
  { certificate, signer }: Authority,
  before: Crl | null,
  { revoke, days }: CrlChange,
  now: number,
): Promise<Crl> {
  if (before !== null && before.thisUpdate > now) {
    throw new PosternError("clock", "The list before this one was made later than now: look at the clock");
  }
  const revoked = new Map(before?.revoked ?? []);
  for (const { certificate: one, revocation } of revoke) {
    if (one.issuer !== certificate.subject) {
      throw new PosternError("usage", "This authority did not issue the certificate that is to be revoked");
    }
    // What is revoked stays so, with the time and reason that it had.
    if (!revoked.has(one.serial)) revoked.set(one.serial, revocation);
  }
  const number = before === null ? 1n : (before.number ?? 0n) + 1n;
  const fields = { number, thisUpdate: now, nextUpdate: now + days * MILLIS_PER_DAY, revoked };
  return await issueCrl(certificate, signer, fields);
}

/** A list as its file has it. */
export function crlFile(crl: Crl): Bytes {
  return utf8(writePem("X509 CRL", crl.der));
}

/** Replaces the list in a file. */
export async function writeCrl(path: string, crl: Crl, s: ScriptSurroundings): Promise<void> {
  await writeFileDurably(resolve(s.cwd, path), crlFile(crl), PUBLIC_MODE);
}

/** From now on for so many days. */
export function validFor(days: number, now: number): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: now, notAfter: now + days * MILLIS_PER_DAY };
}
