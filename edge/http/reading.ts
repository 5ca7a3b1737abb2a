/** What devices read (shared/spec/reading.md). */
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { RowsRequest } from "../store/read/rows.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { epoch, generation, hex, integer, limit, optional, rowKey } from "./parameters.ts";

/** The generation of a head that the reader has verified (spec: READ-07). */
const seen = optional(generation);

const head = endpoint({
  ...{ route: "head", method: "GET", access: "session", query: { seen }, body: null, answer: "head" },
  summary: "The newest signed head.",
}, async ({ store, principal, query: { seen } }) => {
  const { generation, epoch, head, history } = await store.head(principal, seen);
  return { body: { generation, epoch, head, history } };
});

const record = endpoint({
  ...{ route: "record", method: "GET", access: "session", query: { seen }, body: null, answer: "record" },
  summary: "What a login tells: the device's row of the table of devices, head and statement.",
}, async ({ store, principal, query: { seen } }) => {
  const { generation, epoch, record, head, statement, history } = await store.record(principal, seen);
  return { body: { generation, epoch, record, head, statement, history } };
});

const rows = endpoint({
  ...{ route: "rows", method: "GET", access: "session", body: null, answer: "rows" },
  query: {
    epoch,
    token: hex(32),
    from: optional(integer()),
    before: optional(integer()),
    limit,
    proof: optional(integer(1, 1)),
  },
  summary:
    "Rows of one list: from a number on, ascending, or below one, descending; with the proof that these are all.",
}, async ({ store, principal, path: { table }, query, now }) => {
  const request = { table, ...rangeOf(query) };
  if (query.proof === undefined) {
    const { generation, epoch, rows, more } = await store.rows(principal, request, now);
    return { body: { generation, epoch, rows, more, proof: null } };
  }
  const { generation, epoch, rows, more, proof } = await store.proven(principal, request, now);
  return { body: { generation, epoch, rows, more, proof } };
});

interface RowsQuery {
  readonly epoch: number;
  readonly token: RowsRequest["token"];
  readonly from?: number;
  readonly before?: number;
  readonly limit?: number;
}

/** @throws `malformed` unless the query has exactly one of `from` and `before` */
function rangeOf({ epoch, token, from, before, limit = LIMITS.defaultAnswerEntries }: RowsQuery) {
  if (from !== undefined && before === undefined) return { epoch, token, from, limit };
  if (before !== undefined && from === undefined) return { epoch, token, before, limit };
  throw new PosternError("malformed", "Rows are asked for from a number on, or before one");
}

const table = endpoint({
  ...{ route: "table", method: "GET", access: "session", body: null, answer: "table" },
  query: { epoch, at: generation, after: rowKey, limit },
  summary: "A whole table as of one generation, in key order, page by page.",
}, async ({ store, principal, path: { table }, query, now }) => {
  const { epoch, at, after = null, limit = LIMITS.defaultAnswerEntries } = query;
  const found = await store.table(principal, { table, epoch, at, after, limit }, now);
  return { body: { generation: found.generation, epoch: found.epoch, rows: found.rows, next: found.next } };
});

const changes = endpoint({
  ...{ route: "changes", method: "GET", access: "session", body: null, answer: "changes" },
  query: { epoch, since: generation, at: generation, after: rowKey, limit },
  summary: "What leads from one generation of a table to another, in key order, page by page.",
}, async ({ store, principal, path: { table }, query, now }) => {
  const { epoch, since, at, after = null, limit = LIMITS.defaultAnswerEntries } = query;
  const found = await store.changes(principal, { table, epoch, since, at, after, limit }, now);
  const { generation, rows, removed, next } = found;
  return { body: { generation, epoch: found.epoch, rows, removed, next } };
});

export const READING: readonly Endpoint[] = [head, record, rows, table, changes];
