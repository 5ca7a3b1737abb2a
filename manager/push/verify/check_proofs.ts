/** Whether the edge proves what it was pushed, asked and judged as a device would (spec: PUSH-15). */
import { type Bytes, concat, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { KEY_BYTES, type Leaf, TOKEN_BYTES, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import type { EdgeLink } from "../../edge/link.ts";
import { tables } from "../../store/tables.ts";
import { leafOf } from "./read_back.ts";

/** Where a row stands. */
interface Place {
  readonly token: Bytes;
  readonly number: number;
}

const listFrom = query((p: { epoch: number; tbl: number; token: Bytes }) =>
  tables.selectFrom("leaves").select(["token", "number"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where("token", ">=", p.token).orderBy("token").orderBy("number").limit(1)
);
const lastUpTo = query((p: { epoch: number; tbl: number; token: Bytes; number: number }) =>
  tables.selectFrom("leaves").select(["token", "number"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where("token", "=", p.token).where("number", "<=", p.number).orderBy("number", "desc").limit(1)
);

/** What is asked for, and by whom. */
export interface ProofCheck {
  readonly db: Database;
  readonly link: EdgeLink;
  readonly random: RandomBytes;
}

/** The tables of a head that are not as in the one before; all of them when there is none. */
export function changedTables(head: Head, before: Head | null): TableName[] {
  return TABLE_NAMES.filter((name) => before === null || !equalBytes(head.tables[name].root, before.tables[name].root));
}

/**
 * Asks for a random row of each of these tables and for a key that is not there, and checks their proofs.
 *
 * @param head what the edge holds, and is placed
 * @throws `tampered`, `withheld`
 */
// spec: PUSH-15
export async function checkProofs(check: ProofCheck, head: Head, names: readonly TableName[]): Promise<void> {
  for (const name of names) {
    const row = await randomRow(check, head.epoch, name);
    if (row !== null) await requireRow(check.link, head, name, row);
    await requireAbsence(check.link, head, name, check.random(TOKEN_BYTES));
  }
}

async function requireRow(link: EdgeLink, head: Head, name: TableName, { token, number }: Place): Promise<void> {
  const [row, ...more] = await provenRows(link, head, name, { token, number });
  if (row === undefined) throw new PosternError("withheld", `The edge does not show a row of ${name} that was pushed`);
  if (more.length > 0 || !equalBytes(row.key, treeKey(token, number))) throw otherRows(name);
}

async function requireAbsence(link: EdgeLink, head: Head, name: TableName, token: Bytes): Promise<void> {
  if ((await provenRows(link, head, name, { token, number: 0 })).length > 0) throw otherRows(name);
}

/** What the edge shows of a list from a place on, at most one row, proven. */
async function provenRows(link: EdgeLink, head: Head, name: TableName, place: Place): Promise<Leaf[]> {
  const { token, number } = place;
  const answer = await link.listPage(name, head.epoch, token, number);
  if (answer.generation !== head.generation || answer.epoch !== head.epoch) {
    throw new PosternError(
      "tampered",
      `The edge does not answer from generation ${head.generation}, which it confirmed`,
    );
  }
  if (answer.proof === null) throw new PosternError("withheld", `The edge proves nothing of ${name}`);
  const rows = answer.rows.map((row) => leafOf(name, row));
  const last = rows.at(-1);
  if (answer.more && last === undefined) throw otherRows(name);
  const highest = answer.more && last !== undefined ? last.key : endOfList(token);
  verifyProof(answer.proof, { lowest: treeKey(token, number), highest, rows }, head.tables[name].root);
  return rows;
}

/** The last key that a row of a list could have. */
function endOfList(token: Bytes): Bytes {
  return concat(token, new Uint8Array(KEY_BYTES - TOKEN_BYTES).fill(0xff));
}

/** Some row of a table, null when it is empty: of a random list one up to a random number. */
async function randomRow({ db, random }: ProofCheck, epoch: number, name: TableName): Promise<Place | null> {
  const tree = { epoch, tbl: TABLES[name] };
  const { rows: [after] } = await db.execute(listFrom.bind({ ...tree, token: random(TOKEN_BYTES) }));
  const first = after ?? (await db.execute(listFrom.bind({ ...tree, token: new Uint8Array(0) }))).rows[0];
  if (first === undefined) return null;
  const { token } = first;
  const { rows: [last] } = await db.execute(lastUpTo.bind({ ...tree, token, number: Number.MAX_SAFE_INTEGER }));
  if (last === undefined) return first;
  const share = new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
  const number = first.number + Math.floor(share * (last.number - first.number + 1));
  return (await db.execute(lastUpTo.bind({ ...tree, token, number }))).rows[0] ?? first;
}

function otherRows(name: TableName): PosternError {
  return new PosternError("tampered", `The edge shows other rows of ${name} than it was asked for`);
}
