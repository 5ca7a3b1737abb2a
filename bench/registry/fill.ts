/** A registry as it is when a publisher's fleet has grown: made by its own door, filled by one statement. */
import { join } from "node:path";
import { openDatabase } from "../../shared/database/open.ts";
import { DATABASE_FILE } from "../../scripts/publisher/registry/registry.ts";

/** Of so many instances one was revoked. */
export const REVOKED_EACH = 10_000;

/** Ids are random and leaves spread over a tree of depth 32, as those of instances that register one after the other. */
const FILL = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?),
  member AS (SELECT i * ? AS leaf, i + ? AS time, i % ${REVOKED_EACH} = 0 AS isRevoked FROM n)
  INSERT INTO instances (id, leaf, mdk_version, key_version, registered, revoked, revoked_key_version)
  SELECT randomblob(16), leaf, 1, 1, time, iif(isRevoked, time, NULL), iif(isRevoked, 1, NULL) FROM member`;

/**
 * Fills the registry in a folder, which has nobody in it yet. Their requests are left out: listing does not read them.
 *
 * @param registered when the first was registered, in millis; each next one a millisecond later
 */
export async function fillRegistry(folder: string, instances: number, registered: number): Promise<void> {
  const db = await openDatabase(`file:${join(folder, DATABASE_FILE)}`);
  try {
    await db.execute({ sql: FILL, params: [instances, Math.floor(2 ** 32 / instances), registered] });
  } finally {
    await db.close();
  }
}
