/** The stored row: sealing, reading, hashing (shared/spec/rows.md). */
import * as v from "valibot";
import { type Bytes, concat, EMPTY, equalBytes } from "../bytes/bytes.ts";
import { type Allocate, bytesHead, type CborInput, encodeCbor, uintAt } from "../bytes/cbor.ts";
import { pad, paddedLength, unpadFurther } from "../bytes/padding.ts";
import { openAead, sealAead } from "../crypto/aead.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { hmacSha256, sha256 } from "../crypto/hash.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { TOKEN_BYTES, treeKey } from "../merkle/tree_hash.ts";
import type { EpochKeys } from "./epoch_keys.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, textUpTo, uint } from "./shapes.ts";
import { TABLE_NAMES, type TableNumber, TABLES } from "./tables.ts";
import type { RowKey } from "./token.ts";

const ROW_VERSION = 1;
const MAC_BYTES = 32;
const NO_MAC: Bytes = new Uint8Array(MAC_BYTES);
/** Fields under the MAC: table to ciphertext. They begin behind the head of the array and the version. */
const MAC_FIELDS = 6;
const FIELDS_AT = 2;

/** What `enc([label, row])` begins with, before the head of the row. */
const ROW_HASH_HEAD: Bytes = encodeCbor([LABELS.rowHash, null]).slice(0, -1);

const deviceExtra = v.strictTuple([
  bytesOf(16),
  positive,
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  textUpTo(32, 1),
  bytesUpTo(LIMITS.maxEncapsulatedBytes),
  bytesUpTo(LIMITS.maxWrappedKeyBytes, 1),
]);

const storedRow = v.strictTuple([
  v.literal(ROW_VERSION),
  v.picklist([1, 2, 3, 4] as const),
  bytesOf(32),
  uint,
  v.nullable(deviceExtra),
  bytesOf(12),
  bytesUpTo(LIMITS.maxRowBytes, 16),
  bytesOf(MAC_BYTES),
]);

/** What a row of table 1 has in clear: the login key for the edge, the wrapped sym key for the device. */
export interface DeviceExtra {
  readonly device: Bytes;
  readonly registration: number;
  /** DER SubjectPublicKeyInfo of the key that the device logs in with. */
  readonly publicKey: Bytes;
  readonly suite: string;
  readonly encapsulated: Bytes;
  readonly wrapped: Bytes;
}

/** A row as it is stored, decoded but not verified. */
export interface StoredRow extends RowKey {
  readonly extra: DeviceExtra | null;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly mac: Bytes;
}

/**
 * Decodes a row's form without any key: what the edge can check, and what comes first everywhere (spec: ROW-06, ROW-07). What it gives
 * are views of the row.
 *
 * @throws `too_large`, `malformed`
 */
export function decodeRow(bytes: Bytes): StoredRow {
  if (bytes.length > LIMITS.maxRowBytes) {
    throw new PosternError("too_large", `A row has ${bytes.length} bytes; the limit is ${LIMITS.maxRowBytes}`);
  }
  const [, table, token, number, extra, nonce, ciphertext, mac] = decodeAs(storedRow, bytes, "row", { views: true });
  if ((extra !== null) !== (table === 1)) {
    throw new PosternError("malformed", "A row has the device fields exactly when it is of the table of devices");
  }
  return { table, token, number, extra: extra === null ? null : decodeExtra(extra), nonce, ciphertext, mac };
}

/** What rows begin with, by their tables: everything before the token. */
const FRONTS = TABLE_NAMES.map((name) => {
  const fields = [TABLES[name], new Uint8Array(TOKEN_BYTES), null, null, null, null];
  return encodeCbor([ROW_VERSION, ...fields, null]).slice(0, FIELDS_AT + 1 + bytesHead(TOKEN_BYTES).length);
});

/**
 * The key of the tree that a row of a table names, from its first bytes alone: for those who hold the hash of the whole row against what
 * was signed, which no row of another form has.
 *
 * @throws `malformed` for what does not begin like a row of that table
 */
export function treeKeyOfRow(table: TableNumber, row: Bytes): Bytes {
  const front = FRONTS[table - 1] ?? EMPTY;
  if (!equalBytes(row.subarray(0, front.length), front)) {
    throw new PosternError("malformed", `What stands here does not begin like a row of table ${table}`);
  }
  const end = front.length + TOKEN_BYTES;
  return treeKey(row.subarray(front.length, end), uintAt(row, end));
}

/**
 * Seals a plaintext into the stored row of a place (spec: ROW-03, ROW-04). One key seals at most 2^32 rows (spec: KEY-04).
 *
 * @param allocate where the row is written; by default into an array of its own
 * @param least padded bytes of the plaintext at least, a length that {@link paddedLength} gives
 * @throws `too_large` when the row would pass the limit (spec: ROW-06)
 */
export async function sealRow(
  keys: EpochKeys,
  place: RowKey,
  extra: DeviceExtra | null,
  plaintext: Bytes,
  random: RandomBytes,
  allocate?: Allocate,
  least = 0,
): Promise<Bytes> {
  const { encryption, mac } = keys.tables[place.table];
  const nonce = random(12);
  const ciphertext = await sealAead(encryption, nonce, padded(plaintext, least), associatedData(keys, place));
  const fields = [place.table, place.token, place.number, encodeExtra(extra), nonce, ciphertext];
  const row = encodeCbor([ROW_VERSION, ...fields, NO_MAC], allocate);
  if (row.length > LIMITS.maxRowBytes) {
    throw new PosternError("too_large", `A row would have ${row.length} bytes; the limit is ${LIMITS.maxRowBytes}`);
  }
  // The MAC is over the very bytes of the fields that stand in the row, which so need not be written a second time.
  const authenticated = row.subarray(FIELDS_AT, row.length - MAC_BYTES - bytesHead(MAC_BYTES).length);
  row.set(hmacSha256(mac, macHead(keys), authenticated), row.length - MAC_BYTES);
  return row;
}

/** Padded plaintexts of ordinary rows, one after the other: WebCrypto copies what it is given before it returns. */
const paddedBuffer = new Uint8Array(16_384);

function padded(plaintext: Bytes, least: number): Bytes {
  const length = Math.max(paddedLength(plaintext.length), least);
  return length > paddedBuffer.length
    ? pad(plaintext, new Uint8Array(length))
    : pad(plaintext, paddedBuffer.subarray(0, length));
}

/**
 * Verifies a row that was asked for at this place and opens it (spec: ROW-07).
 *
 * @returns the plaintext without padding
 * @throws `tampered` when anything about it is not what the manager stored there; `malformed` and `too_large` for its form
 */
export async function openRow(keys: EpochKeys, place: RowKey, bytes: Bytes): Promise<Bytes> {
  return await openVerified(keys, verifyRow(keys, place, bytes));
}

/**
 * Verifies and opens a row at the place that it names itself, for readers of whole tables, who check afterwards that the place is that
 * of the plaintext (spec: ROW-07).
 *
 * @returns the plaintext without padding
 * @throws `tampered`
 */
export async function openDecodedRow(keys: EpochKeys, row: StoredRow): Promise<Bytes> {
  requireMac(keys, row);
  return await openVerified(keys, row);
}

async function openVerified(keys: EpochKeys, row: StoredRow): Promise<Bytes> {
  const { encryption } = keys.tables[row.table];
  return unpadFurther(await openAead(encryption, row.nonce, row.ciphertext, associatedData(keys, row)));
}

/** Checks form, place and MAC of a row, without opening it. */
function verifyRow(keys: EpochKeys, place: RowKey, bytes: Bytes): StoredRow {
  const row = decodeRow(bytes);
  if (row.table !== place.table || row.number !== place.number || !equalBytes(row.token, place.token)) {
    throw new PosternError("tampered", "The edge answered with a row of another place");
  }
  requireMac(keys, row);
  return row;
}

/** Checks the MAC of a row at the place that it names itself (spec: ROW-04). @throws `tampered` */
export function requireMac(keys: EpochKeys, row: StoredRow): void {
  const fields = [row.table, row.token, row.number, encodeExtra(row.extra), row.nonce, row.ciphertext];
  if (!constantTimeEqual(row.mac, hmacSha256(keys.tables[row.table].mac, macInput(keys, fields)))) {
    throw new PosternError("tampered", "The MAC of a row does not fit: it is not what the manager stored");
  }
}

/** The row hash, value of the row's leaf in the tree of its table (spec: ROW-05). */
export function rowHash(bytes: Bytes): Bytes {
  return sha256(beforeRow(bytes.length), bytes);
}

let before: { readonly length: number; readonly head: Bytes } = { length: -1, head: EMPTY };

/** What `enc([label, row])` has before a row of that length; sizes are padded, so most are as long as the last one. */
function beforeRow(length: number): Bytes {
  if (before.length !== length) before = { length, head: concat(ROW_HASH_HEAD, bytesHead(length)) };
  return before.head;
}

function associatedData({ owner, incarnation, epoch }: EpochKeys, { table, token, number }: RowKey): Bytes {
  return encodeCbor([LABELS.rowAad, owner, incarnation, epoch, table, token, number]);
}

function macInput({ owner, incarnation, epoch }: EpochKeys, fields: readonly CborInput[]): Bytes {
  return encodeCbor([LABELS.rowMac, owner, incarnation, epoch, ...fields]);
}

const macHeads = new WeakMap<EpochKeys, Bytes>();

/** What {@link macInput} begins with, before the fields: the same for all rows of an epoch. */
function macHead(keys: EpochKeys): Bytes {
  let head = macHeads.get(keys);
  if (head === undefined) {
    const none = new Array<null>(MAC_FIELDS).fill(null);
    // Each null is one byte.
    head = macInput(keys, none).slice(0, -MAC_FIELDS);
    macHeads.set(keys, head);
  }
  return head;
}

function encodeExtra(extra: DeviceExtra | null): CborInput[] | null {
  if (extra === null) return null;
  return [extra.device, extra.registration, extra.publicKey, extra.suite, extra.encapsulated, extra.wrapped];
}

function decodeExtra(fields: v.InferOutput<typeof deviceExtra>): DeviceExtra {
  const [device, registration, publicKey, suite, encapsulated, wrapped] = fields;
  return { device, registration, publicKey, suite, encapsulated, wrapped };
}
