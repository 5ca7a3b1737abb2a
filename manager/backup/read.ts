/** Reads a backup through to its end, and knows then that a manager of its owner wrote it (shared/spec/backup.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Value } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import { requireSignature } from "../../shared/protocol/signed.ts";
import { type VerifiedStatement, verifyStatement } from "../../shared/protocol/statement.ts";
import { openChunks, type ReadBytes } from "./chunks.ts";
import type { BackupHeader } from "./header.ts";
import { type BackupBegin, type BackupRow, type BackupTable, damaged, readRecords } from "./records.ts";

/** A row by the names of its columns. */
export type NamedRow = Readonly<Record<string, Value>>;

/** What is told while a backup is read. None of it counts before {@link readBackup} has returned. */
export interface BackupVisitor {
  readonly begin?: (begin: BackupBegin) => Promise<void>;
  readonly rows?: (table: BackupTable, rows: readonly BackupRow[]) => Promise<void>;
}

/** What a backup holds. */
export interface BackupContents {
  readonly owner: Bytes;
  /** Millis. */
  readonly time: number;
  readonly schema: number;
  readonly tables: readonly BackupTable[];
  /** The newest owner statement in it. */
  readonly statement: VerifiedStatement;
  /** The newest head in it, null before the first push. */
  readonly head: { readonly generation: number; readonly hash: Bytes; readonly time: number } | null;
  readonly devices: readonly { readonly id: Bytes; readonly name: string; readonly state: string }[];
  /** Whether the private key of the root is in it. */
  readonly hasRoot: boolean;
}

/** Everything that is signed at the end of a backup. */
export function endToSign({ owner, id }: Pick<BackupHeader, "owner" | "id">, before: Bytes): Bytes {
  return encodeCbor([LABELS.backupEnd, owner, id, before]);
}

/**
 * Reads the chunks behind a header.
 *
 * @throws `tampered` for anything but a whole backup that a manager of this owner has signed
 */
export async function readBackup(
  header: Pick<BackupHeader, "owner" | "id">,
  key: CryptoKey,
  read: ReadBytes,
  visitor: BackupVisitor = {},
): Promise<BackupContents> {
  const reading = new Reading();
  let end: { signature: Bytes; before: Bytes } | null = null;
  for await (const { record, before } of readRecords(openChunks(key, read))) {
    if (record.kind === "begin") {
      reading.begin(record);
      await visitor.begin?.(record);
    } else if (record.kind === "rows") {
      const table = reading.rows(record.table, record.rows);
      await visitor.rows?.(table, record.rows);
    } else {
      end = { signature: record.signature, before };
    }
  }
  if (end === null) throw damaged("no end");
  const found = reading.finish();
  const statement = await genuineStatement(reading.statement, header.owner);
  // spec: BACKUP-06
  await requireSignature(statement.managerKey, end.signature, endToSign(header, end.before), "backup");
  return { owner: header.owner, ...found, statement };
}

async function genuineStatement(signed: Bytes | null, owner: Bytes): Promise<VerifiedStatement> {
  if (signed === null) throw damaged("no owner statement");
  try {
    return await verifyStatement(signed, owner);
  } catch (cause) {
    if (!isPosternError(cause)) throw cause;
    throw new PosternError("tampered", `The owner statement in the backup does not hold: ${cause.message}`, { cause });
  }
}

/** What is remembered of the rows that pass by, and whether they are as many as announced (spec: BACKUP-05). */
class Reading {
  #begin: BackupBegin | null = null;
  #counts: number[] = [];
  #table = 0;
  #statement: { number: number; signed: Bytes } | null = null;
  #head: BackupContents["head"] = null;
  #hasRoot = false;
  readonly #devices: BackupContents["devices"][number][] = [];

  get statement(): Bytes | null {
    return this.#statement?.signed ?? null;
  }

  begin(begin: BackupBegin): void {
    if (this.#begin !== null) throw damaged("a second beginning");
    if (new Set(begin.tables.map(({ name }) => name)).size < begin.tables.length) throw damaged("a table twice");
    this.#begin = begin;
    this.#counts = begin.tables.map(() => 0);
  }

  rows(index: number, rows: readonly BackupRow[]): BackupTable {
    const table = this.#begin?.tables[index];
    if (table === undefined || index < this.#table) throw damaged("rows out of place");
    this.#table = index;
    const count = (this.#counts[index] ?? 0) + rows.length;
    this.#counts[index] = count;
    if (count > table.count) throw damaged(`more rows of '${table.name}' than it says`);
    for (const row of rows) {
      if (row.length !== table.columns.length) throw damaged(`a row of '${table.name}' with other columns`);
      this.#look(table, row);
    }
    return table;
  }

  finish(): Omit<BackupContents, "owner" | "statement"> {
    const begin = this.#begin;
    if (begin === null) throw damaged("no beginning");
    const short = begin.tables.find(({ count }, index) => this.#counts[index] !== count);
    if (short !== undefined) throw damaged(`fewer rows of '${short.name}' than it says`);
    const { time, schema, tables } = begin;
    return { time, schema, tables, head: this.#head, devices: this.#devices, hasRoot: this.#hasRoot };
  }

  #look({ name, columns }: BackupTable, values: BackupRow): void {
    const row = named(columns, values);
    switch (name) {
      case "statements": {
        const [number, signed] = [numberOf(row, "number"), bytesOf(row, "signed")];
        if (number >= (this.#statement?.number ?? 0)) this.#statement = { number, signed };
        break;
      }
      case "heads": {
        const generation = numberOf(row, "generation");
        if (generation < (this.#head?.generation ?? 0)) break;
        this.#head = { generation, hash: bytesOf(row, "hash"), time: numberOf(row, "time") };
        break;
      }
      case "devices":
        this.#devices.push({ id: bytesOf(row, "id"), name: textOf(row, "name"), state: textOf(row, "state") });
        break;
      case "keys":
        if (row["role"] === "root" && row["private_key"] !== null) this.#hasRoot = true;
        break;
    }
  }
}

/** @param columns of the values, in their order */
export function named(columns: readonly string[], values: BackupRow): NamedRow {
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null]));
}

function bytesOf(row: NamedRow, column: string): Bytes {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw damaged(`no '${column}' where one must be`);
}

function numberOf(row: NamedRow, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw damaged(`no '${column}' where one must be`);
}

function textOf(row: NamedRow, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw damaged(`no '${column}' where one must be`);
}
