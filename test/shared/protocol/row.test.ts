import fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { pad } from "../../../shared/bytes/padding.ts";
import { openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { hmacSha256, sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { isPosternError } from "../../../shared/errors.ts";
import type { EpochKeys } from "../../../shared/protocol/epoch_keys.ts";
import { decodeRow, openDecodedRow, openRow, rowHash, sealRow, treeKeyOfRow } from "../../../shared/protocol/row.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { TABLE_NAMES, TABLES } from "../../../shared/protocol/tables.ts";
import type { RowKey } from "../../../shared/protocol/token.ts";
import * as arbitrary from "./arbitraries.ts";
import { damage, damaged } from "./codec.ts";
import { CONTEXT, epochKeys, filled } from "./epoch.ts";

const place: RowKey = { table: 3, token: filled(32, 5), number: 6 };
const plaintext = filled(100, 7);
const random = () => filled(12, 8);

Deno.test("sealRow() writes the row as the page says, ROW-03 ROW-04 ROW-05 CONV-11", async () => {
  const keys = await epochKeys();
  const row = await sealRow(keys, place, null, plaintext, random);
  const { owner, incarnation, epoch } = CONTEXT;
  const aad = encodeCbor(["postern/1/row-aad", owner, incarnation, epoch, 3, place.token, 6]);
  const padded = concat(plaintext, Uint8Array.of(0x80), new Uint8Array(155));
  const ciphertext = await sealAead(keys.tables[3].encryption, random(), padded, aad);
  const fields = [3, place.token, 6, null, random(), ciphertext];
  const mac = hmacSha256(
    keys.tables[3].mac,
    encodeCbor(["postern/1/row-mac", owner, incarnation, epoch, ...fields]),
  );
  assertEquals(row, encodeCbor([1, ...fields, mac]));
  assertEquals(rowHash(row), sha256(encodeCbor(["postern/1/row-hash", row])));
  assertEquals(await openRow(keys, place, row), plaintext);
  assertEquals(await openDecodedRow(keys, decodeRow(row)), plaintext);
});

Deno.test("openRow() gives back what sealRow() took, of any size", async () => {
  const keys = await epochKeys();
  for (const size of [0, 1, 254, 255, 256, 257, 4_096, 524_288]) {
    const content = webCryptoRandom(size);
    assertEquals(await openRow(keys, place, await sealRow(keys, place, null, content, webCryptoRandom)), content);
  }
});

Deno.test("a row stays below its limit or is not made, ROW-06", async () => {
  const keys = await epochKeys();
  await assertRejects(() => sealRow(keys, place, null, new Uint8Array(1_000_000), webCryptoRandom), "too_large");
  assertThrows(() => decodeRow(new Uint8Array(1_000_001)), "too_large");
  const [extra] = fc.sample(arbitrary.deviceExtra, 1);
  assert(extra);
  const own: RowKey = { table: 1, token: filled(32, 5), number: 0 };
  const sizeWith = (size: number) =>
    sealRow(keys, own, { ...extra, wrapped: filled(size, 1) }, filled(800_000, 7), webCryptoRandom);
  const room = 1_000_000 - (await sizeWith(70_000)).length;
  assertEquals((await sizeWith(70_000 + room)).length, 1_000_000);
  await assertRejects(() => sizeWith(70_000 + room + 1), "too_large");
  const rowOf = (size: number) =>
    encodeCbor([1, 3, place.token, 6, null, filled(12, 1), filled(size, 2), filled(32, 3)]);
  const rest = rowOf(900_000).length - 900_000;
  assertEquals(decodeRow(rowOf(1_000_000 - rest)).ciphertext.length, 1_000_000 - rest);
  assertThrows(() => decodeRow(rowOf(1_000_001 - rest)), "too_large");
});

Deno.test("openRow() refuses a row of another place, key or context, ROW-07", async () => {
  const keys = await epochKeys();
  const row = await sealRow(keys, place, null, plaintext, random);
  const places: RowKey[] = [
    { ...place, table: 2 },
    { ...place, token: filled(32, 6) },
    { ...place, number: 7 },
  ];
  for (const other of places) await assertRejects(() => openRow(keys, other, row), "tampered");
  const others = [
    await epochKeys(5),
    await epochKeys(4, { ...CONTEXT, epoch: 4 }),
    await epochKeys(4, { ...CONTEXT, owner: filled(32, 9) }),
    await epochKeys(4, { ...CONTEXT, incarnation: filled(16, 9) }),
  ];
  for (const other of others) await assertRejects(() => openRow(other, place, row), "tampered");
});

Deno.test("openRow() takes a row that is padded further, ROW-03", async () => {
  const keys = await epochKeys();
  for (const least of [0, 256, 1_024, 20_480]) {
    const row = await sealRow(keys, place, null, plaintext, random, undefined, least);
    assertEquals(await openRow(keys, place, row), plaintext);
    assertEquals(decodeRow(row).ciphertext.length, Math.max(least, 256) + 16);
  }
});

Deno.test("openRow() refuses every damaged row, ROW-07", async () => {
  const keys = await epochKeys();
  const row = await sealRow(keys, place, null, plaintext, random);
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      try {
        await openRow(keys, place, damaged(row, change));
      } catch (error) {
        return isPosternError(error, "tampered") || isPosternError(error, "malformed");
      }
      return false;
    }),
    { numRuns: 400 },
  );
});

/** A row whose MAC fits, with anything in it: what only the holder of the MAC key could make. */
async function forge(keys: EpochKeys, padded: Bytes): Promise<Bytes> {
  const { owner, incarnation, epoch } = keys;
  const aad = encodeCbor(["postern/1/row-aad", owner, incarnation, epoch, 3, place.token, 6]);
  const ciphertext = await sealAead(keys.tables[3].encryption, random(), padded, aad);
  const fields = [3, place.token, 6, null, random(), ciphertext];
  const input = encodeCbor(["postern/1/row-mac", owner, incarnation, epoch, ...fields]);
  return encodeCbor([1, ...fields, hmacSha256(keys.tables[3].mac, input)]);
}

Deno.test("openRow() checks the MAC before it opens, and the padding after, ROW-07 CONV-11", async () => {
  const keys = await epochKeys();
  assertEquals(await openRow(keys, place, await forge(keys, pad(plaintext))), plaintext);
  const badPaddings = [
    new Uint8Array(256),
    concat(plaintext, Uint8Array.of(0x80), new Uint8Array(154)),
    concat(plaintext, Uint8Array.of(0x80), new Uint8Array(156)),
    new Uint8Array(0),
  ];
  for (const padded of badPaddings) {
    await assertRejects(async () => await openRow(keys, place, await forge(keys, padded)), "malformed");
  }
  const [version, table, token, number, extra, nonce, ciphertext, mac] = decodeCbor(
    await forge(keys, pad(plaintext)),
  ) as [number, number, Bytes, number, null, Bytes, Bytes, Bytes];
  ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
  const row = encodeCbor([version, table, token, number, extra, nonce, ciphertext, mac]);
  const error = await assertRejects(() => openRow(keys, place, row), "tampered");
  assert(error.message.includes("MAC"), error.message);
});

Deno.test("the MAC covers the device's clear fields, which the AEAD does not, ROW-04", async () => {
  const keys = await epochKeys();
  const [extra] = fc.sample(arbitrary.deviceExtra, 1);
  if (extra === undefined) throw new Error("no sample");
  const own: RowKey = { table: 1, token: filled(32, 5), number: 0 };
  const row = await sealRow(keys, own, extra, plaintext, random);
  assertEquals(decodeRow(row).extra, extra);
  const fields = decodeCbor(row) as unknown[];
  const clear = fields[4] as (Bytes | number | string)[];
  for (const index of clear.keys()) {
    const changed = clear.map((value, at) => at === index ? another(value) : value);
    const forged = encodeCbor(fields.map((value, at) => at === 4 ? changed : value) as []);
    await assertRejects(() => openRow(keys, own, forged), "tampered");
    await assertRejects(() => openDecodedRow(keys, decodeRow(forged)), "tampered");
  }
  // What the AEAD alone would say to it.
  const { owner, incarnation, epoch } = CONTEXT;
  const aad = encodeCbor(["postern/1/row-aad", owner, incarnation, epoch, 1, own.token, 0]);
  const { nonce, ciphertext } = decodeRow(row);
  assertEquals(await openAead(keys.tables[1].encryption, nonce, ciphertext, aad), pad(plaintext));
});

function another(value: Bytes | number | string): Bytes | number | string {
  if (typeof value === "number") return value === 1 ? 2 : 1;
  if (typeof value === "string") return value === "p256" ? "xwing" : "p256";
  return value.length === 0 ? filled(1, 1) : value.map((byte) => byte ^ 1);
}

Deno.test("decodeRow() wants the device's fields in table 1 and nowhere else", async () => {
  const keys = await epochKeys();
  const [extra] = fc.sample(arbitrary.deviceExtra, 1);
  if (extra === undefined) throw new Error("no sample");
  const own: RowKey = { table: 1, token: filled(32, 5), number: 0 };
  const without = await sealRow(keys, own, null, plaintext, random);
  assertThrows(() => decodeRow(without), "malformed");
  const elsewhere = await sealRow(keys, place, extra, plaintext, random);
  assertThrows(() => decodeRow(elsewhere), "malformed");
});

Deno.test("rowHash() is that of the page for rows of any length, one after another, ROW-05", () => {
  for (const size of [0, 23, 24, 23, 255, 256, 65_535, 65_536, 0]) {
    const row = filled(size, 1);
    assertEquals(rowHash(row), sha256(encodeCbor(["postern/1/row-hash", row])));
  }
});

Deno.test("treeKeyOfRow() is the key that decodeRow() finds, for rows of its table", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TABLE_NAMES), fc.maxSafeNat(), arbitrary.bytes(32), (name, number, token) => {
      const table = TABLES[name];
      const row = encodeCbor([1, table, token, number, null, filled(12, 1), filled(16, 2), filled(32, 3)]);
      assertEquals(treeKeyOfRow(table, row), treeKey(token, number));
      for (const other of TABLE_NAMES.filter((other) => other !== name)) {
        assertThrows(() => treeKeyOfRow(TABLES[other], row), "malformed");
      }
    }),
  );
});

Deno.test("treeKeyOfRow() refuses what does not begin like a row", () => {
  const row = encodeCbor([1, 3, place.token, 600, null, filled(12, 1), filled(16, 2), filled(32, 3)]);
  const end = row.indexOf(0x19) + 3;
  assertEquals(treeKeyOfRow(3, row.slice(0, end)), treeKey(place.token, 600));
  for (let length = 0; length < end; length++) assertThrows(() => treeKeyOfRow(3, row.slice(0, length)), "malformed");
  for (const at of [0, 1, 2, 3, 4]) {
    assertThrows(() => treeKeyOfRow(3, row.with(at, (row[at] ?? 0) ^ 1)), "malformed");
  }
  for (const head of [0x20, 0x39, 0x1c, 0x1f, 0xf6]) {
    assertThrows(() => treeKeyOfRow(3, row.with(end - 3, head)), "malformed");
  }
});
