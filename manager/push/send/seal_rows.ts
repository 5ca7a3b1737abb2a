/** Turns entries into stored rows of an epoch. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Allocate } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { PosternError } from "../../../shared/errors.ts";
import { decodeDevice } from "../../../shared/protocol/plaintexts.ts";
import { type DeviceExtra, rowHash, sealRow } from "../../../shared/protocol/row.ts";
import { isTableNumber, type TableNumber, TABLES } from "../../../shared/protocol/tables.ts";
import { rowKeyOf } from "../../store/entries.ts";
import type { EntryRow } from "../plan/changes.ts";
import type { OpenEpoch } from "../epoch.ts";
import { rowNonce } from "../plan/order.ts";
import { listKey } from "../plan/pad_lists.ts";
import { PLAIN_SIZES, type RowSizes } from "../plan/pad_store.ts";
import type { StagedRow } from "../plan/staged.ts";

/** A row that is ready to be sent, and what to remember of it. */
export interface SealedRow {
  readonly bytes: Bytes;
  readonly staged: StagedRow;
}

/** Lists whose tokens are remembered. */
const TOKENS = 1_024;

/** Seals the entries of one push. */
export class RowSealer {
  readonly #epoch: OpenEpoch;
  readonly #secret: Bytes;
  readonly #sizes: RowSizes;
  /** By kind and name of the list: most rows stand in one with many others. */
  readonly #tokens = new Map<string, Bytes>();

  constructor(epoch: OpenEpoch, secret: Bytes, sizes: RowSizes = PLAIN_SIZES) {
    this.#epoch = epoch;
    this.#secret = secret;
    this.#sizes = sizes;
  }

  /** Stored rows in the order of the entries: all together, so that WebCrypto works on them in parallel. @param allocate for the rows */
  seal(entries: readonly EntryRow[], allocate: Allocate): Promise<SealedRow[]> {
    return Promise.all(entries.map((entry) => this.#seal(entry, allocate)));
  }

  async #seal(entry: EntryRow, allocate: Allocate): Promise<SealedRow> {
    const { contentKey, contentHash, plaintext, number } = entry;
    const token = this.#token(entry);
    const place = { table: tableOf(entry), token, number };
    const extra = entry.tbl === TABLES.devices ? deviceExtra(plaintext, this.#epoch) : null;
    const nonce = rowNonce(this.#secret, contentKey, contentHash);
    const least = this.#sizes.of(entry);
    const bytes = await sealRow(this.#epoch.keys, place, extra, plaintext, nonce, allocate, least);
    return { bytes, staged: { contentKey, contentHash, tbl: entry.tbl, token, number, rowHash: rowHash(bytes) } };
  }

  #token(entry: EntryRow): Bytes {
    const key = `${entry.name_is_text} ${listKey(entry.kind, entry.name)}`;
    let token = this.#tokens.get(key);
    if (token === undefined) {
      token = rowKeyOf(this.#epoch.keys, entry).token;
      if (this.#tokens.size >= TOKENS) this.#tokens.clear();
      this.#tokens.set(key, token);
    }
    return token;
  }
}

function tableOf({ tbl }: EntryRow): TableNumber {
  if (isTableNumber(tbl)) return tbl;
  throw new PosternError("storage", `The manager's database has an entry of a table ${tbl}`);
}

function deviceExtra(plaintext: Bytes, epoch: OpenEpoch): DeviceExtra {
  const { id, registration, publicKey, suite } = decodeDevice(plaintext);
  const wrap = epoch.wraps.get(toHex(id));
  if (wrap === undefined) {
    throw new PosternError("conflict", "The devices changed while the push was being made; it starts anew");
  }
  return { device: id, registration, publicKey, suite, encapsulated: wrap.encapsulated, wrapped: wrap.wrapped };
}
