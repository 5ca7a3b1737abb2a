/** The path of an earlier head in the history of the present one (spec: READ-07), from the nodes that pushes brought. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { proveInclusion } from "../../../shared/merkle/history_proofs.ts";
import { template } from "../builder.ts";

interface Line {
  /** How many heads the history of the present head has, and which of them was asked for. */
  readonly size: number;
  readonly place: number;
  readonly level: number;
  readonly idx: number;
  readonly hash: Bytes;
}

/**
 * What a path can consist of: on each level the sibling on the way, and the perfect subtree at the right edge. Nothing for a head
 * that is not below the present one, or not of its incarnation.
 */
export const selectHistory = template<{ readonly owner: Bytes; readonly seen: number }, Line>((p) =>
  sql`WITH RECURSIVE me AS (
      SELECT o.no, o.incarnation, o.history AS size, o.history - (o.generation - ${p.seen}) AS place FROM owners o
      WHERE o.id = ${p.owner} AND ${p.seen} < o.generation AND o.generation - ${p.seen} <= o.history
    ), levels AS (
      SELECT 0 AS level, size AS many, place AS at FROM me
      UNION ALL SELECT level + 1, many >> 1, at >> 1 FROM levels WHERE many > 1
    )
    SELECT me.size, me.place, h.level, h.idx, h.hash FROM me CROSS JOIN levels x
    CROSS JOIN history h ON h.owner = me.no AND h.incarnation = me.incarnation AND h.level = x.level
      AND h.idx IN (x.at + 1 - 2 * (x.at & 1), x.many - 1)`
);

/** The path that these nodes come to; null when some are missing. */
export function historyPath(lines: readonly Line[]): Bytes[] | null {
  const [first] = lines;
  if (first === undefined) return null;
  const nodes = new Map(lines.map(({ level, idx, hash }) => [`${level}/${idx}`, hash]));
  let isWhole = true;
  const path = proveInclusion(first.place, first.size, (level, index) => {
    const hash = nodes.get(`${level}/${index}`);
    isWhole &&= hash !== undefined;
    return hash ?? MISSING;
  });
  return isWhole ? path : null;
}

const MISSING: Bytes = new Uint8Array(32);
