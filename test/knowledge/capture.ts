/** Turns what an edge leaves behind into bytes to look through: its files, every cell of its database, and what was sent. */
import { join } from "node:path";
import { utf8 } from "../../shared/bytes/bytes.ts";
import type { Database, Row, Value } from "../../shared/database/database.ts";
import type { Exchange } from "../fixtures/traffic.ts";
import type { Captured } from "./scan.ts";

/** Every file in a folder, whole. */
export async function captureFiles(folder: string): Promise<Captured[]> {
  const captured: Captured[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    captured.push({ where: `file ${name}`, bytes: await Deno.readFile(join(folder, name)) });
  }
  return captured;
}

/** A cell of a database. */
export interface Cell {
  readonly table: string;
  readonly column: string;
  readonly value: Value;
}

/** Every cell of every table, its own book-keeping included. */
export async function cellsOf(database: Database): Promise<Cell[]> {
  const { rows: names } = await database.execute<{ readonly name: string }>({
    sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    params: [],
  });
  const tables = ["sqlite_schema", ...names.map(({ name }) => name)];
  const cells = await Promise.all(tables.map(async (table) => {
    const { rows } = await database.execute<Row>({ sql: `SELECT * FROM "${table}"`, params: [] });
    return rows.flatMap((row) => Object.entries(row).map(([column, value]) => ({ table, column, value })));
  }));
  return cells.flat();
}

/** Cells as bytes: texts and blobs one by one, since a file keeps large ones in pieces. */
export function captureCells(cells: readonly Cell[]): Captured[] {
  return cells.flatMap(({ table, column, value }) => {
    const bytes = typeof value === "string" ? utf8(value) : value;
    return bytes instanceof Uint8Array ? [{ where: `${table}.${column}`, bytes }] : [];
  });
}

/** Requests and answers as clients see them: whole bodies, whatever pieces they travelled in. */
export function captureExchanges(exchanges: readonly Exchange[], whose: string): Captured[] {
  return exchanges.flatMap(({ request, answer }, index) => {
    const where = `${whose}, exchange ${index}`;
    return [
      { where: `${where}, request line`, bytes: utf8(`${request.method} ${request.url}`) },
      { where: `${where}, request headers`, bytes: utf8(linesOf(request.headers)) },
      { where: `${where}, request body`, bytes: request.body },
      { where: `${where}, answer headers`, bytes: utf8(`${answer.status}\n${linesOf(answer.headers)}`) },
      { where: `${where}, answer body`, bytes: answer.body },
    ];
  });
}

function linesOf(headers: Headers): string {
  return [...headers].map(([name, value]) => `${name}: ${value}`).join("\n");
}
