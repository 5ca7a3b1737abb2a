/** Whether a head builds on one that was seen before: pure, like judge_head.ts (spec: READ-07, TREE-06). */
import type { Bytes } from "../bytes/bytes.ts";
import { isPosternError, PosternError } from "../errors.ts";
import { historyLeafHash } from "../merkle/history.ts";
import { verifyInclusion } from "../merkle/history_proofs.ts";
import type { SignedHead } from "./head.ts";
import type { HeadMemory } from "./judge_head.ts";

/**
 * Checks that the history of a newer head holds the remembered one, so that all in between was signed after it.
 *
 * @param head verified
 * @param memory a head of the same incarnation
 * @param path as the edge showed it with the head
 * @throws `forked` when the head does not build on the remembered one; `withheld` when the edge does not show whether it does
 */
// spec: READ-07, TREE-06
export function judgeHistory(
  { head }: Pick<SignedHead, "head">,
  memory: Pick<HeadMemory, "generation" | "hash">,
  path: readonly Bytes[] | null,
): void {
  if (head.generation <= memory.generation) return;
  const between = `the head of generation ${head.generation} builds on that of ${memory.generation}`;
  if (path === null) throw new PosternError("withheld", `The edge does not show that ${between}`);
  const { size, root } = head.history;
  const index = size - (head.generation - memory.generation);
  try {
    verifyInclusion({ index, size, leafHash: historyLeafHash(memory.hash), root }, path);
  } catch (cause) {
    if (!isPosternError(cause, "tampered")) throw cause;
    throw new PosternError("forked", `It is not so that ${between}: the manager's history was rewritten`, { cause });
  }
}
