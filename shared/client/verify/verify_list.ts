/** What an answer about a list claims, and that it is true (shared/spec/reading.md, READ-09). */
import type { Bytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import type { ProofNode } from "../../merkle/proof_node.ts";
import { KEY_BYTES, type Leaf, treeKey } from "../../merkle/tree_hash.ts";
import { verifyProof } from "../../merkle/verify_proof.ts";
import { TABLE_NAMES } from "../../protocol/tables.ts";
import type { RowKey } from "../../protocol/token.ts";
import type { Range } from "../session/calls.ts";
import type { View } from "./view.ts";

/** A row by its place in a list and its hash. */
export interface HashedRow {
  readonly number: number;
  readonly hash: Bytes;
}

/** An answer, its rows opened. */
export interface ListAnswer {
  /** In the order asked for. */
  readonly rows: readonly HashedRow[];
  readonly more: boolean;
  readonly proof: readonly ProofNode[] | null;
}

/**
 * Checks an answer about a range of a list against the head of the view.
 *
 * @param list as table and token
 * @throws `tampered` for rows that are not those signed, or not those asked for; `withheld` when rows may be missing
 */
// spec: READ-06, READ-09
export function verifyList(
  view: View,
  list: Omit<RowKey, "number">,
  range: Range,
  answer: ListAnswer,
): void {
  const { table, token } = list;
  const { rows, more, proof } = answer;
  requireOrder(rows.map(({ number }) => number), range);
  if (more && rows.length === 0) {
    throw new PosternError("tampered", "The edge says that there are more rows, and shows none");
  }
  if (proof === null) throw new PosternError("withheld", "The edge does not prove that what it shows is all there is");
  const leaves = rows.map(({ number, hash }): Leaf => ({ key: treeKey(token, number), rowHash: hash }));
  const isAscending = "from" in range;
  const first = treeKey(token, isAscending ? range.from : range.before - 1);
  const end = more ? leaves.at(-1)?.key : undefined;
  const claim = isAscending
    ? { lowest: first, highest: end ?? endOfList(token), rows: leaves }
    : { lowest: end ?? treeKey(token, 0), highest: first, rows: leaves.reverse() };
  const { root } = view.head.head.tables[TABLE_NAMES[table - 1] ?? "devices"];
  verifyProof(proof, claim, root);
}

/** The last key that any row of the list could have. */
function endOfList(token: Bytes): Bytes {
  const key = new Uint8Array(KEY_BYTES).fill(0xff);
  key.set(token);
  return key;
}

/** Numbers within the range and in its order, so that none stands twice. */
function requireOrder(numbers: readonly number[], range: Range): void {
  const inOrder = numbers.every((number, index) => {
    const before = numbers[index - 1];
    if ("from" in range) return number >= (before === undefined ? range.from : before + 1);
    return number < (before === undefined ? range.before : before);
  });
  if (!inOrder) {
    throw new PosternError("tampered", "The edge answers with rows that were not asked for, or out of order");
  }
}

/** @throws `usage` for a range that holds nothing whatever the list has */
export function requireRange(range: Range): void {
  if ("before" in range && range.before < 1) throw new PosternError("usage", "Nothing of a list is before number 0");
}
