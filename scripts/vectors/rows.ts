/** Example of rows.md: tokens, plaintexts, and stored rows byte for byte. */
import { type Bytes, compareBytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { pad } from "../../shared/bytes/padding.ts";
import { AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { type Leaf, treeKey } from "../../shared/merkle/tree_hash.ts";
import type { EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import {
  encodeCertificate,
  encodeChannel,
  encodeDevice,
  encodeMessage,
  encodePart,
} from "../../shared/protocol/plaintexts.ts";
import { encodeChanges, encodeCover, encodeReceipt } from "../../shared/protocol/records.ts";
import { decodeRow, type DeviceExtra, rowHash, sealRow } from "../../shared/protocol/row.ts";
import { LIST_TABLE, type TableNumber } from "../../shared/protocol/tables.ts";
import { indexToken, type ListName, LISTS, type RowKey, rowKey } from "../../shared/protocol/token.ts";
import { wrapInfo } from "../../shared/protocol/wrap.ts";
import { sealWith, seeded } from "./fixed.ts";
import { type Household, TIME } from "./household.ts";
import type { Example, Step } from "./vector.ts";

/** A row of the example: its place, its plaintext, and for a device what the edge sees. */
export interface ExampleRow {
  readonly name: string;
  readonly list: ListName;
  readonly number: number;
  readonly plaintext: Bytes;
  readonly extra: DeviceExtra | null;
}

/** One row of every kind; `tree.ts` and `head.ts` go on with them. */
export async function exampleRows(household: Household): Promise<ExampleRow[]> {
  const { device, root, keys, symKey } = household;
  const random = seeded("postern example rows");
  const sealed = await sealWith(random(64), device.kem.publicKey, wrapInfo(keys, device.id, "xwing"), symKey);
  const { publicKey } = device.key;
  const extra: DeviceExtra = {
    ...{ device: device.id, registration: device.registration, publicKey, suite: "xwing" },
    ...{ encapsulated: sealed.encapsulated, wrapped: sealed.ciphertext },
  };
  const deviceContent = encodeDevice({
    ...{ id: device.id, registration: device.registration, name: device.name, publicKey, suite: "xwing", added: TIME },
    ...{ certificate: device.certificate.der, kemPublicKey: device.kem.publicKey },
  });
  const certificate = encodeCertificate({
    der: root.der,
    status: 1,
    added: TIME,
    origin: "owner",
    note: "my own root",
    isAnchor: true,
    reason: "",
  });
  const text = new TextEncoder().encode("Hello");
  const [inlineId, largeId] = [random(16), random(16)];
  const about = { channel: "mail", direction: "in", date: TIME, added: TIME, parts: 0 } as const;
  const summary = { from: "alice@example.org", to: "bob@example.org", subject: "Greetings" };
  const large = new Uint8Array(5_000).fill(0x2e);
  const [stream, submission] = [random(16), random(32)];
  const plain = (name: string, list: ListName, number: number, plaintext: Bytes): ExampleRow => {
    return { name, list, number, plaintext, extra: null };
  };
  return [
    { name: "device", list: LISTS.device(device.id), number: 0, plaintext: deviceContent, extra },
    plain("certificate by fingerprint", LISTS.fingerprint(root.fingerprint), 0, certificate),
    plain("certificate by subject", LISTS.subject(root.subject), 0, certificate),
    plain("channel", LISTS.channels, 1, encodeChannel({ name: "mail", created: TIME })),
    plain(
      "message inline",
      LISTS.channel("mail"),
      1,
      encodeMessage({
        ...{ ...about, id: inlineId, position: 1, size: text.length, sha256: sha256(text), summary, inline: text },
      }),
    ),
    plain(
      "message in parts",
      LISTS.channel("mail"),
      2,
      encodeMessage({
        ...{
          ...about,
          id: largeId,
          position: 2,
          size: large.length,
          sha256: sha256(large),
          summary,
          parts: 1,
          inline: null,
        },
      }),
    ),
    plain("part", LISTS.message(largeId), 0, encodePart({ message: largeId, index: 0, bytes: large })),
    plain(
      "receipt",
      { kind: "receipt", name: new Uint8Array([...device.id, ...stream]) },
      1,
      encodeReceipt({ device: device.id, stream, number: 1, submission, outcome: "done", text: "" }),
    ),
    plain(
      "change list",
      { kind: "generations", name: "" },
      12,
      encodeChanges({
        generation: 12,
        changes: [{ list: LISTS.channels, number: 1, content: submission }],
      }),
    ),
  ];
}

/** A row as it is stored, in its place. */
export interface SealedRow extends ExampleRow {
  readonly place: RowKey;
  readonly row: Bytes;
}

/** The rows of {@link exampleRows}, sealed. */
export async function sealedRows(household: Household): Promise<SealedRow[]> {
  const { keys } = household;
  const random = seeded("postern example nonces");
  const sealed: SealedRow[] = [];
  for (const example of await exampleRows(household)) {
    const place = rowKey(keys, example.list, example.number);
    sealed.push({ ...example, place, row: await sealRow(keys, place, example.extra, example.plaintext, random) });
  }
  return sealed;
}

/** What a table holds of them. */
export function leavesOf(rows: readonly SealedRow[], table: TableNumber): Leaf[] {
  return rows.filter(({ place }) => place.table === table)
    .map(({ place, row }) => ({ key: treeKey(place.token, place.number), rowHash: rowHash(row) }))
    .sort((a, b) => compareBytes(a.key, b.key));
}

/** A cover row in the channel, padded further as its list is; no tree of the example has it (spec: ROW-03, ROW-13). */
async function coverInList(keys: EpochKeys): Promise<SealedRow> {
  const [list, number, plaintext] = [LISTS.channel("mail"), 8, encodeCover(0)];
  const place = rowKey(keys, list, number);
  const row = await sealRow(keys, place, null, plaintext, seeded("postern example cover"), undefined, 512);
  return { name: "cover in a channel", list, number, plaintext, extra: null, place, row };
}

export async function rowsExample(household: Household): Promise<Example> {
  const { keys, owner, incarnation, epoch } = household;
  const steps: Step[] = [];
  for (
    const { name, list, number, plaintext, extra, place, row } of [
      ...await sealedRows(household),
      await coverInList(keys),
    ]
  ) {
    const { nonce, ciphertext, mac } = decodeRow(row);
    const { table, token } = place;
    steps.push({
      name,
      inputs: {
        kind: list.kind,
        name: list.name,
        table: LIST_TABLE[list.kind],
        number,
        plaintext,
        nonce,
        extra: seen(extra),
      },
      outputs: {
        token: indexToken(keys, list),
        padded: ciphertext.length - AEAD_TAG_BYTES,
        aad: encodeCbor([LABELS.rowAad, owner, incarnation, epoch, table, token, number]),
        ...{ ciphertext, mac, row, rowHash: rowHash(row) },
      },
    });
  }
  const cover = encodeCover(3);
  steps.push({ name: "cover", inputs: { zeros: 3 }, outputs: { plaintext: cover, padded: pad(cover).length } });
  return { page: "rows.md", about: "One row of each kind in epoch 7, with the keys of keys.json.", steps };
}

function seen(extra: DeviceExtra | null) {
  if (extra === null) return null;
  const { device, registration, publicKey, suite, encapsulated, wrapped } = extra;
  return { deviceId: device, registration, publicKey, suite, encapsulated, wrapped };
}
