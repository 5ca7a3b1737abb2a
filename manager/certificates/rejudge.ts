/** Looks again at the certificates that wait: what came or was trusted since may vouch for them now. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { LIMITS } from "../../shared/limits.ts";
import { checkCertificate, type OwnersTrust } from "./check.ts";
import { decideCertificate, findCertificate, listCertificates } from "./repository.ts";
import { ownersTrust } from "./trust.ts";

/**
 * Makes usable what waits and now chains to a certificate that the owner trusts; everything else stays as it is.
 *
 * @param now Millis
 * @returns the fingerprints of those that became usable
 */
export async function rejudgeWaiting(
  db: Database,
  review: OwnersTrust["review"],
  now: number,
): Promise<readonly Bytes[]> {
  const usable: Bytes[] = [];
  // Each pass can reach one certificate further down a path.
  for (let pass = 0; pass < LIMITS.maxPathCertificates; pass++) {
    const trust = await ownersTrust(db, review);
    const found: Bytes[] = [];
    for (
      const { fingerprint, held } of await listCertificates(db, { status: "waiting", limit: Number.MAX_SAFE_INTEGER })
    ) {
      // spec: BACKUP-15, BACKUP-18
      if (held === 1) continue;
      const row = await findCertificate(db, fingerprint);
      if (row === null || (await checkCertificate(row.der, trust, now)).status !== "usable") continue;
      await decideCertificate(db, fingerprint, { status: "usable", reason: "" });
      found.push(fingerprint);
    }
    usable.push(...found);
    if (found.length === 0) break;
  }
  return usable;
}
