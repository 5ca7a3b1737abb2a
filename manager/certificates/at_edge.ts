/** Certificates as a restored manager reads them back from the edge (spec: BACKUP-18). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { toFlag } from "../../shared/database/query.ts";
import type { CertificateContent } from "../../shared/protocol/plaintexts.ts";
import { CERTIFICATE_STATUS } from "../../shared/protocol/tables.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { decideCertificate, findCertificate, insertCertificate, judgeAs } from "./repository.ts";

/**
 * Makes a certificate what its row at the edge says.
 *
 * @param subjectNumber its number in the list of its subject
 */
export async function certificateAtEdge(
  db: Database,
  content: CertificateContent,
  subjectNumber: number,
): Promise<Statement<never>> {
  const certificate = readCertificate(content.der);
  const { origin, note, added, status, reason } = content;
  // Whether one that waits was in doubt, its row does not say.
  const held = toFlag(status === CERTIFICATE_STATUS.waiting);
  const judged = { status, reason, anchor: toFlag(content.isAnchor), held };
  const known = await findCertificate(db, certificate.fingerprint);
  if (known !== null) return judgeAs({ ...known, ...judged });
  return insertCertificate(certificate, { ...judged, origin, note, added, subject_number: subjectNumber });
}

/**
 * A certificate of the backup that the edge does not have vouches for nobody and waits for the owner's own word; one that was blocked
 * stays so.
 *
 * @returns whether it waits
 */
export async function doubtCertificate(db: Database, fingerprint: Bytes): Promise<boolean> {
  const found = await findCertificate(db, fingerprint);
  if (found === null || found.status === CERTIFICATE_STATUS.blocked) return false;
  await decideCertificate(db, fingerprint, {
    ...{ status: "waiting", isAnchor: false, isHeld: true },
    reason: "in the backup, and not at the edge when the manager was restored",
  });
  return true;
}
