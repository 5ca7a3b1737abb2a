/** The border between our values and a driver's: parameters are checked on their way in, columns on their way out. */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import type { Statement, Value } from "./database.ts";
import { excerpt } from "./sql.ts";

/** What both drivers are handed. Integers go as bigint: as numbers both would bind them as REAL, and `? / 2` gave 2.5 for 5. */
export type DriverValue = null | bigint | string | Bytes;

/**
 * Checks a statement's parameters and turns them into what drivers bind.
 *
 * Throws `usage` for another number of parameters than the SQL has places (libSQL would bind NULL or drop them), and for any other type than
 * {@link Value} allows (a boolean ends the whole process inside of libSQL), `malformed` for text that would not come back as it went.
 */
export function toDriver(statement: Statement<unknown>, places: number): DriverValue[] {
  const { params, sql } = statement;
  if (params.length !== places) {
    throw new PosternError(
      "usage",
      `The SQL statement ${excerpt(sql)} has ${places} parameters, ${params.length} were given.`,
    );
  }
  const out = new Array<DriverValue>(places);
  for (let i = 0; i < places; i++) out[i] = bound(params[i], i, sql);
  return out;
}

function bound(value: unknown, index: number, sql: string): DriverValue {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return BigInt(value);
  } else if (typeof value === "string") {
    if (value.isWellFormed() && !value.includes("\0")) return value;
    throw new PosternError(
      "malformed",
      `Parameter ${index + 1} of ${excerpt(sql)} is a text with a NUL or a lone surrogate, which cannot be stored.`,
    );
  } else if (value === null || isBytes(value)) {
    return value;
  }
  const found = typeof value === "number" ? "a number that is no safe integer" : `of type ${typeof value}`;
  throw new PosternError(
    "usage",
    `Parameter ${index + 1} of ${excerpt(sql)} is ${found}; null, a safe integer, a string or bytes can be stored.`,
  );
}

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array;
}

/**
 * Turns a column as a driver returns it into a {@link Value}.
 *
 * Throws `unsupported` for a number beyond 2^53-1: drivers would hand out its nearest neighbour.
 */
export function fromDriver(value: unknown, column: string): Value {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) && Number.isInteger(value)) throw beyond(column);
    return value;
  }
  if (typeof value === "string" || value === null) return value;
  // A Buffer is an Uint8Array whose methods differ, and drivers differ in which they return.
  if (value instanceof Uint8Array) {
    return value.buffer instanceof ArrayBuffer
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return Number(value);
  throw beyond(column);
}

function beyond(column: string): PosternError {
  return new PosternError(
    "unsupported",
    `The database holds a number in column '${column}' that is beyond 2^53-1 and cannot be read exactly.`,
  );
}
