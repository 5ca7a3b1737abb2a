/** Owner statements: signed by the root, numbered, all of them kept (shared/spec/head.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import {
  type EdgeName,
  type OwnerStatement,
  signStatement,
  type VerifiedStatement,
  verifyStatement,
} from "../../shared/protocol/statement.ts";
import { META, readBytes } from "../store/meta.ts";
import { tables } from "../store/tables.ts";
import { newestKey, signingKey } from "./keys.ts";

const newest = compile(
  tables.selectFrom("statements").selectAll().orderBy("number", "desc").limit(1),
);
const inOrder = compile(tables.selectFrom("statements").select("signed").orderBy("number"));
const byNumber = query((p: { number: number }) =>
  tables.selectFrom("statements").selectAll().where("number", "=", p.number).limit(1)
);
const insert = query((p: { number: number; signed: Bytes; created: number }) =>
  tables.insertInto("statements").values({ number: p.number, signed: p.signed, created: p.created })
);

/** Stores a signed statement, before anybody sees it. */
export function putStatement(number: number, signed: Bytes, now: number): Statement<never> {
  return insert.bind({ number, signed, created: now });
}

/** The statement in force, verified anew: a damaged database must not speak for the owner. */
export async function currentStatement(db: Database): Promise<VerifiedStatement> {
  const { rows: [row] } = await db.execute(newest);
  if (row === undefined) {
    throw new PosternError("storage", "The manager's database has no owner statement: run init first");
  }
  return await verifyStatement(row.signed, await readBytes(db, META.owner));
}

/** An earlier statement, or null. */
export async function findStatement(db: Database, number: number): Promise<VerifiedStatement | null> {
  const { rows: [row] } = await db.execute(byNumber.bind({ number }));
  return row === undefined ? null : await verifyStatement(row.signed, await readBytes(db, META.owner));
}

/** All that there ever were, the oldest first. */
export async function allStatements(db: Database): Promise<VerifiedStatement[]> {
  const owner = await readBytes(db, META.owner);
  const { rows } = await db.execute(inOrder);
  return await Promise.all(rows.map(({ signed }) => verifyStatement(signed, owner)));
}

/** Signs the next statement, with other edges or the newest keys; it takes effect with the next push. */
export async function issueStatement(
  db: Database,
  change: { readonly edges?: readonly EdgeName[] },
  now: number,
): Promise<VerifiedStatement> {
  const { root, bytes: _bytes, signed: _signed, hash: _hash, ...current } = await currentStatement(db);
  const next: OwnerStatement = {
    ...current,
    number: current.number + 1,
    managerKey: (await newestKey(db, "manager")).public_key,
    inboxKey: (await newestKey(db, "inbox")).public_key,
    edges: change.edges ?? current.edges,
    time: now,
  };
  const { sign } = await signingKey(db, "root");
  const signed = await signStatement(root, next, sign);
  await db.execute(putStatement(next.number, signed, now));
  return await verifyStatement(signed, next.owner);
}
