/**
 * Bodies of a push, whatever is in them: each comes in once, all of it in one batch, and the same bytes again have no effect
 * (spec: PUSH-02, PUSH-13).
 */
import { type RawBuilder, sql } from "kysely";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { failedConstraint } from "../../../shared/database/failures.ts";
import type { Query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { template, templateOfOne } from "../builder.ts";
import { check, failedCheck, refusal } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { notOpen } from "./state.ts";

/** A push, by its owner and its id. */
export type Place = { readonly owner: Bytes; readonly id: Bytes };
/** A body, by its number. */
type BodyPlace = Place & { readonly n: number };

/** The push itself; CROSS JOIN keeps it in front, so that the lists given are walked once. */
export const push = (p: Place): RawBuilder<unknown> =>
  sql`owners o CROSS JOIN pushes q ON q.owner = o.no AND q.id = ${p.id}`;

/** Counts bytes of rows and blocks to the push's space. */
export const countBytes = template<Place & { readonly bytes: number }, never>((p) =>
  sql`UPDATE spaces SET bytes = bytes + ${p.bytes} WHERE no = (SELECT q.space FROM ${push(p)} WHERE o.id = ${p.owner})`
);

/** What it takes to find out whether a body may come in. */
interface Taking extends Credentials, BodyPlace {
  readonly stale: number;
  /** Of what is to be stored. */
  readonly bytes: number;
  /** That all of the owner's rows may have. */
  readonly most: number;
}

/** How bodies of one kind are named, numbered and kept. */
interface BodyNames {
  /** Which of them have arrived. */
  readonly table: "push_chunks" | "push_nodes";
  /** Numbers are below this; `q` is the push. */
  readonly mostOf: RawBuilder<unknown>;
  /** Names a body in errors. */
  readonly taken: (n: number) => string;
  /** What is said when something in a body stood there already; null where nothing can. */
  readonly clash: string | null;
}

/** The statements for bodies of one kind. */
export interface BodyKind extends BodyNames {
  readonly mayTake: Query<Taking, never>;
  readonly insert: Query<BodyPlace & { readonly digest: Bytes }, never>;
  readonly selectDigest: Query<BodyPlace, { digest: Bytes }>;
}

export function bodies(names: BodyNames): BodyKind {
  const table = sql.table(names.table);
  // A body that is there already adds nothing, and is found out by its number.
  const isTooMuch = (p: Taking) =>
    sql`(SELECT IFNULL(SUM(s.bytes), 0) FROM spaces s WHERE s.owner = o.no) + ${p.bytes} > ${p.most}
      AND NOT EXISTS (SELECT 1 FROM ${table} c WHERE c.owner = o.no AND c.push = ${p.id} AND c.n = ${p.n})`;
  return {
    ...names,
    mayTake: check<Taking>((p) =>
      sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' ELSE (
        SELECT CASE ${notOpen(p.stale)} WHEN ${p.n} >= ${names.mostOf} THEN 'chunk_number'
          WHEN ${p.bytes} > 0 AND ${isTooMuch(p)} THEN 'owner_full' END
        FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id} WHERE o.id = ${p.owner}) END`
    ),
    insert: template<BodyPlace & { readonly digest: Bytes }, never>((p) =>
      sql`INSERT INTO ${table} (owner, push, n, digest)
        SELECT no, ${p.id}, ${p.n}, ${p.digest} FROM owners WHERE id = ${p.owner}`
    ),
    selectDigest: templateOfOne<BodyPlace, { digest: Bytes }>((p) =>
      sql`SELECT c.digest FROM owners o JOIN ${table} c ON c.owner = o.no AND c.push = ${p.id} AND c.n = ${p.n}
        WHERE o.id = ${p.owner} LIMIT 1`
    ),
  };
}

/** A body that arrives. */
export interface Arriving {
  /** Of the push. */
  readonly id: Bytes;
  readonly n: number;
  /** SHA-256 of the body as it was sent. */
  readonly digest: Bytes;
  /** Of what it stores. */
  readonly bytes: number;
  readonly now: number;
  /** How much all of the owner's rows and blocks may take up; null for no limit (spec: PUSH-12). */
  readonly ownerBytes: number | null;
}

/**
 * Takes a body, once.
 *
 * @param contents what storing it takes
 * @throws `unauthorized`; `too_large`; `not_found`; `conflict` for other bytes under this number, something that stood there already, or
 * a push that is over
 */
export async function takeOnce(
  database: Database,
  { mayTake, insert, selectDigest, table, taken, clash }: BodyKind,
  principal: Principal,
  { id, n, digest, bytes, now, ownerBytes }: Arriving,
  contents: readonly Statement<never>[],
): Promise<void> {
  const place = { owner: principal.owner, id, n };
  const values = {
    ...{ ...credentials(principal), ...place, bytes },
    stale: now - LIMITS.pushIdleMillis,
    most: ownerBytes ?? Number.MAX_SAFE_INTEGER,
  };
  try {
    await database.batch([mayTake.bind(values), insert.bind({ ...place, digest }), ...contents], {
      idempotent: true,
    });
  } catch (error) {
    const reason = failedCheck(error);
    if (reason !== undefined) throw refusal(reason, error);
    const twice = takenTwice(error);
    if (twice === undefined) throw error;
    if (twice !== table) {
      if (clash === null) throw error;
      throw new PosternError("conflict", clash, { cause: error });
    }
    const { rows: [held] } = await database.execute(selectDigest.bind(place));
    if (held === undefined || !equalBytes(held.digest, digest)) {
      throw new PosternError("conflict", `${taken(n)} has arrived with other bytes`, { cause: error });
    }
  }
}

/** The table in which a key stood already. */
function takenTwice(error: unknown): string | undefined {
  const failed = failedConstraint(error);
  return failed?.kind === "unique" ? failed.name.split(".")[0] : undefined;
}
