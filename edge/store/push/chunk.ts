/** Taking one chunk of a push (spec: PUSH-02 to PUSH-04): all of it in one batch, once. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { template } from "../builder.ts";
import type { Principal } from "../principal.ts";
import { ALIVE } from "../schema.ts";
import { type ChunkBody, packChunk } from "./chunk_checks.ts";
import { bodies, type BodyKind, countBytes, type Place, push, takeOnce } from "./bodies.ts";

const alive = sql.lit(ALIVE);
// One statement for any number of rows: it is prepared once, and a server is sent no thousand parameters.
const insertRows = template<Place & { tokens: Bytes; bodies: Bytes; places: string }, never>((p) =>
  sql`INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
    SELECT q.owner, q.space, j.value ->> 0, substr(${p.tokens}, j.key * 32 + 1, 32), j.value ->> 1, q.stamp, ${alive},
      j.value ->> 3, substr(${p.bodies}, j.value ->> 2, j.value ->> 3)
    FROM ${push(p)} CROSS JOIN json_each(${p.places}) j WHERE o.id = ${p.owner}`
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

const CHUNKS: BodyKind = bodies({
  table: "push_chunks",
  mostOf: sql`q.chunks`,
  taken: (n) => `Chunk ${n} of the push`,
  clash: "The push has a second row of one place or device",
});

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
  const statements = contents({ owner: principal.owner, id }, body, now);
  await takeOnce(database, CHUNKS, principal, { id, n, digest, bytes: sizeOf(body), now, ownerBytes }, statements);
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
