/** The owner's line in a dump: statement and head as they are signed, and what the edge's own columns say of them. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { decodeSignedHead, requireHeadSignature, type SignedHead } from "../../../shared/protocol/head.ts";
import { type VerifiedStatement, verifyStatement } from "../../../shared/protocol/statement.ts";
import { TABLE_NAMES } from "../../../shared/protocol/tables.ts";
import { findStatement } from "../../owner/statement.ts";
import type { Dump } from "./open_dump.ts";
import { blob, dumpTables, integer, present } from "./schema.ts";

/** Signed bytes with what is signed in them, signature and CBOR heads included. */
const MAX_SIGNED_HEAD = LIMITS.maxHeadBytes + LIMITS.maxSignatureBytes + 16;
const MAX_SIGNED_STATEMENT = LIMITS.maxStatementBytes + LIMITS.maxCertificateBytes + LIMITS.maxSignatureBytes + 16;

const owners = query((p: { id: Bytes }) =>
  dumpTables.selectFrom("owners").select([
    ...[integer("no", "no"), integer("space", "space"), integer("generation", "generation"), integer("epoch", "epoch")],
    ...[integer("history", "history"), integer("statement_number", "statementNumber")],
    ...[blob("incarnation", 16, "incarnation"), blob("head_hash", 32, "headHash")],
    ...[blob("statement_hash", 32, "statementHash"), blob("head", MAX_SIGNED_HEAD, "head")],
    ...[blob("statement", MAX_SIGNED_STATEMENT, "statement")],
  ]).where("id", "=", p.id).limit(2)
);
const spaces = query((p: { no: number; owner: number }) =>
  dumpTables.selectFrom("spaces").select(TABLE_NAMES.map((name) => integer(name, name)))
    .where("no", "=", p.no).where("owner", "=", p.owner).limit(2)
);

/** Where an owner's rows are, and what was signed of them. */
export interface OwnerLine {
  readonly no: number;
  readonly space: number;
  readonly statement: VerifiedStatement;
  readonly signed: SignedHead;
}

/**
 * Reads and verifies statement and head.
 *
 * @param db the manager's, whose statements the one in the dump must be among
 * @returns null when the edge held nothing of the owner
 * @throws `malformed`; `tampered` for what is not signed, or said otherwise by a column; `forked` for a statement that this manager did
 * not issue
 */
// spec: STORE-04, STMT-01, HEAD-02
export async function readOwner(db: Database, dump: Dump, owner: Bytes): Promise<OwnerLine | null> {
  const { rows: [line, second] } = await dump.execute(owners.bind({ id: owner }));
  if (second !== undefined) throw new PosternError("tampered", "The dump has two lines of the same owner");
  if (line === undefined || line.generation === 0) return null;
  const statement = await asSigned(() => verifyStatement(present(line.statement, "owner statement"), owner));
  await requireOwn(db, statement);
  const signed = await asSigned(async () => {
    const decoded = decodeSignedHead(present(line.head, "head"));
    await requireHeadSignature(decoded, statement.managerKey);
    return decoded;
  });
  const { head, hash } = signed;
  requireSame([
    [head.statement.number === statement.number && equalBytes(head.statement.hash, statement.hash), "statement"],
    [equalBytes(head.owner, owner) && equalBytes(head.incarnation, statement.incarnation), "incarnation"],
  ], "The head is not of the owner statement beside it: another");
  requireSame([
    [line.generation === head.generation, "generation"],
    [line.epoch === head.epoch, "epoch"],
    [line.history === head.history.size, "size of the history"],
    [line.statementNumber === statement.number, "statement number"],
    [equalBytes(present(line.incarnation, "incarnation"), head.incarnation), "incarnation"],
    [equalBytes(present(line.headHash, "head hash"), hash), "head hash"],
    [equalBytes(present(line.statementHash, "statement hash"), statement.hash), "statement hash"],
  ], "The edge's own line says another thing than the signed head: the");
  const no = present(line.no, "owner number");
  const space = present(line.space, "space");
  const { rows: [counts] } = await dump.execute(spaces.bind({ no: space, owner: no }));
  requireSame(
    TABLE_NAMES.map((name) => [counts?.[name] === head.tables[name].count, `number of rows of ${name}`]),
    "The edge's own count is not that of the signed head: the",
  );
  return { no, space, statement, signed };
}

async function requireOwn(db: Database, { number, hash }: VerifiedStatement): Promise<void> {
  const own = await findStatement(db, number);
  if (own !== null && equalBytes(own.hash, hash)) return;
  throw new PosternError(
    "forked",
    `The dump holds owner statement ${number}, which this database did not issue: it is an old copy, or another manager runs`,
  );
}

/** Where only signed bytes may be, other bytes are somebody else's. */
async function asSigned<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!isPosternError(cause, "malformed") && !isPosternError(cause, "too_large")) throw cause;
    throw new PosternError("tampered", `The dump holds what nobody signed: ${cause.message}`, { cause });
  }
}

function requireSame(claims: readonly (readonly [isSame: boolean, name: string])[], what: string): void {
  const other = claims.find(([isSame]) => !isSame);
  if (other !== undefined) throw new PosternError("tampered", `${what} ${other[1]}`);
}
