/** Turns entries into stored rows of an epoch. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { PosternError } from "../../shared/errors.ts";
import { decodeDevice } from "../../shared/protocol/plaintexts.ts";
import { type DeviceExtra, rowHash, sealRow } from "../../shared/protocol/row.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { rowKey } from "../../shared/protocol/token.ts";
import { listOf } from "../store/entries.ts";
import type { OpenEpoch } from "./epoch.ts";
import { rowNonce } from "./order.ts";
import type { StagedRow } from "./staged.ts";

/** An entry as it is read for sealing. */
export interface EntryRow {
  readonly id: number;
  readonly tbl: number;
  readonly kind: string;
  readonly name: Bytes;
  readonly name_is_text: number;
  readonly number: number;
  readonly content_key: Bytes;
  readonly content_hash: Bytes;
  readonly plaintext: Bytes;
}

/** A row that is ready to be sent, and what to remember of it. */
export interface SealedRow {
  readonly bytes: Bytes;
  readonly staged: StagedRow;
}

/** Seals entries all together: WebCrypto works on them in parallel. */
export function sealEntries(entries: readonly EntryRow[], epoch: OpenEpoch, secret: Bytes): Promise<SealedRow[]> {
  return Promise.all(entries.map((entry) => sealEntry(entry, epoch, secret)));
}

async function sealEntry(entry: EntryRow, epoch: OpenEpoch, secret: Bytes): Promise<SealedRow> {
  const { content_key, content_hash, plaintext, number } = entry;
  const place = rowKey(epoch.keys, listOf(entry), number);
  const extra = entry.tbl === TABLES.devices ? deviceExtra(plaintext, epoch) : null;
  const bytes = await sealRow(epoch.keys, place, extra, plaintext, rowNonce(secret, content_key, content_hash));
  const { table: tbl, token } = place;
  const staged = { contentKey: content_key, contentHash: content_hash, tbl, token, number, rowHash: rowHash(bytes) };
  return { bytes, staged };
}

function deviceExtra(plaintext: Bytes, epoch: OpenEpoch): DeviceExtra {
  const { id, registration, publicKey, suite } = decodeDevice(plaintext);
  const wrap = epoch.wraps.get(toHex(id));
  if (wrap === undefined) {
    throw new PosternError("conflict", "The devices changed while the push was being made; it starts anew");
  }
  return { device: id, registration, publicKey, suite, encapsulated: wrap.encapsulated, wrapped: wrap.wrapped };
}
