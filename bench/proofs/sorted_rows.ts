/** Keys of rows in numbers, as a table has them: random tokens, in order. */
import { type Bytes, compareBytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { shortSha256 } from "../../shared/crypto/short_sha256.ts";
import { KEY_BYTES, type Leaf, TOKEN_BYTES } from "../../shared/merkle/tree_hash.ts";

/** What WebCrypto gives at once. */
const MAX_RANDOM = 65_536;
/** By so many bytes, as a number, keys are sorted: of a million keys, one time in 500 two begin alike. */
const SORTED_BYTES = 6;

/** Rows with keys that ascend. */
export class SortedRows {
  readonly count: number;
  readonly #keys: Bytes;

  constructor(count: number) {
    this.count = count;
    this.#keys = sortedKeys(count);
  }

  /** The row of this number. */
  at(number: number): Leaf {
    const key = this.#keyAt(number);
    return { key, rowHash: shortSha256(key) };
  }

  /** The keys before and after one that no row has; null where there is none. */
  beside(key: Bytes): { readonly before: Bytes | null; readonly after: Bytes | null } {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.#keyAt(middle), key) < 0) low = middle + 1;
      else high = middle;
    }
    return { before: low > 0 ? this.#keyAt(low - 1) : null, after: low < this.count ? this.#keyAt(low) : null };
  }

  #keyAt(number: number): Bytes {
    return this.#keys.subarray(number * KEY_BYTES, (number + 1) * KEY_BYTES);
  }
}

/** Each is the only one of its list: a random token, and the number 0. */
function sortedKeys(count: number): Bytes {
  const beginnings = sortedBeginnings(count);
  const keys = new Uint8Array(count * KEY_BYTES);
  const view = new DataView(keys.buffer);
  const random = randomBytes(count * (TOKEN_BYTES - SORTED_BYTES));
  for (let number = 0; number < count; number++) {
    const start = number * KEY_BYTES;
    const beginning = beginnings[number] ?? 0;
    view.setUint16(start, Math.floor(beginning / 2 ** 32));
    view.setUint32(start + 2, beginning % 2 ** 32);
    const rest = number * (TOKEN_BYTES - SORTED_BYTES);
    keys.set(random.subarray(rest, rest + TOKEN_BYTES - SORTED_BYTES), start + SORTED_BYTES);
  }
  return keys;
}

/** Different numbers of 48 bits, ascending. */
function sortedBeginnings(count: number): Float64Array {
  const beginnings = Float64Array.from({ length: count }, () => Math.floor(Math.random() * 2 ** (8 * SORTED_BYTES)));
  beginnings.sort();
  const isClear = beginnings.every((beginning, index) => beginning !== beginnings[index + 1]);
  return isClear ? beginnings : sortedBeginnings(count);
}

function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_RANDOM) {
    bytes.set(webCryptoRandom(Math.min(MAX_RANDOM, length - at)), at);
  }
  return bytes;
}
