/** What a publisher keeps of a tree: 32 bytes, whatever the size of the fleet (spec: COVER-03). */
import type { Bytes } from "../bytes/bytes.ts";
import { secretKey } from "../crypto/brand.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { Redacted, reveal } from "../crypto/redacted.ts";
import {
  COVER_KEY_BYTES,
  type CoverKey,
  everyoneLabel,
  type Label,
  labelBelow,
  type NodeKey,
  nodeKey,
  startLabel,
  treeId,
} from "./derive.ts";
import type { Subset } from "./subsets.ts";
import { checkDepth, DEFAULT_COVER_DEPTH, NO_NODE } from "./tree.ts";

/** The secret of one tree. Whoever has it reads every release that was and will be sealed to the tree. */
export class CoverSecret {
  readonly depth: number;
  /** 16 bytes, public. */
  readonly tree: Bytes;
  readonly #key: Redacted<CoverKey>;

  /**
   * @param bytes 32 random ones; for another depth they make another tree
   * @throws `unsupported` for another length or depth
   */
  constructor(bytes: Bytes, depth: number = DEFAULT_COVER_DEPTH) {
    checkDepth(depth);
    const key = secretKey<"CoverKey">(bytes.slice());
    this.depth = depth;
    this.tree = treeId(key, depth);
    this.#key = new Redacted(key);
  }

  /** A tree that nobody has a key of yet. */
  static create(random: RandomBytes, depth: number = DEFAULT_COVER_DEPTH): CoverSecret {
    return new CoverSecret(random(COVER_KEY_BYTES), depth);
  }

  /** What is to be kept, 32 secret bytes. */
  revealBytes(): Bytes {
    return reveal(this.#key).slice();
  }

  nodeKey(node: number): NodeKey {
    return nodeKey(reveal(this.#key), this.depth, node);
  }

  startLabel(node: number): Label {
    return startLabel(reveal(this.#key), this.depth, node);
  }

  everyoneLabel(): Label {
    return everyoneLabel(reveal(this.#key), this.depth);
  }

  /** The label that the instances of a subset can derive, and nobody else. */
  labelOf({ within, without }: Subset): Label {
    return without === NO_NODE ? this.everyoneLabel() : labelBelow(this.startLabel(within), within, without);
  }
}
