import { assert, assertEquals, assertRejects, assertThrows } from "../../../assert.ts";
import { type Bytes, compareBytes } from "../../../../shared/bytes/bytes.ts";
import { openAsked, openOfTable, orTampered } from "../../../../shared/client/verify/open_content.ts";
import { TableVerifier, verifyTable } from "../../../../shared/client/verify/verify_table.ts";
import { viewOf, withHead } from "../../../../shared/client/verify/view.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { PosternError } from "../../../../shared/errors.ts";
import { rootOfSorted } from "../../../../shared/merkle/sorted_root.ts";
import { treeKey } from "../../../../shared/merkle/tree_hash.ts";
import { decodeSignedHead, sealHeadSecrets } from "../../../../shared/protocol/head.ts";
import { encodeChannel, encodeDevice } from "../../../../shared/protocol/plaintexts.ts";
import { encodeCover } from "../../../../shared/protocol/records.ts";
import { decodeRow, rowHash, sealRow } from "../../../../shared/protocol/row.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { deviceExtra, OwnerFixture } from "../../../fixtures/owner.ts";
import { CONTEXT, epochKeys, filled } from "../../protocol/epoch.ts";

const keys = await epochKeys();

async function channelRow(number: number): Promise<Bytes> {
  const plaintext = encodeChannel({ name: `channel ${number}`, created: 0 });
  return await sealRow(keys, rowKey(keys, LISTS.channels, number), null, plaintext, webCryptoRandom);
}

function keyOf(row: Bytes): Bytes {
  const { token, number } = decodeRow(row);
  return treeKey(token, number);
}

const rows = (await Promise.all([1, 2, 3, 4].map(channelRow))).sort((a, b) => compareBytes(keyOf(a), keyOf(b)));
const { root } = rootOfSorted(rows.map((row) => ({ key: keyOf(row), rowHash: rowHash(row) })));
const [first, second, third, fourth] = rows;
assert(first && second && third && fourth);
const verifier = (count = 4, expected = root) => new TableVerifier(keys, "messages", { count, root: expected });

Deno.test("verifyTable() takes a table in pages and goes on behind the last row of each, TREE-04 READ-08", async () => {
  const one = verifier();
  assertEquals(one.after, null);
  const asked: (Bytes | null)[] = [];
  const taken: number[] = [];
  await verifyTable(one, (after) => {
    asked.push(after);
    const page = after === null ? [first, second, third] : [fourth];
    return Promise.resolve({ rows: page, next: after === null ? keyOf(third) : null });
  }, (opened) => void taken.push(...opened.map(({ number }) => number)));
  assertEquals(asked, [null, keyOf(third)]);
  assertEquals(taken, [1, 2, 3, 4]);
  assertEquals(one.after, keyOf(fourth));
});

Deno.test("TableVerifier() refuses rows out of order, too many, too few, and others, TREE-04", async () => {
  await assertRejects(() => verifier().add([second, first]), "tampered");
  await assertRejects(() => verifier().add([first, first]), "tampered");
  await assertRejects(() => verifier(3).add(rows), "tampered");
  const short = verifier();
  await short.add([first, second, third]);
  assertThrows(() => short.finish(), "withheld");
  const other = verifier(3);
  await other.add([first, second, third]);
  assertThrows(() => other.finish(), "tampered");
  const whole = verifier();
  await whole.add(rows);
  whole.finish();
});

Deno.test("goesOn() takes the place of the last row for where the next page begins, and no other, READ-08", async () => {
  const one = verifier();
  assertThrows(() => one.goesOn(0, keyOf(first)), "withheld");
  await one.add([first, second]);
  assert(!one.goesOn(2, null));
  assert(one.goesOn(2, keyOf(second)));
  assertThrows(() => one.goesOn(2, keyOf(first)), "tampered");
  assertThrows(() => one.goesOn(0, keyOf(second)), "withheld");
});

Deno.test("openAsked() and openOfTable() refuse what belongs elsewhere, ROW-07 ROW-10", async () => {
  const place = { list: LISTS.channel("mail"), number: 5 };
  const misplaced = await sealRow(
    ...[keys, rowKey(keys, place.list, place.number), null] as const,
    ...[encodeChannel({ name: "x", created: 0 }), webCryptoRandom] as const,
  );
  await assertRejects(() => openAsked(keys, place, misplaced), "tampered");
  await assertRejects(() => openOfTable(keys, 3, misplaced), "tampered");
  assertEquals((await openOfTable(keys, 3, first)).place?.list, LISTS.channels);
  await assertRejects(() => openOfTable(keys, 2, first), "tampered");
  const coverOf = (number: number, table: 2 | 3) =>
    sealRow(keys, { table, token: filled(32, 7), number }, null, encodeCover(10), webCryptoRandom);
  assertEquals((await openOfTable(keys, 2, await coverOf(0, 2))).place, null);
  // What a cover row holds is good for every table, but this one is of another.
  await assertRejects(async () => await openOfTable(keys, 2, await coverOf(0, 3)), "tampered");
  // In a list among others it has another number (ROW-13).
  assertEquals((await openOfTable(keys, 2, await coverOf(1, 2))).place, null);
});

Deno.test("a device's row says the same in the clear and inside, ROW-07", async () => {
  const owner = await OwnerFixture.create();
  const device = await owner.device("Phone");
  const content = {
    ...{ id: device.id, registration: device.registration, name: "Phone", certificate: null, suite: "xwing", added: 0 },
    ...{ publicKey: device.signing.publicKey, kemPublicKey: device.kem.publicKey },
  };
  const place = { list: LISTS.device(device.id), number: 0 };
  const sealed = (change: Partial<typeof content>, id = device.id) =>
    sealRow(
      ...[keys, rowKey(keys, place.list, 0), deviceExtra({ ...device, id })] as const,
      ...[encodeDevice({ ...content, ...change }), webCryptoRandom] as const,
    );
  const honest = await sealed({});
  assertEquals((await openAsked(keys, place, honest)).content.kind, "device");
  assertEquals((await openOfTable(keys, 1, honest)).content.kind, "device");
  const changes = [{ registration: 9 }, { publicKey: owner.manager.publicKey }, { suite: "x25519" }];
  const others = [...changes.map((change) => sealed(change)), sealed({}, filled(16, 1))];
  for (const row of await Promise.all(others)) {
    await assertRejects(() => openAsked(keys, place, row), "tampered");
    await assertRejects(() => openOfTable(keys, 1, row), "tampered");
  }
});

Deno.test("orTampered() calls what is wrong in form tampered, and leaves other errors as they are", async () => {
  for (const code of ["malformed", "too_large", "unsupported"] as const) {
    await assertRejects(() => orTampered(() => Promise.reject(new PosternError(code, "x"))), "tampered");
  }
  await assertRejects(() => orTampered(() => Promise.reject(new PosternError("not_found", "x"))), "not_found");
  const bug = new TypeError("x");
  assertEquals(await orTampered(() => Promise.reject(bug)).catch((error) => error), bug);
});

Deno.test("withHead() refuses a head of the same epoch that commits to another sym key, HEAD-02", async () => {
  const owner = await OwnerFixture.create();
  const headOf = async (commitment: Bytes) => {
    const secrets = { contentRoot: filled(32, 1), alarm: null, listed: null };
    const sealed = await sealHeadSecrets(keys, 1, secrets, webCryptoRandom);
    const fields = { generation: 1, previous: null, epoch: CONTEXT.epoch, commitment, sealed };
    return decodeSignedHead((await owner.head(fields)).signed);
  };
  const head = await headOf(keys.commitment);
  const view = await viewOf({ edge: { origin: "", key: filled(32, 1) }, statement: owner.statement, head, keys });
  assertEquals((await withHead(view, head)).head, head);
  const other = await headOf(filled(32, 5));
  await assertRejects(() => withHead(view, other), "tampered");
});
