/** Heads of this incarnation that somebody was shown and this manager never signed (spec: HEAD-07, INBOX-12). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { HeadAlarm } from "../../shared/protocol/head.ts";
import { tables } from "../store/tables.ts";
import { findHead } from "./repository.ts";
import { LIMITS } from "../../shared/limits.ts";

/** A head as somebody saw it. */
export interface SeenHead {
  readonly generation: number;
  readonly hash: Bytes;
}

const find = query((p: { generation: number; hash: Bytes }) =>
  tables.selectFrom("forks").select("cleared").where("generation", "=", p.generation).where("hash", "=", p.hash)
);
const count = compile(tables.selectFrom("forks").select((e) => e.fn.countAll<number>().as("count")));
const insert = query((p: { generation: number; hash: Bytes; found: number }) =>
  tables.insertInto("forks").values({ generation: p.generation, hash: p.hash, found: p.found, cleared: null })
    .onConflict((c) => c.columns(["generation", "hash"]).doNothing())
);
const firstOpen = compile(
  tables.selectFrom("forks").select(["generation", "found"]).where("cleared", "is", null).orderBy("id").limit(1),
);
const clear = query((p: { cleared: number }) =>
  tables.updateTable("forks").set({ cleared: p.cleared }).where("cleared", "is", null)
);

/**
 * How a head that somebody saw stands to those that this manager signed: its own; a fork; or one that the owner knows of and has
 * cleared. Its incarnation must be the present one.
 */
export async function judgeSeen(db: Database, seen: SeenHead): Promise<"own" | "fork" | "cleared"> {
  const own = await findHead(db, seen.generation);
  if (own !== null && equalBytes(own.hash, seen.hash)) return "own";
  const [known] = (await db.execute(find.bind({ generation: seen.generation, hash: seen.hash }))).rows;
  return known === undefined || known.cleared === null ? "fork" : "cleared";
}

/** Notes a fork; from then on every head says so (spec: HEAD-07). @param now Millis */
export async function recordFork(db: Database, { generation, hash }: SeenHead, now: number): Promise<void> {
  if (((await db.execute(count)).rows[0]?.count ?? 0) >= LIMITS.maxForks) return;
  await db.execute(insert.bind({ generation, hash, found: now }));
}

/** What the next head says of forks: the first one that the owner has not cleared. */
export async function headAlarm(db: Database): Promise<HeadAlarm | null> {
  const [open] = (await db.execute(firstOpen)).rows;
  return open === undefined ? null : { generation: open.generation, time: open.found };
}

/** The owner knows of all forks found so far; returns how many there were. @param now Millis */
export async function clearForks(db: Database, now: number): Promise<number> {
  return (await db.execute(clear.bind({ cleared: now }))).changes;
}
