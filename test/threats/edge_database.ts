/**
 * The hand of the edge's operator: changes its database behind the back of its program, which then serves and signs what it finds. All
 * of an owner's rows, heads and statements may be changed, since an edge may run any code.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Value } from "../../shared/database/database.ts";
import { BLOCKS } from "../../edge/store/schema.ts";
import type { TestEdge } from "../fixtures/edge.ts";

/** A row as it lies in the database. */
export interface HeldRow {
  readonly id: number;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly body: Bytes;
}

/** Runs one statement on the edge's database. */
export async function run(edge: TestEdge, sql: string, ...params: Value[]): Promise<void> {
  await edge.database.execute({ sql, params });
}

/** The rows that readers see, blocks apart, of one table if it is named, in the order in which they lie there. */
export async function heldRows(edge: TestEdge, table?: number): Promise<HeldRow[]> {
  const { rows } = await edge.database.execute<HeldRow>({
    sql: `SELECT rows.id, rows.tbl AS "table", rows.token, rows.number, rows.body FROM rows
      JOIN owners ON owners.no = rows.owner AND owners.space = rows.space
      WHERE rows.born <= owners.generation AND owners.generation < rows.died AND rows.tbl < ? ORDER BY rows.id`,
    params: [BLOCKS],
  });
  return rows.filter((row) => table === undefined || row.table === table);
}

/** Everything that devices handed in and that is still there, signed as it came, in order of arrival. */
export async function heldSubmissions(edge: TestEdge): Promise<Bytes[]> {
  const { rows } = await edge.database.execute<{ readonly body: Bytes }>({
    ...{ sql: "SELECT body FROM inbox_bodies ORDER BY owner, arrival", params: [] },
  });
  return rows.map(({ body }) => body);
}

/** Puts other bytes in the place of a row, and keeps the place. */
export async function replaceBody(edge: TestEdge, row: HeldRow, body: Bytes): Promise<void> {
  await run(edge, "UPDATE rows SET body = ?, size = ? WHERE id = ?", body, body.length, row.id);
}

/** Adds a row that readers see as if it had been pushed. */
export async function addRow(edge: TestEdge, row: Omit<HeldRow, "id">): Promise<void> {
  const { table, token, number, body } = row;
  await run(
    edge,
    `INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
      SELECT no, space, ?, ?, ?, 0, 9007199254740991, ?, ? FROM owners`,
    ...[table, token, number, body.length, body],
  );
}

/** Hides a row from readers; what the edge knows of a device for logins stays. */
export async function hideRow(edge: TestEdge, { id }: HeldRow): Promise<void> {
  await run(edge, "DROP TRIGGER IF EXISTS rows_device_died");
  await run(edge, "UPDATE rows SET died = 1 WHERE id = ?", id);
}

export async function showRow(edge: TestEdge, { id }: HeldRow): Promise<void> {
  await run(edge, "UPDATE rows SET died = 9007199254740991 WHERE id = ?", id);
}

/** A row with the fields of its CBOR array changed. */
export function edited(body: Bytes, edit: (fields: CborValue[]) => CborValue[]): Bytes {
  const fields = decodeCbor(body);
  if (!Array.isArray(fields)) throw new TypeError("A row is an array");
  return encodeCbor(edit(fields));
}

/** A head that is shown from now on, with what belongs to it. */
export interface ShownHead {
  readonly signed: Bytes;
  readonly generation: number;
}

export async function showHead(edge: TestEdge, { signed, generation }: ShownHead): Promise<void> {
  await run(edge, "UPDATE owners SET head = ?, generation = ?", signed, generation);
}

export async function showStatement(edge: TestEdge, signed: Bytes): Promise<void> {
  await run(edge, "UPDATE owners SET statement = ?", signed);
}
