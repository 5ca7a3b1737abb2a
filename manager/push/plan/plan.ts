/** What a push sends: which entries, in which order, cut into chunks. Deterministic, so that a push can be resumed. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { paddedLength } from "../../../shared/bytes/padding.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import type { RowKey } from "../../../shared/protocol/token.ts";
import type { EntryList, PlannedEntry } from "./entry_list.ts";
import { shuffle } from "./order.ts";

/** A row that goes, with the key of its content leaf. */
export interface PlannedRemoval extends RowKey {
  readonly contentKey: Bytes;
}

/** One chunk: entries by id, and rows that go. */
export interface PlannedChunk {
  readonly entries: readonly number[];
  readonly remove: readonly PlannedRemoval[];
}

/** Everything of a stored row but its ciphertext's padded plaintext: token, nonce, tag, MAC, CBOR heads. */
const ROW_OVERHEAD_BYTES = 160;
/** The clear part of a device's row at most: key, encapsulation, wrapped key. */
const DEVICE_EXTRA_BYTES = LIMITS.maxSpkiBytes + LIMITS.maxEncapsulatedBytes + LIMITS.maxWrappedKeyBytes + 96;
/** A removal: table, token, number. */
const REMOVAL_BYTES = 48;
/**
 * Bytes of a chunk, but for one with a single larger row: half of what a request may have, because a chunk is in memory in four places
 * at once on this side alone, and smaller ones take as much processor time (measured with 100,000 rows).
 */
const CHUNK_BYTES = 524_288;

/**
 * Cuts a push into chunks that each fit into one request (spec: PUSH-02, CONV-08).
 *
 * @param secret the push's own
 * @param least padded bytes that any row may have, however short it is; a larger one may have a quarter more than it needs
 */
export function planChunks(
  entries: EntryList,
  removals: readonly PlannedRemoval[],
  secret: Bytes,
  least = 0,
): PlannedChunk[] {
  const chunks: { entries: number[]; remove: PlannedRemoval[]; bytes: number }[] = [];
  const open = (bytes: number, kind: "entries" | "remove") => {
    const last = chunks.at(-1);
    if (last !== undefined && last.bytes + bytes <= CHUNK_BYTES && last[kind].length < LIMITS.maxChunkRows) return last;
    const fresh = { entries: [], remove: [], bytes: 0 };
    chunks.push(fresh);
    return fresh;
  };
  for (const index of shuffled(removals.length, secret)) {
    const removal = removals[index];
    if (removal === undefined) continue;
    const chunk = open(REMOVAL_BYTES, "remove");
    chunk.remove.push(removal);
    chunk.bytes += REMOVAL_BYTES;
  }
  for (const index of shuffled(entries.length, secret)) {
    const entry = entries.at(index);
    const bytes = rowBytes(entry, least);
    const chunk = open(bytes, "entries");
    chunk.entries.push(entry.id);
    chunk.bytes += bytes;
  }
  return chunks;
}

function shuffled(length: number, secret: Bytes): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  shuffle(order, secret);
  return order;
}

/** An upper bound of the bytes of a stored row in a chunk. */
function rowBytes({ tbl, size }: PlannedEntry, least: number): number {
  const extra = tbl === TABLES.devices ? DEVICE_EXTRA_BYTES : 0;
  return Math.max(paddedLength(size), least) + ROW_OVERHEAD_BYTES + extra;
}
