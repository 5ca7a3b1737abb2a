/** The owner's trust as it stands in the database, for judging certificates that are new. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { CERTIFICATE_STATUS } from "../../shared/protocol/tables.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { readPolicy } from "../store/policy.ts";
import { tables } from "../store/tables.ts";
import { checkCertificate, type OwnersTrust, type Verdict } from "./check.ts";
import { findBySubject } from "./repository.ts";

const withStatus = query((p: { status: number }) =>
  tables.selectFrom("certificates").select("fingerprint").where("status", "=", p.status)
);

/** What the owner trusts now. Lookups go to the database, one subject at a time; only the blocked are read beforehand. */
export async function ownersTrust(db: Database, review: OwnersTrust["review"]): Promise<OwnersTrust> {
  const { rows } = await db.execute(withStatus.bind({ status: CERTIFICATE_STATUS.blocked }));
  const blocked = new Set(rows.map(({ fingerprint }) => toHex(fingerprint)));
  const usable = async (subject: string) =>
    (await findBySubject(db, subject)).filter(({ status }) => status === CERTIFICATE_STATUS.usable);
  return {
    anchors: async (subject) =>
      (await usable(subject)).filter(({ anchor }) => anchor === 1).map(({ der }) => readCertificate(der)),
    candidates: async (subject) => (await usable(subject)).map(({ der }) => readCertificate(der)),
    isBlocked: (fingerprint) => blocked.has(toHex(fingerprint)),
    review,
  };
}

/** Judges a certificate that a device handed in, by the owner's policy. `now` in Millis. */
export async function judgeCertificate(db: Database, der: Bytes, now: number): Promise<Verdict> {
  const { review } = await readPolicy(db);
  return await checkCertificate(der, await ownersTrust(db, review), now);
}
