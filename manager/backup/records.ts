/** The records inside a backup, framed into a stream and out of it again (shared/spec/backup.md). */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Value } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bytesUpTo, positive, shapeAs, textUpTo, uint } from "../../shared/protocol/shapes.ts";
import { paddedStreamLength } from "./padding.ts";

/** A table as a backup has it. */
export interface BackupTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly count: number;
}

export interface BackupBegin {
  readonly kind: "begin";
  /** Millis. */
  readonly time: number;
  readonly schema: number;
  readonly tables: readonly BackupTable[];
}

export type BackupRow = readonly Value[];

export type BackupRecord =
  | BackupBegin
  | { readonly kind: "rows"; readonly table: number; readonly rows: readonly BackupRow[] }
  | { readonly kind: "end"; readonly signature: Bytes };

const LENGTH_BYTES = 4;

const name = textUpTo(64, 1);
const value = v.union([
  v.null(),
  v.pipe(v.number(), v.safeInteger()),
  v.string(),
  bytesUpTo(LIMITS.maxBackupRecordBytes),
]);
const recordSchema = v.union([
  v.strictTuple([
    v.literal("begin"),
    uint,
    positive,
    v.pipe(
      v.array(v.strictTuple([name, v.pipe(v.array(name), v.minLength(1), v.maxLength(LIMITS.maxBackupColumns)), uint])),
      v.maxLength(LIMITS.maxBackupTables),
    ),
  ]),
  v.strictTuple([v.literal("rows"), uint, v.array(v.array(value))]),
  v.strictTuple([v.literal("end"), bytesUpTo(LIMITS.maxSignatureBytes, 1)]),
]);

function encodeRecord(record: BackupRecord): Bytes {
  switch (record.kind) {
    case "begin": {
      const tables = record.tables.map((one) => [one.name, one.columns, one.count]);
      return encodeCbor(["begin", record.time, record.schema, tables]);
    }
    case "rows":
      return encodeCbor(["rows", record.table, record.rows]);
    case "end":
      return encodeCbor(["end", record.signature]);
  }
}

function decodeRecord(bytes: Bytes): BackupRecord {
  const record = shapeAs(recordSchema, decodeCbor(bytes, { maxBytes: LIMITS.maxBackupRecordBytes }), "record");
  switch (record[0]) {
    case "begin": {
      const [, time, schema, tables] = record;
      return {
        kind: "begin",
        time,
        schema,
        tables: tables.map(([name, columns, count]) => ({ name, columns, count })),
      };
    }
    case "rows":
      return { kind: "rows", table: record[1], rows: record[2] };
    case "end":
      return { kind: "end", signature: record[1] };
  }
}

/** Makes the stream: frames records, counts and hashes them. */
export class RecordWriter {
  readonly #hash = createHash("sha256");
  #length = 0;

  /** SHA-256 of all records so far, their lengths included. */
  digest(): Bytes {
    return new Uint8Array(this.#hash.copy().digest());
  }

  frame(record: BackupRecord): Bytes {
    const encoded = encodeRecord(record);
    if (encoded.length > LIMITS.maxBackupRecordBytes) {
      throw new PosternError("too_large", "A row of the database is larger than a backup can hold");
    }
    const framed = concat(new Uint8Array(LENGTH_BYTES), encoded);
    new DataView(framed.buffer).setUint32(0, encoded.length);
    this.#hash.update(framed);
    this.#length += framed.length;
    return framed;
  }

  /** The zeros that are still to follow, after the last record. */
  filler(): number {
    return paddedStreamLength(this.#length) - this.#length;
  }
}

/** A record, and the hash of all those before it. */
export interface FramedRecord {
  readonly record: BackupRecord;
  readonly before: Bytes;
}

/**
 * Takes the stream apart. The last record is `end`; that nothing follows it is checked when the generator is asked for more.
 *
 * @throws `tampered` for a stream that is not of this form
 */
// spec: BACKUP-05
export async function* readRecords(stream: AsyncIterable<Bytes>): AsyncGenerator<FramedRecord> {
  const hash = createHash("sha256");
  const source = new Source(stream);
  let length = 0;
  for (;;) {
    const head = await source.take(LENGTH_BYTES);
    const size = head === null ? 0 : new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getUint32(0);
    if (head === null || size === 0 || size > LIMITS.maxBackupRecordBytes) throw damaged("a record of no size");
    const bytes = await source.take(size);
    if (bytes === null) throw damaged("a record that is cut off");
    const record = readForm(bytes);
    yield { record, before: new Uint8Array(hash.copy().digest()) };
    hash.update(head).update(bytes);
    length += LENGTH_BYTES + size;
    if (record.kind === "end") break;
  }
  const filler = await source.zeros();
  if (filler !== paddedStreamLength(length) - length) throw damaged("something behind its end");
}

function readForm(bytes: Bytes): BackupRecord {
  try {
    return decodeRecord(bytes);
  } catch (cause) {
    if (!(cause instanceof PosternError)) throw cause;
    throw damaged("a record of another form", cause);
  }
}

export function damaged(found: string, cause?: unknown): PosternError {
  return new PosternError("tampered", `The backup was not written by a manager: it holds ${found}`, { cause });
}

/** Bytes out of chunks. */
class Source {
  readonly #chunks: AsyncIterator<Bytes>;
  #held: Bytes = new Uint8Array(0);

  constructor(stream: AsyncIterable<Bytes>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or null when there are fewer. */
  async take(length: number): Promise<Bytes | null> {
    const parts: Bytes[] = [this.#held];
    for (let have = this.#held.length; have < length;) {
      const next = await this.#chunks.next();
      if (next.done === true) return null;
      parts.push(next.value);
      have += next.value.length;
    }
    const all = parts.length === 1 ? this.#held : concat(...parts);
    this.#held = all.subarray(length);
    return all.slice(0, length);
  }

  /** How many zeros are left, up to the end. @throws `tampered` for anything else */
  async zeros(): Promise<number> {
    let count = 0;
    for (let bytes: Bytes | null = this.#held; bytes !== null;) {
      if (bytes.some((byte) => byte !== 0)) throw damaged("something behind its end");
      count += bytes.length;
      const next: IteratorResult<Bytes> = await this.#chunks.next();
      bytes = next.done === true ? null : next.value;
    }
    return count;
  }
}
