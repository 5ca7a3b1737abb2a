/** Trees as far as their blocks were read lately, with the hashes that proofs needed of them. */
import { LIMITS } from "../../shared/limits.ts";
import type { GrownBlock } from "../../shared/merkle/grown_block.ts";

/** Which tree. A space belongs to one owner, and its number is never used again. */
export interface TreeName {
  readonly space: number;
  readonly table: number;
  readonly generation: number;
}

interface Kept {
  readonly generation: number;
  readonly root: GrownBlock;
  blocks: number;
}

/**
 * What stands near the top of a tree is on the way of every key, and a generation is read for minutes. Blocks hang below each other,
 * so they are forgotten a tree at a time: one of a generation that has passed with the next one's, and all when there are too many.
 */
export class BlockCache {
  readonly #most: number;
  readonly #trees = new Map<string, Kept>();
  #blocks = 0;

  /** @param most blocks that are kept, all together */
  constructor(most: number = LIMITS.cachedBlocks) {
    this.#most = most;
  }

  /** The block of the empty path. */
  root(tree: TreeName): GrownBlock | undefined {
    const kept = this.#trees.get(nameOf(tree));
    return kept?.generation === tree.generation ? kept.root : undefined;
  }

  /** Keeps the block of the empty path, and from now on those that are put below it. */
  keep(tree: TreeName, root: GrownBlock): void {
    this.#forget(nameOf(tree));
    this.#trees.set(nameOf(tree), { generation: tree.generation, root, blocks: 0 });
    this.count(tree);
  }

  /** Counts a block that was put into a tree; when there are too many, all trees are forgotten. */
  count(tree: TreeName): void {
    const kept = this.#trees.get(nameOf(tree));
    // Readers may go on with a tree that was forgotten meanwhile; it goes with them.
    if (kept?.generation !== tree.generation) return;
    kept.blocks += 1;
    this.#blocks += 1;
    if (this.#blocks <= this.#most) return;
    this.#trees.clear();
    this.#blocks = 0;
  }

  #forget(name: string): void {
    this.#blocks -= this.#trees.get(name)?.blocks ?? 0;
    this.#trees.delete(name);
  }
}

function nameOf({ space, table }: TreeName): string {
  return `${space} ${table}`;
}
