/** How an instance follows its publisher to another root, by the word of the one that it has pinned (shared/spec/cms.md, "Another root"). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { type ReleaseTrust, verifyDetached } from "../cms/verify.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Certificate, readCertificate } from "../x509/certificate.ts";
import { readPem } from "../x509/pem.ts";
import { verifyCertificate } from "../x509/verify.ts";
import type { SignedFile } from "./open_manifest.ts";

/** How an index is verified, but for the root. */
export type TrustBesideRoot = Omit<ReleaseTrust, "roots">;

/**
 * The root in a file of that place: one certificate, DER or PEM.
 *
 * @throws `too_large`, `malformed`, `unsupported`
 */
export function readRootFile(bytes: Bytes): Certificate {
  if (bytes.length > 2 * LIMITS.maxCertificateBytes) {
    throw new PosternError("too_large", "The root's file is too large");
  }
  if (bytes[0] === SEQUENCE) return readCertificate(bytes);
  const [block, another] = readPem(new TextDecoder().decode(bytes));
  if (block?.label === "CERTIFICATE" && another === undefined) return readCertificate(block.bytes);
  throw new PosternError("malformed", "The root's file is not one certificate, in DER or PEM");
}

/** What DER begins with. */
const SEQUENCE = 0x30;

/**
 * Whether an instance that has pinned a root takes another one in its place.
 *
 * @param index the newest index, whose signature has both roots' word
 * @returns the root to be pinned from now on; null if it is the pinned one
 * @throws `untrusted` if the pinned root does not vouch for it; what verifying the index throws; `expired`, `not_yet_valid`
 */
// spec: CMS-23
export async function followRoot(
  offered: Certificate,
  pinned: Certificate,
  index: SignedFile,
  trust: TrustBesideRoot,
): Promise<Certificate | null> {
  if (equalBytes(offered.fingerprint, pinned.fingerprint)) return null;
  const { path } = await verifyDetached(index.content, index.signature, { ...trust, roots: [pinned] });
  // Between the pinned root and the signer: an authority, as every issuer of a path.
  const vouched = path.slice(1, -1).at(-1);
  if (vouched?.subject !== offered.subject || !equalBytes(vouched.spki, offered.spki)) {
    throw new PosternError("untrusted", "The root that is pinned does not vouch for the other root");
  }
  if (isLimited(vouched)) {
    throw new PosternError(
      "untrusted",
      "The other root is an authority that the pinned root has limited: it does not take its place",
    );
  }
  if (!offered.isCa || !offered.isSelfIssued || !(await verifyCertificate(offered, offered.publicKey)).ok) {
    throw new PosternError("untrusted", "The other root is no root: it must be an authority that signed itself");
  }
  // Whatever else a root must be is judged as for one that is pinned.
  await verifyDetached(index.content, index.signature, { ...trust, roots: [offered] });
  return offered;
}

/** An authority below the root, which signs releases from day to day: as a root nothing would bound it, and nobody could revoke it. */
function isLimited({ pathLen, nameConstraints, extKeyUsage }: Certificate): boolean {
  return pathLen !== undefined || nameConstraints !== undefined || extKeyUsage !== undefined;
}
