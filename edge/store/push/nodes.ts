/** Taking one body of nodes of a push (spec: PUSH-13, PUSH-14): all of it in one batch, once. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { template } from "../builder.ts";
import { check } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { ALIVE } from "../schema.ts";
import { type NodesBody, type PackedNodes, packNodes } from "./node_checks.ts";
import { bodies, type BodyKind, countBytes, type Place, push, takeOnce } from "./bodies.ts";

const alive = sql.lit(ALIVE);

const NODES: BodyKind = bodies({
  table: "push_nodes",
  mostOf: sql.lit(LIMITS.maxPushNodeBodies),
  taken: (n) => `Body ${n} of the push's nodes`,
  clash: null,
});

type Blocks = Place & { readonly paths: Bytes; readonly places: string };

/** The push and the rows of blocks at the places given, whatever their age. */
const placed = (p: Blocks) =>
  sql`${push(p)} CROSS JOIN json_each(${p.places}) j
    CROSS JOIN rows r ON r.owner = q.owner AND r.space = q.space AND r.tbl = j.value ->> 0
      AND r.token = substr(${p.paths}, j.value ->> 1, j.value ->> 2) AND r.number = 0`;

// What the push did to a path shows by its stamp; only what was there before it can be removed.
const mayReplace = check<Blocks & { readonly removed: number }>((p) =>
  sql`CASE WHEN EXISTS (SELECT 1 FROM ${placed(p)}
      WHERE o.id = ${p.owner} AND (r.born = q.stamp OR r.died = q.stamp)) THEN 'clash'
    WHEN ${p.removed} <> (SELECT COUNT(*) FROM ${placed(p)}
      WHERE o.id = ${p.owner} AND j.value ->> 4 = 0 AND r.died = ${alive}) THEN 'clash' END`
);

// Invisible until the commit: readers are below the stamp.
const markReplaced = template<Blocks, never>((p) =>
  sql`UPDATE rows SET died = (SELECT q.stamp FROM ${push(p)} WHERE o.id = ${p.owner}) WHERE id IN (
    SELECT r.id FROM ${placed(p)} WHERE o.id = ${p.owner} AND r.born < q.stamp AND r.died = ${alive})`
);

const insertBlocks = template<Blocks & { readonly bodies: Bytes }, never>((p) =>
  sql`INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
    SELECT q.owner, q.space, j.value ->> 0, substr(${p.paths}, j.value ->> 1, j.value ->> 2), 0, q.stamp, ${alive},
      j.value ->> 4, substr(${p.bodies}, j.value ->> 3, j.value ->> 4)
    FROM ${push(p)} CROSS JOIN json_each(${p.places}) j WHERE o.id = ${p.owner} AND j.value ->> 4 > 0`
);

type Nodes = Place & { readonly hashes: Bytes; readonly places: string };

const isSameHistory = check<Nodes>((p) =>
  sql`CASE WHEN EXISTS (SELECT 1 FROM ${push(p)} CROSS JOIN json_each(${p.places}) j
      CROSS JOIN history h ON h.owner = q.owner AND h.incarnation = q.incarnation
        AND h.level = j.value ->> 0 AND h.idx = j.value ->> 1
      WHERE o.id = ${p.owner} AND h.hash <> substr(${p.hashes}, j.key * 32 + 1, 32)) THEN 'clash' END`
);
const insertHistory = template<Nodes, never>((p) =>
  sql`INSERT INTO history (owner, incarnation, level, idx, hash)
    SELECT q.owner, q.incarnation, j.value ->> 0, j.value ->> 1, substr(${p.hashes}, j.key * 32 + 1, 32)
    FROM ${push(p)} CROSS JOIN json_each(${p.places}) j WHERE o.id = ${p.owner}
    ON CONFLICT (owner, incarnation, level, idx) DO NOTHING`
);

const count = template<Place & { readonly now: number }, never>((p) =>
  sql`UPDATE pushes SET nodes = nodes + 1, touched = ${p.now}
    WHERE owner = (SELECT no FROM owners WHERE id = ${p.owner}) AND id = ${p.id}`
);

/**
 * Takes body `n` of the nodes of a push; the same bytes again are success without effect.
 *
 * @param digest SHA-256 of the body as it was sent, which `body` was decoded from
 * @param ownerBytes how much all rows and blocks of the owner may take up; null for no limit (spec: PUSH-12)
 * @throws `unauthorized`; `malformed`, `too_large` for what is in it; `not_found`; `conflict` for other bytes under this number, a
 * node that comes twice, a block removed that is not there, or a push that is over
 */
// spec: PUSH-13, PUSH-14
export async function takeNodes(
  database: Database,
  principal: Principal,
  id: Bytes,
  n: number,
  digest: Bytes,
  body: NodesBody,
  now: number,
  ownerBytes: number | null,
): Promise<void> {
  const packed = packNodes(body);
  const arriving = { id, n, digest, bytes: packed.bodies.length, now, ownerBytes };
  await takeOnce(database, NODES, principal, arriving, contents({ owner: principal.owner, id }, packed, now));
}

/** No places. */
const NOTHING = JSON.stringify([]);

function contents({ owner, id }: Place, packed: PackedNodes, now: number): Statement<never>[] {
  const { paths, bodies, places, removed, hashes, historyPlaces } = packed;
  const statements: Statement<never>[] = [];
  if (places !== NOTHING) {
    statements.push(
      mayReplace.bind({ owner, id, paths, places, removed }),
      markReplaced.bind({ owner, id, paths, places }),
      insertBlocks.bind({ owner, id, paths, places, bodies }),
      countBytes.bind({ owner, id, bytes: bodies.length }),
    );
  }
  if (historyPlaces !== NOTHING) {
    const nodes = { owner, id, hashes, places: historyPlaces };
    statements.push(isSameHistory.bind(nodes), insertHistory.bind(nodes));
  }
  statements.push(count.bind({ owner, id, now }));
  return statements;
}
