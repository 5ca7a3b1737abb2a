/** Survivors in what a device verifies by: trees, heads, contents, the client. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const DEVICE: readonly Survivor[] = [
  ...because(
    "A whole proof has one leaf or hash more than it has inner nodes, so an odd number of nodes: 4,096 are tampered either way",
    ["shared/merkle/verify_proof.ts", "if (proof.length > LIMITS.maxProofNodes) {", "> becomes >="],
  ),
  ...because(
    "Two leaves with one key cannot both be on their side of the node where their paths part",
    [
      "shared/merkle/verify_proof.ts",
      "const rises = this.#lastKey === null || compareBytes(this.#lastKey, key) < 0;",
      "< becomes <=",
    ],
  ),
  ...because(
    "A path that goes on behind its end makes another hash, and so is refused at its end; this only spares the hashing",
    ["shared/merkle/history_proofs.ts", "if (last === 0) throw notIncluded(claim);", NEVER],
  ),
  ...because(
    "Keys that ascend differ from their predecessors in a bit once only, below one and the same node",
    [
      "shared/merkle/sorted_root.ts",
      "for (let last = open.at(-1); last !== undefined && last.bit > bit; last = open.at(-1)) {",
      "> becomes >=",
    ],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/protocol/judge_history.ts", 'if (!isPosternError(cause, "tampered")) throw cause;', NEVER],
    ["shared/protocol/contents.ts", "if (!isPosternError(error)) throw error;", NEVER],
    ["shared/client/verify/verify_contents.ts", "if (!isPosternError(error)) throw error;", NEVER],
    ["shared/client/verify/verify_table.ts", 'if (!isPosternError(cause, "malformed")) throw cause;', NEVER],
    ["shared/client/submit/draft_box.ts", "if (!isPosternError(cause)) throw cause;", NEVER],
  ),
  ...because(
    "What is no refusal has no code in either list that is looked at next, and is thrown there",
    ["shared/client/submit/delivery.ts", "if (!isPosternError(error)) throw error;", NEVER],
  ),
  ...because(
    "A number that comes again, or one that goes back, is refused by the proof, whose leaves have to rise",
    [
      "shared/client/verify/verify_list.ts",
      'if ("from" in range) return number >= (before === undefined ? range.from : before + 1);',
      "+ becomes -",
    ],
  ),
  ...because(
    "Lists of one kind have names of one type; equalBytes() is as right for two texts, and the compiler asks for the difference",
    [
      "shared/protocol/contents.ts",
      'if (typeof a.name === "string" || typeof b.name === "string") return a.name === b.name;',
      NEVER,
      "|| becomes &&",
    ],
  ),
  ...because(
    "Spares work and memory; what comes out is the same",
    [
      "shared/protocol/row.ts",
      'const [, table, token, number, extra, nonce, ciphertext, mac] = decodeAs(storedRow, bytes, "row", { views: true });',
      "true becomes false",
    ],
    [
      "shared/protocol/row.ts",
      "return length > paddedBuffer.length",
      "> becomes >=",
      ALWAYS,
    ],
    ["shared/protocol/row.ts", "if (head === undefined) {", ALWAYS],
    [
      "shared/protocol/row.ts",
      "if (before.length !== length) before = { length, head: concat(ROW_HASH_HEAD, bytesHead(length)) };",
      ALWAYS,
    ],
    [
      "shared/protocol/shapes.ts",
      "const result = v.safeParse(schema, value, { abortEarly: true });",
      "true becomes false",
    ],
    [
      "shared/client/verify/verifier.ts",
      "const statement = isSame ? before : await verifyStatement(signed, this.profile.owner);",
      NEVER,
    ],
    [
      "shared/client/verify/verifier.ts",
      "if (this.#statement !== null && equalBytes(this.#statement.signed, signed)) return this.#statement;",
      NEVER,
    ],
  ),
  ...because(
    "A copy that is proven by its contents holds no cover rows, so none is ever removed from it",
    [
      "shared/client/copy/copied_contents.ts",
      "if (place !== null) this.#tree.delete(contentLeaf(place.list, place.number, plaintext).key);",
      ALWAYS,
    ],
  ),
  ...because(
    "How many rows are opened at once changes how long it takes, and nothing else",
    ["shared/client/copy/copied_contents.ts", "if (batch.push(row) < BATCH) continue;", NEVER, ALWAYS, "< becomes <="],
  ),
  ...because(
    "Rows of devices are the manager's by their MACs, and as many and the same by the content root; it keeps what COPY-04 asks for later",
    [
      "shared/client/copy/copy_carry.ts",
      "tables.devices.requireState(view.head.head.tables.devices);",
      "the check is taken out",
    ],
  ),
  ...because(
    "decodeChanges() knows no list of another table",
    [
      "shared/client/copy/copy_lists.ts",
      'if (name === undefined || !isCopied(name)) throw new PosternError("tampered", "A change list names another list");',
      NEVER,
      "|| becomes &&",
    ],
  ),
  ...because(
    "openAsked() lets nothing else stand in that list",
    ["shared/client/copy/copy_lists.ts", 'if (content.kind === "changes") yield content.changes;', ALWAYS],
  ),
  ...because(
    "Removes what is not there: no draft has null for its number",
    ["shared/client/memory/outbox_store.ts", "if (draft !== null) await removeDraft(memory, draft);", ALWAYS],
    ["shared/client/submit/delivery.ts", "if (draft !== null) await removeDraft(memory, draft);", ALWAYS],
  ),
  ...because(
    "Asks for nothing once more",
    ["shared/client/copy/copy_lists.ts", "for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {", "< becomes <="],
  ),
];
