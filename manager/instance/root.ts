/** Pins another root in the place of the one that a product was followed by. */
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { followRoot, readRootFile, type TrustBesideRoot } from "../../shared/manifest/follow_root.ts";
import type { SignedFile } from "../../shared/manifest/open_manifest.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { noteEvent } from "../audit/note.ts";
import { tables } from "../store/tables.ts";
import { registrationsOf } from "./repository.ts";

const setRoot = query((p: { product: string; root: Bytes }) =>
  tables.updateTable("registrations").set({ root: p.root }).where("product", "=", p.product)
);

/**
 * Follows the publisher of a product to the root that lies beside its index, if the pinned one vouches for it; the change is in the
 * audit trail.
 *
 * @param file of `ROOT_PLACE`
 * @param index the newest index, verified already or not
 * @returns the root that is pinned now if it is another one; null if nothing changed
 * @throws as `followRoot` and `readRootFile`, and the pinned root stays; `not_found` for a product that the instance does not follow
 */
export async function followPublisherRoot(
  db: Database,
  product: string,
  file: Bytes,
  index: SignedFile,
  trust: TrustBesideRoot,
): Promise<Certificate | null> {
  const [{ root: der }] = await registrationsOf(db, product);
  const pinned = readCertificate(der);
  const root = await followRoot(readRootFile(file), pinned, index, trust);
  if (root === null) return null;
  const detail = { root: toHex(root.fingerprint), before: toHex(pinned.fingerprint) };
  await db.batch([
    setRoot.bind({ product, root: root.der }),
    noteEvent("update.configured", product, detail, trust.now),
  ]);
  return root;
}
