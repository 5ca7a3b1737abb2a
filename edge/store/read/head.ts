/** Single values: head, record, statement, and what a login needs. Each is one statement that finds one row. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { type Credentials, forBoth } from "../admit.ts";
import { db, templateOfOne } from "../builder.ts";
import { unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { historyPath, selectHistory } from "./history.ts";

/** The owner's present state, in every answer; both 0 as long as nothing has been committed. */
export interface Current {
  readonly generation: number;
  readonly epoch: number;
}

export interface HeadAnswer extends Current {
  /** Signed head. */
  readonly head: Bytes | null;
}

/** The path of the head that a reader has seen; null if it named none, or none can be told (spec: READ-07). */
export interface WithHistory {
  readonly history: readonly Bytes[] | null;
}

export interface RecordAnswer extends HeadAnswer {
  /** The device's row of table 1; null for the manager. */
  readonly record: Bytes | null;
  /** Signed statement. */
  readonly statement: Bytes | null;
}

/** What the edge knows of a device before it has logged in. */
export interface LoginData extends RecordAnswer, WithHistory {
  readonly record: Bytes;
  readonly registration: number;
  /** SubjectPublicKeyInfo of the key that its login is verified with. */
  readonly publicKey: Bytes;
}

/** What the edge holds of an owner, for the login of its manager. */
export interface ManagerLoginData extends HeadAnswer, WithHistory {
  /** The statement in force; null before the first commit. */
  readonly statement: { readonly number: number; readonly hash: Bytes; readonly signed: Bytes } | null;
}

const selectHead = forBoth((admitted) =>
  templateOfOne<Credentials, HeadAnswer>((p) =>
    sql`SELECT o.generation, o.epoch, o.head FROM owners o WHERE ${admitted(p)} LIMIT 1`
  )
);

const selectRecord = forBoth((admitted) =>
  templateOfOne<Credentials, RecordAnswer>((p) =>
    sql`SELECT o.generation, o.epoch, o.head, o.statement,
      (SELECT r.body FROM devices d JOIN rows r ON r.id = d.row
        WHERE d.owner = o.no AND d.space = o.space AND d.device = ${p.device}
          AND d.born <= o.generation AND d.died > o.generation) AS record
      FROM owners o WHERE ${admitted(p)} LIMIT 1`
  )
);

interface LoginRow extends RecordAnswer {
  readonly record: Bytes;
  readonly registration: number;
  readonly public_key: Bytes;
}

const selectLogin = templateOfOne<{ owner: Bytes; device: Bytes }, LoginRow>((p) =>
  sql`SELECT o.generation, o.epoch, o.head, o.statement, d.registration, d.public_key, r.body AS record
    FROM owners o
    JOIN devices d ON d.owner = o.no AND d.space = o.space AND d.device = ${p.device}
      AND d.born <= o.generation AND d.died > o.generation
    JOIN rows r ON r.id = d.row
    WHERE o.id = ${p.owner} LIMIT 1`
);

const selectOwner = query((p: { owner: Bytes }) =>
  db.selectFrom("owners")
    .select(["generation", "epoch", "head", "statement_number", "statement_hash", "statement"])
    .where("id", "=", p.owner).limit(1)
);

const selectStatement = query((p: { owner: Bytes }) =>
  db.selectFrom("owners").select("statement").where("id", "=", p.owner).limit(1)
);

/** Reads something together with the path of a head that the reader has seen, in one round trip and from one state. */
async function withHistory<R>(
  database: Database,
  statement: Statement<R>,
  owner: Bytes,
  seen: number | undefined,
): Promise<{ row: R | undefined } & WithHistory> {
  if (seen === undefined) return { row: (await database.execute(statement)).rows[0], history: null };
  const [{ rows: [row] }, { rows: nodes }] = await database.batch([statement, selectHistory.bind({ owner, seen })]);
  return { row, history: historyPath(nodes) };
}

/** @param seen the generation of a head that the reader has verified @throws `unauthorized` */
export async function readHead(
  database: Database,
  principal: Principal,
  seen?: number,
): Promise<HeadAnswer & WithHistory> {
  const { row, history } = await withHistory(database, selectHead(principal, {}), principal.owner, seen);
  if (row === undefined) throw unauthorized();
  return { ...row, history };
}

/** @param seen as for {@link readHead} @throws `unauthorized` */
export async function readRecord(
  database: Database,
  principal: Principal,
  seen?: number,
): Promise<RecordAnswer & WithHistory> {
  const { row, history } = await withHistory(database, selectRecord(principal, {}), principal.owner, seen);
  if (row === undefined) throw unauthorized();
  const { generation, epoch, head, statement, record } = row;
  return { generation, epoch, head, statement, record: principal.manager ? null : record, history };
}

/** The signed statement that the edge holds, for everybody; null when there is none. */
export async function readStatement(database: Database, owner: Bytes): Promise<Bytes | null> {
  const { rows: [row] } = await database.execute(selectStatement.bind({ owner }));
  return row?.statement ?? null;
}

/** Null when the owner or the device is not there; the answer to both is the same (spec: CONV-10). */
export async function readLoginData(
  database: Database,
  owner: Bytes,
  device: Bytes,
  seen?: number,
): Promise<LoginData | null> {
  const { row, history } = await withHistory(database, selectLogin.bind({ owner, device }), owner, seen);
  if (row === undefined) return null;
  const { generation, epoch, head, statement, record, registration, public_key: publicKey } = row;
  return { generation, epoch, head, statement, record, registration, publicKey, history };
}

/** Everything empty for an owner that the edge does not know yet. */
export async function readManagerLoginData(database: Database, owner: Bytes, seen?: number): Promise<ManagerLoginData> {
  const { row, history } = await withHistory(database, selectOwner.bind({ owner }), owner, seen);
  if (row === undefined) return { generation: 0, epoch: 0, head: null, statement: null, history: null };
  const { generation, epoch, head, statement_number: number, statement_hash: hash, statement: signed } = row;
  const statement = hash === null || signed === null ? null : { number, hash, signed };
  return { generation, epoch, head, statement, history };
}
