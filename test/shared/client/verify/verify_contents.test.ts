import fc from "fast-check";
import { assertEquals, assertThrows } from "../../../assert.ts";
import { type Bytes, compareBytes } from "../../../../shared/bytes/bytes.ts";
import type { TableRow } from "../../../../shared/client/verify/open_content.ts";
import { ContentsVerifier } from "../../../../shared/client/verify/verify_contents.ts";
import { partCount } from "../../../../shared/client/verify/verify_message.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { rootOfSorted } from "../../../../shared/merkle/sorted_root.ts";
import type { RowContent } from "../../../../shared/protocol/contents.ts";
import { contentLeaf } from "../../../../shared/protocol/plaintexts.ts";
import { type ListName, LISTS } from "../../../../shared/protocol/token.ts";
import { OwnerFixture } from "../../../fixtures/owner.ts";
import * as arbitrary from "../../protocol/arbitraries.ts";
import { filled } from "../../protocol/epoch.ts";

const { messagePartBytes: PART } = LIMITS;

/** A row as it was opened; only what a verifier of contents looks at is real. */
function row(content: RowContent, list: ListName | null, number: number, plaintext: Bytes = filled(3, 1)): TableRow {
  const place = list === null ? null : { list, number };
  return { content, place, plaintext, number, token: filled(32, 1), hash: filled(32, 2) };
}

function sample<T>(one: fc.Arbitrary<T>): T {
  const [value] = fc.sample(one, 1);
  if (value === undefined) throw new Error("no sample");
  return value;
}

/** A message of this size, and its parts. */
function message(position: number, size: number): { row: TableRow; parts: TableRow[] } {
  const raw = webCryptoRandom(size);
  const count = partCount(size);
  const content = {
    ...{ ...sample(arbitrary.message), id: filled(16, position), channel: "mail", position, size, sha256: sha256(raw) },
    ...{ parts: count, inline: count === 0 ? raw : null },
  };
  const parts = Array.from({ length: count }, (_, index) => {
    const part = { message: content.id, index, bytes: raw.slice(index * PART, (index + 1) * PART) };
    return row({ kind: "part", part }, LISTS.message(content.id), index);
  });
  return { row: row({ kind: "message", message: content }, LISTS.channel("mail"), position), parts };
}

function certificate(der: Bytes, fingerprint: Bytes | null, subject: Bytes | null): TableRow[] {
  const content = { kind: "certificate" as const, certificate: { ...sample(arbitrary.certificate), der } };
  return [
    ...fingerprint === null ? [] : [row(content, LISTS.fingerprint(sha256(der)), 0, fingerprint)],
    ...subject === null ? [] : [row(content, LISTS.subject("CN=x"), 4, subject)],
  ];
}

/** The root that a manager would have signed over these rows, each once. */
function rootOf(rows: readonly TableRow[]): Bytes {
  const leaves = [...new Set(rows)].flatMap(({ content, place, plaintext }) => {
    if (place === null || content.kind === "changes") return [];
    const { key, value } = contentLeaf(place.list, place.number, plaintext);
    return [{ key, rowHash: value }];
  });
  return rootOfSorted(leaves.sort((a, b) => compareBytes(a.key, b.key))).root;
}

function verify(rows: readonly TableRow[], root: Bytes = rootOf(rows)) {
  const verifier = new ContentsVerifier();
  for (const one of rows) verifier.add([one]);
  return verifier.finish(root);
}

const { root: { der } } = await OwnerFixture.create();
const device = row({ kind: "device", device: sample(arbitrary.device) }, LISTS.device(filled(16, 1)), 0);
const other = row({ kind: "device", device: sample(arbitrary.device) }, LISTS.device(filled(16, 2)), 0);
const channel = row({ kind: "channel", channel: { name: "mail", created: 0 } }, LISTS.channels, 1);
const receipt = row(
  { kind: "receipt", receipt: sample(arbitrary.receipt) },
  { kind: "receipt", name: filled(32, 1) },
  1,
);
const changes = row(
  { kind: "changes", changes: { generation: 1, changes: [] } },
  { kind: "generations", name: "" },
  1,
);
const cover = row({ kind: "cover", zeros: 3 }, null, 1);
const long = message(1, 2 * PART + 5);
const longer = message(2, 3 * PART);
const short = message(3, 10);

Deno.test("ContentsVerifier() counts whole tables and takes the root over their contents alone, TREE-05 ROW-09", () => {
  const rows = [
    ...[device, other, ...certificate(der, filled(4, 1), filled(4, 1)), channel, long.row, short.row],
    ...[receipt, ...longer.parts, ...long.parts, longer.row, changes, cover],
  ];
  const counts = { devices: 2, certificates: 1, channels: 1, messages: 3, receipts: 1 };
  assertEquals(verify(rows), counts);
  assertEquals(verify(rows.filter((one) => one !== changes && one !== cover), rootOf(rows)), counts);
  for (const left of [device, channel, short.row, receipt]) {
    assertThrows(() => verify(rows.filter((one) => one !== left), rootOf(rows)), "tampered");
  }
});

Deno.test("ContentsVerifier() wants the parts of every message, and of no other, ROW-09", () => {
  const [first, second, third] = long.parts;
  if (!first || !second || !third) throw new Error("three parts were to be made");
  const changed = row(
    { kind: "part", part: { message: filled(16, 1), index: 2, bytes: webCryptoRandom(5) } },
    LISTS.message(filled(16, 1)),
    2,
  );
  const surplus = row(
    { kind: "part", part: { message: filled(16, 1), index: 3, bytes: new Uint8Array() } },
    LISTS.message(filled(16, 1)),
    3,
  );
  const sequences: [TableRow[], "tampered" | "withheld"][] = [
    [[long.row], "withheld"],
    [[long.row, first, second], "withheld"],
    [[long.row, second, third], "tampered"],
    [[long.row, first, third], "tampered"],
    [[long.row, first, first, second, third], "tampered"],
    [[long.row, first, second, changed], "tampered"],
    [[long.row, first, second, third, surplus], "tampered"],
    [[first, second, third], "tampered"],
    [[first, second, third, device], "tampered"],
    // Those of another message between them: a list is in one piece.
    [[long.row, first, ...longer.parts, second, third, longer.row], "tampered"],
    [[long.row, first, device, second, third], "tampered"],
  ];
  for (const [rows, code] of sequences) assertThrows(() => verify(rows), code);
});

Deno.test("ContentsVerifier() refuses a message that contradicts itself, ROW-09", () => {
  const { content } = short.row;
  if (content.kind !== "message") throw new Error("a message was to be made");
  const wrong = { ...short.row, content: { ...content, message: { ...content.message, size: 11 } } };
  assertThrows(() => verify([wrong]), "tampered");
});

Deno.test("ContentsVerifier() wants a certificate in both of its lists, saying the same", () => {
  const [one, another] = [filled(4, 1), filled(4, 2)];
  verify(certificate(der, one, one));
  assertThrows(() => verify(certificate(der, one, null)), "withheld");
  assertThrows(() => verify(certificate(der, null, one)), "withheld");
  assertThrows(() => verify(certificate(der, one, another)), "tampered");
  // What cannot be read has no subject to be found by.
  verify(certificate(filled(20, 7), one, null));
  assertThrows(() => verify(certificate(filled(20, 7), null, one)), "withheld");
});
