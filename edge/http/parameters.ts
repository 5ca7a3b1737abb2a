/**
 * Parameters of paths and queries. Each is defined once, with how it is read and how it is described; there is one spelling of every
 * value, and anything else is refused (spec: CONV-06).
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { fromHex } from "../../shared/bytes/encoding.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type Route, type ROUTES } from "../../shared/protocol/paths.ts";
import { TABLE_NAMES, type TableNumber, TABLES } from "../../shared/protocol/tables.ts";

/** One parameter: how its text is read (null if it is no spelling of a value), and its JSON Schema. */
export interface Parameter<T> {
  readonly read: (text: string) => T | null;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly isOptional?: boolean;
}

/** An integer in decimal, from `min` to `max`. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Parameter<number> {
  return {
    read(text) {
      if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return null;
      const value = Number(text);
      return value >= min && value <= max ? value : null;
    },
    schema: { type: "integer", minimum: min, maximum: max },
  };
}

/** Bytes of this length in lower-case hexadecimal. */
export function hex(length: number): Parameter<Bytes> {
  return {
    read: (text) => text.length === 2 * length ? tryHex(text) : null,
    schema: {
      type: "string",
      pattern: `^[0-9a-f]{${2 * length}}$`,
      description: `${length} bytes in lower-case hexadecimal`,
    },
  };
}

function tryHex(text: string): Bytes | null {
  try {
    return fromHex(text);
  } catch (error) {
    if (isPosternError(error, "malformed")) return null;
    throw error;
  }
}

/** The same parameter, which may be left out. */
export function optional<T>(parameter: Parameter<T>): Parameter<T> & { readonly isOptional: true } {
  return { ...parameter, isOptional: true };
}

const table: Parameter<TableNumber> = {
  read: (text) => isTableName(text) ? TABLES[text] : null,
  schema: { type: "string", enum: TABLE_NAMES },
};

function isTableName(text: string): text is keyof typeof TABLES {
  return Object.hasOwn(TABLES, text);
}

/** Parameters of paths, by their names in the route patterns. */
export const PATH_PARAMETERS = {
  owner: hex(32),
  table,
  id: hex(16),
  n: integer(),
  hash: hex(32),
} as const;

export const epoch: Parameter<number> = integer(1);
export const generation: Parameter<number> = integer(1);
export const limit = optional(integer(1, LIMITS.maxAnswerEntries));
/** A row key: token and number. */
export const rowKey = optional(hex(40));

/** The parameters of a query, by name. */
export type QuerySpec = Readonly<Record<string, Parameter<unknown>>>;

type ValueOf<P> = P extends Parameter<infer T> ? T : never;
type IsOptional<P> = P extends { readonly isOptional: true } ? true : false;

/** Values of a query that was read. */
export type QueryValues<Q extends QuerySpec> =
  & { readonly [N in keyof Q as IsOptional<Q[N]> extends true ? never : N]: ValueOf<Q[N]> }
  & { readonly [N in keyof Q as IsOptional<Q[N]> extends true ? N : never]?: ValueOf<Q[N]> };

type NamesIn<Pattern extends string> = Pattern extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : Pattern extends `${string}:${infer Name}` ? Name
  : never;

/** Values of the parameters of a route's path. */
export type PathValues<R extends Route> = {
  readonly [N in NamesIn<(typeof ROUTES)[R]> & keyof typeof PATH_PARAMETERS]: ValueOf<(typeof PATH_PARAMETERS)[N]>;
};

/**
 * Reads a query as it was sent. Nothing in it needs percent encoding, so nothing is decoded.
 *
 * @param query with its `?`, or empty
 * @throws `malformed` for a parameter that is missing, unknown, there twice, or spelt otherwise
 */
export function readQuery<Q extends QuerySpec>(spec: Q, query: string): QueryValues<Q> {
  const values: Record<string, unknown> = {};
  if (query.length > 1) {
    for (const pair of query.slice(1).split("&")) {
      const at = pair.indexOf("=");
      const name = pair.slice(0, Math.max(at, 0));
      const parameter = Object.hasOwn(spec, name) ? spec[name] : undefined;
      const value = parameter?.read(pair.slice(at + 1)) ?? null;
      if (value === null || Object.hasOwn(values, name)) throw malformed("query");
      values[name] = value;
    }
  }
  for (const name in spec) {
    if (spec[name]?.isOptional !== true && values[name] === undefined) throw malformed("query");
  }
  return values as QueryValues<Q>;
}

/**
 * Reads the parameters of a path.
 *
 * @param texts as they stand in the path; without percent signs, which would be a second spelling
 * @param owner the owner, where it is known that the path names this one
 * @throws `malformed`
 */
export function readPath<R extends Route>(texts: Readonly<Record<string, string>>, owner?: Bytes): PathValues<R> {
  const values: Record<string, unknown> = {};
  for (const name in texts) {
    const value = name === "owner" && owner !== undefined ? owner : readParameter(name, texts[name] ?? "");
    if (value === null) throw malformed("path");
    values[name] = value;
  }
  return values as PathValues<R>;
}

function readParameter(name: string, text: string): unknown {
  return isPathParameter(name) ? PATH_PARAMETERS[name].read(text) : null;
}

function isPathParameter(name: string): name is keyof typeof PATH_PARAMETERS {
  return Object.hasOwn(PATH_PARAMETERS, name);
}

function malformed(where: "path" | "query"): PosternError {
  return new PosternError("malformed", `A parameter of the ${where} is missing, unknown, or not spelt as it must be`);
}
