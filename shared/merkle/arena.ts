/**
 * Where the nodes of a state tree are kept: numbered records in typed arrays, because a million objects would take
 * several times the memory and keep the garbage collector busy. A leaf takes 104 bytes, an inner node 42.
 */
import { SHA256_BYTES } from "../crypto/hash.ts";
import { KEY_BYTES, type Leaf, leafHash } from "./tree_hash.ts";

/** Records in one chunk: small enough for small trees, and growing never copies. */
const CHUNK = 1024;

/** Hands out record numbers from 0, those given back first. */
class Numbers {
  readonly #free: number[] = [];
  #next = 0;

  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  giveBack(record: number): void {
    this.#free.push(record);
  }
}

const ROW_HASH_AT = KEY_BYTES;
const HASH_AT = ROW_HASH_AT + SHA256_BYTES;
const LEAF_BYTES = HASH_AT + SHA256_BYTES;

/** The leaves: key, row hash and own hash, one behind the other. */
export class LeafArena {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #numbers = new Numbers();

  add(leaf: Leaf): number {
    const record = this.#numbers.take();
    if (record >= this.#chunks.length * CHUNK) this.#chunks.push(new Uint8Array(CHUNK * LEAF_BYTES));
    this.chunk(record).set(leaf.key, this.keyAt(record));
    this.setRowHash(record, leaf.rowHash);
    return record;
  }

  remove(record: number): void {
    this.#numbers.giveBack(record);
  }

  /** The array that holds the record; its key starts at {@link keyAt}. */
  chunk(record: number): Uint8Array<ArrayBuffer> {
    return chunkOf(this.#chunks, record);
  }

  keyAt(record: number): number {
    return (record % CHUNK) * LEAF_BYTES;
  }

  setRowHash(record: number, rowHash: Uint8Array): void {
    const chunk = this.chunk(record);
    const start = this.keyAt(record);
    chunk.set(rowHash, start + ROW_HASH_AT);
    chunk.set(leafHash(chunk.subarray(start, start + KEY_BYTES), rowHash), start + HASH_AT);
  }

  /** A view, valid until the record changes. */
  rowHash(record: number): Uint8Array<ArrayBuffer> {
    const start = this.keyAt(record) + ROW_HASH_AT;
    return this.chunk(record).subarray(start, start + SHA256_BYTES);
  }

  /** A view, valid until the record changes. */
  hash(record: number): Uint8Array<ArrayBuffer> {
    const start = this.keyAt(record) + HASH_AT;
    return this.chunk(record).subarray(start, start + SHA256_BYTES);
  }

  /** Key and row hash, copied. */
  leaf(record: number): Leaf {
    const start = this.keyAt(record);
    const chunk = this.chunk(record);
    return { key: chunk.slice(start, start + KEY_BYTES), rowHash: chunk.slice(start + ROW_HASH_AT, start + HASH_AT) };
  }
}

/** Set in a node's bit while its hash is out of date; bits of keys end at 319. */
const STALE = 0x8000;

/** The inner nodes: bit, two links, and a hash that may be out of date. What links mean is the tree's business. */
export class InnerArena {
  readonly #links: Int32Array[] = [];
  readonly #bits: Uint16Array[] = [];
  readonly #hashes: Uint8Array<ArrayBuffer>[] = [];
  readonly #numbers = new Numbers();

  /** Its hash is out of date from the start. */
  add(bit: number, left: number, right: number): number {
    const record = this.#numbers.take();
    if (record >= this.#bits.length * CHUNK) {
      this.#links.push(new Int32Array(2 * CHUNK));
      this.#bits.push(new Uint16Array(CHUNK));
      this.#hashes.push(new Uint8Array(CHUNK * SHA256_BYTES));
    }
    chunkOf(this.#bits, record)[record % CHUNK] = bit | STALE;
    this.setChild(record, 0, left);
    this.setChild(record, 1, right);
    return record;
  }

  remove(record: number): void {
    this.#numbers.giveBack(record);
  }

  bit(record: number): number {
    return this.#stored(record) & ~STALE;
  }

  isStale(record: number): boolean {
    return (this.#stored(record) & STALE) !== 0;
  }

  markStale(record: number): void {
    chunkOf(this.#bits, record)[record % CHUNK] = this.#stored(record) | STALE;
  }

  /** Side 0 is left, 1 is right. */
  child(record: number, side: number): number {
    return chunkOf(this.#links, record)[2 * (record % CHUNK) + side] ?? 0;
  }

  setChild(record: number, side: number, link: number): void {
    chunkOf(this.#links, record)[2 * (record % CHUNK) + side] = link;
  }

  /** A view, valid until the record changes. */
  hash(record: number): Uint8Array<ArrayBuffer> {
    const start = (record % CHUNK) * SHA256_BYTES;
    return chunkOf(this.#hashes, record).subarray(start, start + SHA256_BYTES);
  }

  setHash(record: number, hash: Uint8Array): void {
    chunkOf(this.#hashes, record).set(hash, (record % CHUNK) * SHA256_BYTES);
    chunkOf(this.#bits, record)[record % CHUNK] = this.bit(record);
  }

  #stored(record: number): number {
    return chunkOf(this.#bits, record)[record % CHUNK] ?? 0;
  }
}

function chunkOf<T>(chunks: readonly T[], record: number): T {
  const chunk = chunks[Math.floor(record / CHUNK)];
  if (chunk === undefined) throw new RangeError(`no record ${record}`);
  return chunk;
}
