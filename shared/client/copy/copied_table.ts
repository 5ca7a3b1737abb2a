/** What a device keeps in memory of a table in its copy: the tree, to know that it is the one signed, and which rows each list has. */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { PosternError } from "../../errors.ts";
import { StateTree } from "../../merkle/state_tree.ts";
import { type Leaf, TOKEN_BYTES } from "../../merkle/tree_hash.ts";
import type { TableState } from "../../protocol/head.ts";
import type { Range } from "../session/calls.ts";

export class CopiedTable {
  readonly #tree = new StateTree();
  /** Numbers of the rows of each list, ascending, by the list's token in hexadecimal. */
  readonly #lists = new Map<string, number[]>();

  /** Count and root as they are. */
  get state(): TableState {
    return { count: this.#tree.size, root: this.#tree.root() };
  }

  /** The row hash of a key. */
  hashOf(key: Bytes): Bytes | undefined {
    return this.#tree.get(key);
  }

  /** Puts a row in; returns the row hash that was there before. */
  put(leaf: Leaf): Bytes | undefined {
    const before = this.#tree.get(leaf.key);
    this.#tree.set(leaf);
    if (before !== undefined) return before;
    const { list, number } = placeOf(leaf.key);
    const numbers = this.#lists.get(list) ?? [];
    this.#lists.set(list, numbers);
    numbers.splice(lowerBound(numbers, number), 0, number);
    return undefined;
  }

  /** Takes a row out; returns the row hash that was there before. */
  remove(key: Bytes): Bytes | undefined {
    const before = this.#tree.get(key);
    if (before === undefined) return undefined;
    this.#tree.delete(key);
    const { list, number } = placeOf(key);
    const numbers = this.#lists.get(list) ?? [];
    numbers.splice(lowerBound(numbers, number), 1);
    if (numbers.length === 0) this.#lists.delete(list);
    return before;
  }

  /** The numbers of a list within a range, in its order: at most `limit`. */
  numbers(token: Bytes, range: Range, limit: number): number[] {
    const numbers = this.#lists.get(toHex(token)) ?? [];
    if ("from" in range) {
      const first = lowerBound(numbers, range.from);
      return numbers.slice(first, first + limit);
    }
    const end = lowerBound(numbers, range.before);
    return numbers.slice(Math.max(0, end - limit), end).reverse();
  }

  /** @throws `withheld` when rows are missing, `tampered` when it is another table (spec: TREE-04) */
  requireState({ count, root }: TableState): void {
    if (this.#tree.size < count) {
      throw new PosternError("withheld", `The edge shows ${this.#tree.size} of the ${count} rows of a table`);
    }
    if (this.#tree.size > count || !equalBytes(this.#tree.root(), root)) {
      throw new PosternError("tampered", "The rows of a table are not those that the manager signed");
    }
  }
}

function placeOf(key: Bytes): { readonly list: string; readonly number: number } {
  const number = new DataView(key.buffer, key.byteOffset + TOKEN_BYTES).getBigUint64(0);
  return { list: toHex(key.subarray(0, TOKEN_BYTES)), number: Number(number) };
}

/** Index of the first number that is not below `number`. */
function lowerBound(numbers: readonly number[], number: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
