/**
 * How statements of the edge are built: kysely for the ordinary ones, its `sql` template for those it has no words
 * for.
 */
import type { RawBuilder } from "kysely";
import { builder, type Parameters, type Query, query, type QueryRow } from "../../shared/database/query.ts";
import type { EdgeSchema } from "./schema.ts";

export const db = builder<EdgeSchema>();

/** Compiles an `sql` template once, with its values left open; see `query`. */
export function template<P extends Parameters, R>(build: (p: P) => RawBuilder<R>): Query<P, QueryRow<R>> {
  return query((p: P) => ({ compile: () => build(p).compile(db) }));
}

/** Like {@link template}, for SQL that ends in LIMIT 1 or cannot give more than one row. */
export function templateOfOne<P extends Parameters, R>(build: (p: P) => RawBuilder<R>): Query<P, QueryRow<R>> {
  const { sql, bind } = template(build);
  return { sql, bind: (values) => ({ ...bind(values), single: true }) };
}
