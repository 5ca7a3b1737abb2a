/** Trees as far as their blocks were read lately, with the hashes that proofs needed of them. */
import { LIMITS } from "../../../shared/limits.ts";
import { belowsOf, type GrownBlock } from "../../../shared/merkle/grown_block.ts";

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
 * What stands near the top of a tree is on the way of every key, and a generation is read for minutes. A tree of a generation that has
 * passed is forgotten with the next one's; when there are too many blocks, the lower levels of all trees are.
 */
export class BlockCache {
  readonly #most: number;
  readonly #trees = new Map<string, Kept>();
  #blocks = 0;
  #cuts = 0;

  /** @param most blocks that are kept, all together */
  constructor(most: number = LIMITS.cachedBlocks) {
    this.#most = most;
  }

  /** How often lower levels were forgotten: a reader whose way ends all at once in between reads it again. */
  get cuts(): number {
    return this.#cuts;
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

  /** Counts a block that was put into a tree. */
  count(tree: TreeName): void {
    const kept = this.#trees.get(nameOf(tree));
    // Readers may go on with a tree that was forgotten meanwhile; it goes with them.
    if (kept?.generation !== tree.generation) return;
    kept.blocks += 1;
    this.#blocks += 1;
    if (this.#blocks > this.#most) this.#cut();
  }

  /** Forgets as many of the lowest levels of all trees as it takes to have at most half of the blocks left; all trees, if they are many. */
  #cut(): void {
    this.#cuts += 1;
    const levels: number[] = [];
    for (const { root } of this.#trees.values()) countLevels(root, levels);
    let length = 0;
    for (
      let left = this.#most / 2 - (levels[0] ?? 0);
      left >= 0 && length < levels.length;
      left -= levels[length] ?? 0
    ) {
      length += 1;
    }
    if (length === 0) this.#trees.clear();
    this.#blocks = 0;
    for (const kept of this.#trees.values()) this.#blocks += kept.blocks = cutBelow(kept.root, length);
  }

  #forget(name: string): void {
    this.#blocks -= this.#trees.get(name)?.blocks ?? 0;
    this.#trees.delete(name);
  }
}

function nameOf({ space, table }: TreeName): string {
  return `${space} ${table}`;
}

/** Adds up blocks by the lengths of their paths. */
function countLevels(block: GrownBlock, levels: number[]): void {
  const { length } = block.path;
  levels[length] = (levels[length] ?? 0) + 1;
  for (const { below } of belowsOf(block)) if (below !== null) countLevels(below, levels);
}

/** Takes away the blocks whose paths have so many digits or more. @returns how many are left */
function cutBelow(block: GrownBlock, length: number): number {
  let left = 1;
  for (const node of belowsOf(block)) {
    if (node.below === null) continue;
    if (node.below.path.length >= length) node.below = null;
    else left += cutBelow(node.below, length);
  }
  return left;
}
