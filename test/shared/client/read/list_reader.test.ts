import { assertEquals, assertRejects } from "../../../assert.ts";
import { type Bytes, compareBytes } from "../../../../shared/bytes/bytes.ts";
import type { DeviceLink } from "../../../../shared/client/device_link.ts";
import { ListReader } from "../../../../shared/client/read/list_reader.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { rootOfSorted } from "../../../../shared/merkle/sorted_root.ts";
import { type Leaf, treeKey } from "../../../../shared/merkle/tree_hash.ts";
import { encodeChannel } from "../../../../shared/protocol/plaintexts.ts";
import { rowHash, sealRow } from "../../../../shared/protocol/row.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { NOW } from "../../../fixtures/owner.ts";
import { naiveProof } from "../../merkle/proof_model.ts";
import { epochKeys, filled } from "../../protocol/epoch.ts";

const keys = await epochKeys();
const rows = await Promise.all([1, 2, 3].map(async (number) => {
  const place = rowKey(keys, LISTS.channels, number);
  return await sealRow(keys, place, null, encodeChannel({ name: `c${number}`, created: 0 }), webCryptoRandom);
}));
const { token } = rowKey(keys, LISTS.channels, 0);
const leaves = rows.map((row, index): Leaf => ({ key: treeKey(token, index + 1), rowHash: rowHash(row) }))
  .sort((a, b) => compareBytes(a.key, b.key));
const table = rootOfSorted(leaves);
const head = { generation: 1, epoch: 3, time: NOW, nextDue: NOW + 1, tables: { messages: table } };
const whole = naiveProof(leaves, { lowest: treeKey(token, 0), highest: treeKey(token, 2 ** 53 - 1) });

/** A reader of an edge that answers with these rows. */
function reader(shown: readonly Bytes[], more = false): ListReader {
  const link = {
    verifier: { profile: { owner: filled(32, 1) } },
    surroundings: { now: () => NOW },
    read: () =>
      Promise.resolve({ answer: { rows: shown, more, proof: whole }, view: { keys, head: { head }, alarm: null } }),
  };
  return new ListReader(link as unknown as DeviceLink, "mark");
}

Deno.test("page() takes the rows that the head signed for the range, at most as many as asked, READ-01 READ-09", async () => {
  const { rows: read, more } = await reader(rows).page(LISTS.channels, { from: 0 }, 3);
  assertEquals([read.map(({ number }) => number), more], [[1, 2, 3], false]);
  await assertRejects(() => reader(rows).page(LISTS.channels, { from: 0 }, 2), "tampered");
  await assertRejects(() => reader(rows).page(LISTS.channels, { from: 2 }, 3), "tampered");
  await assertRejects(() => reader(rows.slice(0, 2)).page(LISTS.channels, { from: 0 }, 3), "tampered");
  await assertRejects(() => reader([]).page(LISTS.channels, { before: 0 }, 3), "usage");
});
