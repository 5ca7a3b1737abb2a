/**
 * Bodies of requests and answers (shared/spec/session.md, reading.md, pushing.md, inbox.md). The edge validates requests
 * with these shapes and describes itself by them; clients validate answers with them, ignoring keys they do not know.
 */
import * as v from "valibot";
import { LIMITS } from "../limits.ts";
import { PATH } from "../merkle/block.ts";
import { MAX_HISTORY_LEVEL } from "../merkle/history.ts";
import { LEAF_NODE_BYTES } from "../merkle/proof_node.ts";
import { bytesOf, bytesUpTo, positive, textUpTo, uint } from "./shapes.ts";

const id = bytesOf(16);
const hash = bytesOf(32);
const stored = bytesUpTo(LIMITS.maxRowBytes, 1);
const signedHead = bytesUpTo(LIMITS.maxHeadBytes + LIMITS.maxSignatureBytes + 16, 1);
const signedStatement = bytesUpTo(LIMITS.maxStatementBytes + LIMITS.maxCertificateBytes + LIMITS.maxSignatureBytes, 1);
const signedSubmission = bytesUpTo(LIMITS.maxSubmissionBytes + LIMITS.maxSignatureBytes + 16, 1);
const rows = v.array(stored);
const tableNumber = v.picklist([1, 2, 3, 4] as const);
const rowKey = v.strictTuple([tableNumber, hash, uint]);
const block = v.strictTuple([
  tableNumber,
  v.pipe(v.string(), v.regex(PATH, "must be a path of a tree")),
  v.nullable(bytesUpTo(LIMITS.maxBlockBytes, 1)),
]);
const historyNode = v.strictTuple([v.pipe(uint, v.maxValue(MAX_HISTORY_LEVEL)), uint, hash]);
const ranges = v.array(v.strictTuple([uint, uint]));
const current = { generation: uint, epoch: uint };
/** Of any form that a node may have; what the nodes say is for the verifier of proofs to judge (spec: PROOF-01). */
const proof = v.array(v.nullable(v.union([v.number(), bytesUpTo(LEAF_NODE_BYTES)])));
/** No history of 2^53 heads has a longer path (spec: READ-07). */
const history = v.nullable(v.pipe(v.array(hash), v.maxLength(LIMITS.maxHistoryPath)));

/** Bodies of requests; unknown keys are refused (spec: CONV-05). */
export const REQUESTS = {
  login: v.strictObject({
    device: id,
    ephemeral: bytesOf(32),
    challenge: bytesOf(64),
    signature: bytesUpTo(LIMITS.maxSignatureBytes, 1),
    statement: v.optional(signedStatement),
    seen: v.optional(positive),
  }),
  inbox: v.strictObject({ submission: signedSubmission }),
  inboxPart: v.strictObject({ part: bytesUpTo(LIMITS.maxRowBytes, 17) }),
  pushBegin: v.strictObject({
    id,
    base: uint,
    epoch: positive,
    incarnation: id,
    full: v.boolean(),
    chunks: v.pipe(uint, v.maxValue(LIMITS.maxPushChunks)),
  }),
  pushChunk: v.strictObject({
    rows: v.pipe(rows, v.maxLength(LIMITS.maxChunkRows)),
    remove: v.pipe(v.array(rowKey), v.maxLength(LIMITS.maxChunkRows)),
  }),
  pushNodes: v.strictObject({
    blocks: v.pipe(v.array(block), v.maxLength(LIMITS.maxBodyNodes)),
    history: v.pipe(v.array(historyNode), v.maxLength(LIMITS.maxBodyNodes)),
  }),
  pushCommit: v.strictObject({
    heads: v.pipe(v.array(signedHead), v.minLength(1), v.maxLength(LIMITS.maxCommitHeads)),
    statements: v.pipe(v.array(signedStatement), v.maxLength(LIMITS.maxCommitStatements)),
    nodes: v.optional(v.pipe(uint, v.maxValue(LIMITS.maxPushNodeBodies)), 0),
  }),
  deleteTables: v.strictObject({ number: positive }),
} as const;

/** Bodies of answers; unknown keys are ignored (spec: CONV-05). */
export const ANSWERS = {
  challenge: v.object({ challenge: bytesOf(64), time: uint }),
  login: v.object({
    session: textUpTo(2_048, 1),
    ephemeral: bytesOf(32),
    time: uint,
    expires: uint,
    statement: v.nullable(signedStatement),
    generation: v.nullable(positive),
    epoch: v.nullable(positive),
    head: v.nullable(signedHead),
    record: v.nullable(stored),
    history,
  }),
  statement: v.object({ statement: v.nullable(signedStatement) }),
  head: v.object({ ...current, head: v.nullable(signedHead), history }),
  record: v.object({
    ...current,
    record: v.nullable(stored),
    head: v.nullable(signedHead),
    statement: v.nullable(signedStatement),
    history,
  }),
  rows: v.object({ ...current, rows, more: v.boolean(), proof: v.nullable(proof) }),
  table: v.object({ ...current, rows, next: v.nullable(bytesOf(40)) }),
  changes: v.object({ ...current, rows, removed: v.array(v.strictTuple([hash, uint])), next: v.nullable(bytesOf(40)) }),
  inbox: v.object({ entries: v.array(v.strictTuple([positive, signedSubmission])), next: v.nullable(positive) }),
  inboxPart: v.object({ part: bytesUpTo(LIMITS.maxRowBytes, 1) }),
  pushBegin: v.object({ received: ranges }),
  push: v.object({
    push: v.nullable(v.object({
      id,
      base: uint,
      epoch: positive,
      incarnation: id,
      full: v.boolean(),
      chunks: uint,
      received: ranges,
    })),
  }),
  pushTable: v.object({ rows, next: v.nullable(bytesOf(40)) }),
  pushCommit: v.object({ generation: positive }),
  empty: v.object({}),
  health: v.object({ ok: v.boolean(), time: uint }),
} as const;

/** Body of an error (RFC 9457, spec: CONV-09). */
export const PROBLEM = v.object({ type: v.string(), status: v.number(), code: v.string(), title: v.string() });

/** Media types of bodies (spec: CONV-08, CONV-09). */
export const MEDIA = { cbor: "application/cbor", problem: "application/problem+json" } as const;
