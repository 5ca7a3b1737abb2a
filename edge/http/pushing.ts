/** How the manager replaces what the edge holds (shared/spec/pushing.md). */
import type { ChunkRange } from "../store/push/state.ts";
import { LIMITS } from "../../shared/limits.ts";
import { digestBytes } from "../../shared/protocol/http_signature.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { limit, rowKey } from "./parameters.ts";

const begin = endpoint({
  ...{ route: "push", method: "POST", access: "manager", query: {}, body: "pushBegin", answer: "pushBegin" },
  summary: "Begins a push, or goes on with it: the chunks that are there already.",
}, async ({ store, principal, body, now }) => {
  return { body: { received: rangesOf(await store.begin(principal, body, now)) } };
});

const state = endpoint({
  ...{ route: "push", method: "GET", access: "manager", query: {}, body: null, answer: "push" },
  summary: "The push that is open.",
}, async ({ store, principal, now }) => {
  const push = await store.state(principal, now);
  if (push === null) return { body: { push: null } };
  const { id, base, epoch, incarnation, full, chunks, received } = push;
  return { body: { push: { id, base, epoch, incarnation, full, chunks, received: rangesOf(received) } } };
});

const chunk = endpoint({
  ...{ route: "pushChunk", method: "PUT", access: "manager", query: {}, body: "pushChunk", answer: "empty" },
  summary: "Brings one chunk of rows and removals.",
}, async ({ store, principal, path: { id, n }, body, digest, now }) => {
  await store.chunk(principal, id, n, digestBytes(digest), body, now);
  return { body: {} };
});

const nodes = endpoint({
  ...{ route: "pushNodes", method: "PUT", access: "manager", query: {}, body: "pushNodes", answer: "empty" },
  summary: "Brings blocks of the tables' trees, and nodes of the history of heads, for proofs.",
}, async ({ store, principal, path: { id, n }, body, digest, now }) => {
  await store.nodes(principal, id, n, digestBytes(digest), body, now);
  return { body: {} };
});

const table = endpoint({
  ...{ route: "pushTable", method: "GET", access: "manager", body: null, answer: "pushTable" },
  query: { after: rowKey, limit },
  summary: "What an open full push has brought to a table, in key order, page by page.",
}, async ({ store, principal, path: { id, table }, query, now }) => {
  const { after = null, limit = LIMITS.defaultAnswerEntries } = query;
  const { rows, next } = await store.pushed(principal, { id, table, after, limit }, now);
  return { body: { rows, next } };
});

const commit = endpoint({
  ...{ route: "pushCommit", method: "POST", access: "manager", query: {}, body: "pushCommit", answer: "pushCommit" },
  summary: "Checks the push against its heads and switches to it in one step.",
}, async ({ store, principal, path: { id }, body, now }) => {
  return { body: { generation: await store.commit(principal, id, body, now) } };
});

const abort = endpoint({
  ...{ route: "pushOne", method: "DELETE", access: "manager", query: {}, body: null, answer: "empty" },
  summary: "Gives a push up.",
}, async ({ store, principal, path: { id }, now }) => {
  await store.abort(principal, id, now);
  return { body: {} };
});

const deleteTables = endpoint({
  ...{ route: "tables", method: "DELETE", access: "manager", query: {}, body: "deleteTables", answer: "empty" },
  summary: "Deletes all rows, heads and pushes of the owner.",
}, async ({ store, principal, body: { number }, now }) => {
  await store.deleteTables(principal, number, now);
  return { body: {} };
});

function rangesOf(ranges: readonly ChunkRange[]): [number, number][] {
  return ranges.map(({ first, last }) => [first, last]);
}

export const PUSHING: readonly Endpoint[] = [begin, state, chunk, nodes, table, commit, abort, deleteTables];
