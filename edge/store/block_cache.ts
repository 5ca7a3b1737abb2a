/** Blocks of trees that were read lately, grown and with the hashes that proofs needed of them. */
import { LIMITS } from "../../shared/limits.ts";
import type { BlockTree } from "../../shared/merkle/assemble_proof.ts";
import { Recent } from "../recent.ts";

/** Which tree a block is of. A space belongs to one owner, and its number is never used again. */
export interface TreeName {
  readonly space: number;
  readonly generation: number;
  readonly table: number;
}

/**
 * What stands near the top of a tree is on the way of every key, and a generation is read for minutes. A block is kept under the first
 * digits of the keys below it, as many as its parent's path has and one more: that is where a key's way enters it.
 */
export class BlockCache {
  readonly #blocks = new Recent<BlockTree>(LIMITS.cachedBlocks);

  get(tree: TreeName, beginning: string): BlockTree | undefined {
    return this.#blocks.get(nameOf(tree, beginning));
  }

  set(tree: TreeName, beginning: string, block: BlockTree): void {
    this.#blocks.set(nameOf(tree, beginning), block);
  }
}

function nameOf({ space, generation, table }: TreeName, beginning: string): string {
  return `${space} ${generation} ${table} ${beginning}`;
}
