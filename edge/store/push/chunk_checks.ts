/** What the edge can check of a chunk without any key: the form of its rows, and login keys of devices. Pure. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { algorithmOfSpki } from "../../../shared/crypto/signature.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { decodeRow, type DeviceExtra } from "../../../shared/protocol/row.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";

/** Body of a chunk, its shape checked. */
export interface ChunkBody {
  /** Stored rows. */
  readonly rows: readonly Bytes[];
  /** Row keys. */
  readonly remove: readonly (readonly [table: TableNumber, token: Bytes, number: number])[];
}

/** Numbers by table, in the order of their numbers. */
export type PerTable = readonly [devices: number, certificates: number, messages: number, changes: number];

/** A chunk as the database takes it: two large values and a list of numbers, however many rows there are. */
export interface PackedChunk {
  /** All rows, one after the other. */
  readonly bodies: Bytes;
  /** Their tokens, 32 bytes each. */
  readonly tokens: Bytes;
  /** `[[table, number, offset from 1, size]…]` as JSON. */
  readonly places: string;
  readonly devices: readonly PackedDevice[];
  readonly added: PerTable;
  readonly removedTokens: Bytes;
  /** `[[table, number]…]` as JSON. */
  readonly removedPlaces: string;
  readonly removed: PerTable;
}

/** What logins need of a row of table 1, and where that row is. */
export interface PackedDevice {
  readonly extra: DeviceExtra;
  readonly token: Bytes;
  readonly number: number;
}

/**
 * Decodes and packs a chunk.
 *
 * @throws `malformed` for a row whose form or public key is not allowed (spec: PUSH-02), `too_large` (spec: ROW-06)
 */
export function packChunk({ rows, remove }: ChunkBody): PackedChunk {
  const bodies = new Uint8Array(rows.reduce((sum, row) => sum + row.length, 0));
  const tokens = new Uint8Array(32 * rows.length);
  const places: [TableNumber, number, number, number][] = [];
  const devices: PackedDevice[] = [];
  let offset = 0;
  for (const [index, row] of rows.entries()) {
    const { table, token, number, extra } = decodeRow(row);
    if (extra !== null) {
      requireLoginKey(extra.publicKey);
      devices.push({ extra, token, number });
    }
    bodies.set(row, offset);
    tokens.set(token, 32 * index);
    places.push([table, number, offset + 1, row.length]);
    offset += row.length;
  }
  const removedTokens = new Uint8Array(32 * remove.length);
  for (const [index, [, token]] of remove.entries()) removedTokens.set(token, 32 * index);
  return {
    ...{ bodies, tokens, places: JSON.stringify(places), devices },
    ...{ removedTokens, removedPlaces: JSON.stringify(remove.map(([table, , number]) => [table, number])) },
    ...{ added: countByTable(places), removed: countByTable(remove) },
  };
}

function countByTable(entries: readonly (readonly [TableNumber, ...unknown[]])[]): PerTable {
  const counts = [0, 0, 0, 0] satisfies number[];
  for (const [table] of entries) counts[table - 1] = (counts[table - 1] ?? 0) + 1;
  const [devices = 0, certificates = 0, messages = 0, changes = 0] = counts;
  return [devices, certificates, messages, changes];
}

/** spec: KEY-01: a key that no login could be verified with is refused where it comes in. */
function requireLoginKey(spki: Bytes): void {
  try {
    algorithmOfSpki(spki);
  } catch (cause) {
    if (!isPosternError(cause, "unsupported")) throw cause;
    throw new PosternError("malformed", `A device has a key that cannot sign here: ${cause.message}`, { cause });
  }
}
