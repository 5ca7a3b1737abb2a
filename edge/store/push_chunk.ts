/** Taking one chunk of a push (spec: PUSH-02 to PUSH-04): all of it in one batch, once. */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { failedConstraint } from "../../shared/database/failures.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type Credentials, credentials, managerAdmitted } from "./admit.ts";
import { template, templateOfOne } from "./builder.ts";
import { check, failedCheck, refusal } from "./checks.ts";
import { type ChunkBody, packChunk } from "./chunk_checks.ts";
import type { Principal } from "./principal.ts";
import { notOpen } from "./push_state.ts";
import { ALIVE } from "./schema.ts";

type Place = { readonly owner: Bytes; readonly id: Bytes };
type ChunkPlace = Place & { readonly n: number };

const alive = sql.lit(ALIVE);
/** The push itself; CROSS JOIN keeps it in front, so that the lists given are walked once. */
const push = (p: Place) => sql`owners o CROSS JOIN pushes q ON q.owner = o.no AND q.id = ${p.id}`;

interface Taking extends Credentials, ChunkPlace {
  readonly stale: number;
  /** Of the rows. */
  readonly bytes: number;
  /** That all of the owner's rows may have. */
  readonly most: number;
}

// A chunk that is there already adds nothing, and is found out by its number.
const isTooMuch = (p: Taking) =>
  sql`(SELECT IFNULL(SUM(s.bytes), 0) FROM spaces s WHERE s.owner = o.no) + ${p.bytes} > ${p.most}
    AND NOT EXISTS (SELECT 1 FROM push_chunks c WHERE c.owner = o.no AND c.push = ${p.id} AND c.n = ${p.n})`;

const mayTake = check<Taking>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' ELSE (
    SELECT CASE ${notOpen(p.stale)} WHEN ${p.n} >= q.chunks THEN 'chunk_number'
      WHEN ${p.bytes} > 0 AND ${isTooMuch(p)} THEN 'owner_full' END
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id} WHERE o.id = ${p.owner}) END`
);

const insertChunk = template<ChunkPlace & { readonly digest: Bytes }, never>((p) =>
  sql`INSERT INTO push_chunks (owner, push, n, digest)
    SELECT no, ${p.id}, ${p.n}, ${p.digest} FROM owners WHERE id = ${p.owner}`
);

// One statement for any number of rows: it is prepared once, and a server is sent no thousand parameters.
const insertRows = template<Place & { tokens: Bytes; bodies: Bytes; places: string }, never>((p) =>
  sql`INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
    SELECT q.owner, q.space, j.value ->> 0, substr(${p.tokens}, j.key * 32 + 1, 32), j.value ->> 1, q.stamp, ${alive},
      j.value ->> 3, substr(${p.bodies}, j.value ->> 2, j.value ->> 3)
    FROM ${push(p)} CROSS JOIN json_each(${p.places}) j WHERE o.id = ${p.owner}`
);

const countBytes = template<Place & { readonly bytes: number }, never>((p) =>
  sql`UPDATE spaces SET bytes = bytes + ${p.bytes} WHERE no = (SELECT q.space FROM ${push(p)} WHERE o.id = ${p.owner})`
);

const insertDevice = template<
  Place & { device: Bytes; registration: number; key: Bytes; token: Bytes; number: number },
  never
>((p) =>
  sql`INSERT INTO devices (owner, space, device, born, died, registration, row, public_key)
    SELECT q.owner, q.space, ${p.device}, q.stamp, ${alive}, ${p.registration}, r.id, ${p.key}
    FROM ${push(p)} CROSS JOIN rows r ON r.owner = q.owner AND r.space = q.space AND r.tbl = 1
      AND r.token = ${p.token} AND r.number = ${p.number} AND r.born = q.stamp
    WHERE o.id = ${p.owner}`
);

// Invisible until the commit: readers are below the stamp. Nothing is born before the stamp of a full push, so it
// removes nothing.
const markRemoved = template<Place & { tokens: Bytes; places: string }, never>((p) =>
  sql`UPDATE rows SET died = (SELECT q.stamp FROM ${push(p)} WHERE o.id = ${p.owner}) WHERE id IN (
    SELECT r.id FROM ${push(p)} CROSS JOIN json_each(${p.places}) j
    CROSS JOIN rows r ON r.owner = q.owner AND r.space = q.space AND r.tbl = j.value ->> 0
      AND r.token = substr(${p.tokens}, j.key * 32 + 1, 32) AND r.number = j.value ->> 1
    WHERE o.id = ${p.owner} AND r.born < q.stamp AND r.died = ${alive})`
);

interface Counts extends Record<string, Bytes | number> {
  readonly owner: Bytes;
  readonly id: Bytes;
  readonly now: number;
  readonly a1: number;
  readonly a2: number;
  readonly a3: number;
  readonly a4: number;
  readonly r1: number;
  readonly r2: number;
  readonly r3: number;
  readonly r4: number;
}

const count = template<Counts, never>((p) =>
  sql`UPDATE pushes SET received = received + 1, touched = ${p.now},
    added_devices = added_devices + ${p.a1}, added_certificates = added_certificates + ${p.a2},
    added_messages = added_messages + ${p.a3}, added_changes = added_changes + ${p.a4},
    removed_devices = removed_devices + ${p.r1}, removed_certificates = removed_certificates + ${p.r2},
    removed_messages = removed_messages + ${p.r3}, removed_changes = removed_changes + ${p.r4}
    WHERE owner = (SELECT no FROM owners WHERE id = ${p.owner}) AND id = ${p.id}`
);

const selectDigest = templateOfOne<ChunkPlace, { digest: Bytes }>((p) =>
  sql`SELECT c.digest FROM owners o JOIN push_chunks c ON c.owner = o.no AND c.push = ${p.id} AND c.n = ${p.n}
    WHERE o.id = ${p.owner} LIMIT 1`
);

/**
 * Takes chunk `n` of a push; the same bytes again are success without effect.
 *
 * @param digest SHA-256 of the body as it was sent, which `body` was decoded from
 * @param ownerBytes how much all rows of the owner may take up; null for no limit (spec: PUSH-12)
 * @throws `unauthorized`; `malformed`, `too_large` for what is in it; `not_found`; `conflict` for other bytes under
 * this number, a second row at one place or of one device, or a push that is over
 */
export async function takeChunk(
  database: Database,
  principal: Principal,
  id: Bytes,
  n: number,
  digest: Bytes,
  body: ChunkBody,
  now: number,
  ownerBytes: number | null,
): Promise<void> {
  const place = { owner: principal.owner, id, n };
  const values = {
    ...credentials(principal),
    ...place,
    stale: now - LIMITS.pushIdleMillis,
    bytes: sizeOf(body),
    most: ownerBytes ?? Number.MAX_SAFE_INTEGER,
  };
  const statements = [mayTake.bind(values), insertChunk.bind({ ...place, digest }), ...contents(place, body, now)];
  try {
    await database.batch(statements, { idempotent: true });
  } catch (error) {
    const reason = failedCheck(error);
    if (reason !== undefined) throw refusal(reason, error);
    const table = takenTwice(error);
    if (table === undefined) throw error;
    if (table !== "push_chunks") {
      throw new PosternError("conflict", `The push has a second row of one place or device`, { cause: error });
    }
    const { rows: [held] } = await database.execute(selectDigest.bind(place));
    if (held === undefined || !equalBytes(held.digest, digest)) {
      throw new PosternError("conflict", `Chunk ${n} of the push has arrived with other bytes`, { cause: error });
    }
  }
}

function sizeOf({ rows }: ChunkBody): number {
  return rows.reduce((sum, row) => sum + row.length, 0);
}

function contents(place: Place, body: ChunkBody, now: number): Statement<never>[] {
  const { owner, id } = place;
  const chunk = packChunk(body);
  const statements: Statement<never>[] = [];
  const { bodies, tokens, places } = chunk;
  if (body.rows.length > 0) {
    statements.push(insertRows.bind({ owner, id, bodies, tokens, places }));
    statements.push(countBytes.bind({ owner, id, bytes: sizeOf(body) }));
  }
  for (const { extra: { device, registration, publicKey: key }, token, number } of chunk.devices) {
    statements.push(insertDevice.bind({ owner, id, device, registration, key, token, number }));
  }
  if (body.remove.length > 0) {
    statements.push(markRemoved.bind({ owner, id, tokens: chunk.removedTokens, places: chunk.removedPlaces }));
  }
  const [a1, a2, a3, a4] = chunk.added;
  const [r1, r2, r3, r4] = chunk.removed;
  statements.push(count.bind({ owner, id, now, a1, a2, a3, a4, r1, r2, r3, r4 }));
  return statements;
}

/** The table in which a key stood already. */
function takenTwice(error: unknown): string | undefined {
  const failed = failedConstraint(error);
  return failed?.kind === "unique" ? failed.name.split(".")[0] : undefined;
}
