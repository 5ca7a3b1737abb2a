/** The requests that devices make, and managers as well (shared/spec/reading.md, inbox.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { pathOf, queryOf } from "../../protocol/paths.ts";
import { TABLE_NAMES, type TableName } from "../../protocol/tables.ts";
import type { RowKey } from "../../protocol/token.ts";
import { ANSWERS } from "../../protocol/wire.ts";
import type { EdgeCall } from "./edge_session.ts";

/** Which rows of a list: those from a number on, ascending, or those before a number, descending. */
export type Range = { readonly from: number } | { readonly before: number };

/** @param seen generation of the newest head verified in this incarnation (spec: READ-07) */
export function headCall(owner: Bytes, seen?: number): EdgeCall<typeof ANSWERS.head> {
  return {
    ...{ method: "GET", path: pathOf("head", { owner }), query: queryOf({ seen }) },
    ...{ answer: ANSWERS.head, what: "Reading the head" },
  };
}

/** @param seen as for {@link headCall} */
export function recordCall(owner: Bytes, seen?: number): EdgeCall<typeof ANSWERS.record> {
  return {
    ...{ method: "GET", path: pathOf("record", { owner }), query: queryOf({ seen }) },
    ...{ answer: ANSWERS.record, what: "Reading the own record" },
  };
}

/** Rows with a proof (spec: READ-06). @param at the list as table and token; of its number nothing is used */
export function rowsCall(
  owner: Bytes,
  epoch: number,
  { table, token }: Omit<RowKey, "number">,
  range: Range,
  limit: number,
): EdgeCall<typeof ANSWERS.rows> {
  const name = TABLE_NAMES[table - 1] ?? "devices";
  return {
    ...{
      method: "GET",
      path: pathOf("rows", { owner, table: name }),
      query: queryOf({ epoch, token, ...range, limit, proof: 1 }),
    },
    ...{ answer: ANSWERS.rows, what: `Reading ${name}` },
  };
}

/** @param after row key of 40 bytes to go on from; null at the start */
export function tableCall(
  owner: Bytes,
  table: TableName,
  state: { readonly epoch: number; readonly generation: number },
  after: Bytes | null,
  limit: number,
): EdgeCall<typeof ANSWERS.table> {
  const query = queryOf({ epoch: state.epoch, at: state.generation, after: after ?? undefined, limit });
  return {
    ...{ method: "GET", path: pathOf("table", { owner, table }), query },
    ...{ answer: ANSWERS.table, what: `Reading the whole table ${table}` },
  };
}

/** @param after row key of 40 bytes to go on from; null at the start */
export function changesCall(
  owner: Bytes,
  table: TableName,
  state: { readonly epoch: number; readonly since: number; readonly at: number },
  after: Bytes | null,
  limit: number,
): EdgeCall<typeof ANSWERS.changes> {
  const { epoch, since, at } = state;
  return {
    ...{ method: "GET", path: pathOf("changes", { owner, table }) },
    query: queryOf({ epoch, since, at, after: after ?? undefined, limit }),
    ...{ answer: ANSWERS.changes, what: `Reading what changed in ${table}` },
  };
}

export function inboxCall(owner: Bytes, after: number, limit: number): EdgeCall<typeof ANSWERS.inbox> {
  return {
    ...{ method: "GET", path: pathOf("inbox", { owner }), query: queryOf({ after, limit }) },
    ...{ answer: ANSWERS.inbox, what: "Reading what was handed in" },
  };
}

/** @param hash SHA-256 of the part, which names it */
export function putPartCall(owner: Bytes, hash: Bytes, part: Bytes): EdgeCall<typeof ANSWERS.empty> {
  return {
    ...{ method: "PUT", path: pathOf("inboxPart", { owner, hash }), body: { part } },
    ...{ answer: ANSWERS.empty, what: "Handing in a part of a message" },
  };
}

/** @param submission signed */
export function submitCall(owner: Bytes, submission: Bytes): EdgeCall<typeof ANSWERS.empty> {
  return {
    ...{ method: "POST", path: pathOf("inbox", { owner }), body: { submission } },
    ...{ answer: ANSWERS.empty, what: "Handing in a submission" },
  };
}

export function logoutCall(owner: Bytes): EdgeCall<typeof ANSWERS.empty> {
  return { method: "POST", path: pathOf("logout", { owner }), answer: ANSWERS.empty, what: "Logging out" };
}
