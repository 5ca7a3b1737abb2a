/** Every head the manager ever signed; one is stored before anybody sees it (spec: HEAD-05). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { SignedHead } from "../../shared/protocol/head.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import type { HeadsTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

const newest = compile(tables.selectFrom("heads").selectAll().orderBy("generation", "desc").limit(1));
const byGeneration = query((p: { generation: number }) =>
  tables.selectFrom("heads").selectAll().where("generation", "=", p.generation).limit(1)
);
const after = query((p: { generation: number; limit: number }) =>
  tables.selectFrom("heads").selectAll().where("generation", ">", p.generation).orderBy("generation").limit(p.limit)
);
const insert = query((p: { generation: number; hash: Bytes; signed: Bytes; time: number }) =>
  tables.insertInto("heads").values({
    ...{ generation: p.generation, hash: p.hash, signed: p.signed, time: p.time, committed: 0 },
  })
);
const confirm = query((p: { generation: number }) =>
  tables.updateTable("heads").set({ committed: 1 }).where("generation", "<=", p.generation).where("committed", "=", 0)
);

/** The newest head signed, whether the edge has it or not. */
export async function newestHead(db: Database): Promise<HeadsTable | null> {
  return (await db.execute(newest)).rows[0] ?? null;
}

export async function findHead(db: Database, generation: number): Promise<HeadsTable | null> {
  return (await db.execute(byGeneration.bind({ generation }))).rows[0] ?? null;
}

/** Signed heads after a generation, oldest first: what a commit carries. */
export async function headsAfter(db: Database, generation: number, limit: number): Promise<readonly HeadsTable[]> {
  return (await db.execute(after.bind({ generation, limit }))).rows;
}

/** Stores a signed head. The primary key refuses a second head of one generation (spec: HEAD-05). */
export function putHead(signed: Bytes): Statement<never> {
  const { head, hash }: SignedHead = decodeSignedHead(signed);
  return insert.bind({ generation: head.generation, hash, signed, time: head.time });
}

/** Notes that the edge holds this generation. */
export function headCommitted(generation: number): Statement<never> {
  return confirm.bind({ generation });
}
