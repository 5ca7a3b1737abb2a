/** What is MACed, spelled out for readers; the product makes the same bytes on its way and never shows them. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { EpochContext } from "../../shared/protocol/epoch_keys.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import type { StoredRow } from "../../shared/protocol/row.ts";

/** The signature base of RFC 9421 section 2.5 from its lines and the `signature-input` header. */
export function macBase(input: string, lines: readonly string[]): string {
  return [...lines, `"@signature-params": ${input.slice("postern=".length)}`].join("\n");
}

/** The bytes under the MAC of a row (spec: ROW-04). */
export function encodedRowMacInput({ owner, incarnation, epoch }: EpochContext, row: StoredRow): Bytes {
  const { table, token, number, nonce, ciphertext, extra: e } = row;
  const extra = e === null ? null : [e.device, e.registration, e.publicKey, e.suite, e.encapsulated, e.wrapped];
  return encodeCbor([LABELS.rowMac, owner, incarnation, epoch, table, token, number, extra, nonce, ciphertext]);
}
