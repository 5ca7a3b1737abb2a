/** Every head the manager ever signed; one is stored before anybody sees it (spec: HEAD-05). */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { META, readNumber } from "../store/meta.ts";
import type { HeadsTable } from "../store/schema_push.ts";
import { tables } from "../store/tables.ts";

const newest = compile(tables.selectFrom("heads").selectAll().orderBy("generation", "desc").limit(1));
// From the newest down: there are hundreds of thousands in a year, and hardly ever more than one that is not committed.
const newestCommitted = compile(
  tables.selectFrom("heads").select("generation").where("committed", "=", sql.lit(1)).orderBy("generation", "desc")
    .limit(1),
);
const byGeneration = query((p: { generation: number }) =>
  tables.selectFrom("heads").selectAll().where("generation", "=", p.generation).limit(1)
);
const after = query((p: { generation: number; limit: number }) =>
  tables.selectFrom("heads").selectAll().where("generation", ">", p.generation).orderBy("generation").limit(p.limit)
);
const numbersAfter = query((p: { generation: number }) =>
  tables.selectFrom("heads").select("generation").where("generation", ">", p.generation).orderBy("generation")
);
const loadAfter = query((p: { generation: number }) =>
  tables.selectFrom("heads").select((e) => [
    e.fn.countAll<number>().as("heads"),
    e.fn.coalesce(e.fn.sum<number>(e.fn<number>("length", ["signed"])), e.lit(0)).as("bytes"),
    e.fn.count<number>("statement").distinct().as("statements"),
    e.fn.coalesce(e.fn.min<number>(e.fn<number>("length", ["signed"])), e.lit(1)).as("shortest"),
  ]).where("generation", ">", p.generation)
);
const insert = query((p: { generation: number; hash: Bytes; statement: number; signed: Bytes; time: number }) =>
  tables.insertInto("heads").values({
    ...{ generation: p.generation, hash: p.hash, statement: p.statement, signed: p.signed, time: p.time, committed: 0 },
  })
);
const confirm = query((p: { generation: number }) =>
  tables.updateTable("heads").set({ committed: 1 }).where("generation", "=", p.generation)
);
const unconfirm = compile(tables.updateTable("heads").set({ committed: 0 }).where("committed", "=", sql.lit(1)));
const strip = query((p: { from: number; to: number; nothing: Bytes }) =>
  tables.updateTable("heads").set({ signed: p.nothing }).where("generation", ">", p.from).where(
    "generation",
    "<=",
    p.to,
  )
    .where((e) => e(e.fn<number>("length", ["signed"]), ">", 0))
);

/** The newest head signed, whether the edge has it or not. */
export async function newestHead(db: Database): Promise<HeadsTable | null> {
  return (await db.execute(newest)).rows[0] ?? null;
}

/** The generation of the next head to be signed; after a restore they leave a gap (spec: BACKUP-17). */
export async function nextGeneration(db: Database): Promise<number> {
  return Math.max((await newestHead(db))?.generation ?? 0, await readNumber(db, META.generationFloor)) + 1;
}

/** The newest generation that the edge confirmed, 0 if none. */
export async function committedGeneration(db: Database): Promise<number> {
  return (await db.execute(newestCommitted)).rows[0]?.generation ?? 0;
}

export async function findHead(db: Database, generation: number): Promise<HeadsTable | null> {
  return (await db.execute(byGeneration.bind({ generation }))).rows[0] ?? null;
}

/** Signed heads after a generation, oldest first: what a commit carries. */
export async function headsAfter(db: Database, generation: number, limit: number): Promise<readonly HeadsTable[]> {
  return (await db.execute(after.bind({ generation, limit }))).rows;
}

/** Generations of the heads signed after one, oldest first: after a restore they leave a gap (spec: BACKUP-17). */
export async function generationsAfter(db: Database, generation: number): Promise<readonly number[]> {
  return (await db.execute(numbersAfter.bind({ generation }))).rows.map((row) => row.generation);
}

/** Whether a commit on this generation has room for the heads since, one more, and their statements (spec: CONV-08). */
export async function fitsCommit(db: Database, generation: number): Promise<boolean> {
  const { rows: [load] } = await db.execute(loadAfter.bind({ generation }));
  if (load === undefined) return true;
  const { heads, bytes, statements, shortest } = load;
  return heads < LIMITS.maxCommitHeads && bytes <= MAX_CARRIED_BYTES && statements < LIMITS.maxCommitStatements &&
    shortest > 0;
}

/** Of one body, what is left beside a largest head and the largest statements. */
const MAX_CARRIED_BYTES = LIMITS.maxBodyBytes - 2 * LIMITS.maxHeadBytes -
  LIMITS.maxCommitStatements * (LIMITS.maxStatementBytes + LIMITS.maxCertificateBytes);

/** Stores a signed head. The primary key refuses a second head of one generation (spec: HEAD-05). */
export function putHead(signed: Bytes): Statement<never> {
  const { head, hash } = decodeSignedHead(signed);
  const { generation, time, statement } = head;
  return insert.bind({ generation, hash, statement: statement.number, signed, time });
}

/** Notes that the edge holds this generation. */
export function headCommitted(generation: number): Statement<never> {
  return confirm.bind({ generation });
}

/** Notes that the edge holds none of them any more, by the manager's own order. */
export function forgetCommitted(): Statement<never> {
  return unconfirm;
}

/** Heads that are kept whole: as many as a commit could carry. */
const WHOLE_HEADS = LIMITS.maxCommitHeads;
/** More than come between two turns. */
const STRIPPED_AT_ONCE = 64;

/** Drops the bytes of heads that nobody will be sent any more; their hashes stay (spec: INBOX-12). */
export async function stripOldHeads(db: Database): Promise<void> {
  const last = await newestHead(db);
  const to = (last?.generation ?? 0) - WHOLE_HEADS;
  if (to > 0) await db.execute(strip.bind({ from: to - STRIPPED_AT_ONCE, to, nothing: new Uint8Array(0) }));
}
