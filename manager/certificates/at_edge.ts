/** Certificates as a restored manager reads them back from the edge (spec: BACKUP-18). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import type { CertificateContent } from "../../shared/protocol/plaintexts.ts";
import { CERTIFICATE_STATUS } from "../../shared/protocol/tables.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { decideCertificate, findCertificate, insertCertificate, judgeAs } from "./repository.ts";

const READ_BACK = "as it stood at the edge when the manager was restored";

/**
 * Makes a certificate what its row at the edge says. Whether the owner trusts it to vouch for others stands in no row: for one that the
 * backup did not have, that is to be said again.
 *
 * @param subjectNumber its number in the list of its subject
 */
export async function certificateAtEdge(
  db: Database,
  content: CertificateContent,
  subjectNumber: number,
): Promise<Statement<never>> {
  const certificate = readCertificate(content.der);
  const reason = content.status === CERTIFICATE_STATUS.usable ? "" : READ_BACK;
  const known = await findCertificate(db, certificate.fingerprint);
  if (known !== null) return judgeAs({ ...known, status: content.status, reason });
  const { origin, note, added, status } = content;
  return insertCertificate(certificate, {
    status,
    reason,
    origin,
    note,
    added,
    anchor: 0,
    subject_number: subjectNumber,
  });
}

/** A certificate of the backup that the edge does not have waits for the owner. */
export async function doubtCertificate(db: Database, fingerprint: Bytes): Promise<void> {
  await decideCertificate(db, fingerprint, {
    status: "waiting",
    reason: "in the backup, and not at the edge when the manager was restored",
  });
}
