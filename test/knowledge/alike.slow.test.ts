/** Promise: two stores with different contents of equal padded size cannot be told apart by their schema, row counts and sizes. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { paddedLength } from "../../shared/bytes/padding.ts";
import { type CborInput, encodeCbor } from "../../shared/bytes/cbor.ts";
import { AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { LIMITS } from "../../shared/limits.ts";
import { encodeCertificate } from "../../shared/protocol/plaintexts.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { decodeRow } from "../../shared/protocol/row.ts";
import { decodeSignedSubmission } from "../../shared/protocol/submission.ts";
import { BLOCKS } from "../../edge/store/schema.ts";
import { assert, assertEquals } from "../assert.ts";
import { NOW } from "../fixtures/owner.ts";
import type { Exchange } from "../fixtures/traffic.ts";
import { World } from "../fixtures/world.ts";
import { build } from "../shared/x509/builder.ts";
import { bodyOf } from "../threats/wire.ts";
import { profileOf } from "./profile.ts";

/** How long the contents of a store are; everything else about two stores is the same. */
interface Lengths {
  readonly deviceName: number;
  readonly commonName: number;
  /** Length of a certificate's plaintext, which its note fills up to. */
  readonly certificate: number;
  readonly channel: number;
  readonly body: number;
  readonly largeBody: number;
}

const DAY = 86_400_000;
const CERTIFICATES = 3;
const MESSAGES = 4;

/** A text of so many characters, another each time. */
function textOf(length: number): string {
  return Array.from(webCryptoRandom(length), (byte) => String.fromCharCode(97 + byte % 26)).join("");
}

function mail(length: number): Bytes {
  return utf8(`Subject: ${textOf(10)}\r\n\r\n${textOf(length)}\r\n`);
}

/** A certificate whose subject has the length wanted, with a note that makes its plaintext as long as wanted. */
async function certificateOf({ commonName, certificate }: Lengths): Promise<{ der: Bytes; note: string }> {
  const serial = webCryptoRandom(8).with(0, 1);
  const der = await build({ subject: `CN=${textOf(commonName)}`, serial, notBefore: NOW - DAY, notAfter: NOW + DAY });
  const plaintextBytes = (note: string) =>
    encodeCertificate({ der, status: 1, added: NOW, origin: "import", note, isAnchor: false, reason: "" }).length;
  let note = textOf(30);
  while (plaintextBytes(note) < certificate) note += "x";
  assertEquals(plaintextBytes(note), certificate);
  return { der, note };
}

/** A store with contents of these lengths, after pushes, reads and submissions. */
async function storeOf(lengths: Lengths) {
  await using world = await World.create();
  const { manager } = world;
  const phone = await world.pair(textOf(lengths.deviceName));
  const laptop = await world.pair(textOf(lengths.deviceName));
  for (let index = 0; index < CERTIFICATES; index++) {
    const { der, note } = await certificateOf(lengths);
    await manager.trust(der, note);
  }
  const channel = textOf(lengths.channel);
  for (let index = 0; index < MESSAGES; index++) await manager.receive(channel, mail(lengths.body));
  await manager.receive(channel, mail(LIMITS.messagePartBytes + lengths.largeBody));
  await manager.sync();
  await phone.client.submit.message({ channel: "out", raw: mail(lengths.body) });
  await phone.client.submit.message({ channel: "out", raw: mail(LIMITS.messagePartBytes + lengths.largeBody) });
  const { der, note } = await certificateOf(lengths);
  await laptop.client.submit.certificate(der, note);
  for (const { client } of [phone, laptop]) {
    await client.messages.list(channel);
    await client.verifyAll();
  }
  const { rows: plain } = await manager.db.execute<{ readonly plaintext: Bytes }>({
    sql: "SELECT plaintext FROM entries",
    params: [],
  });
  const { rows: bodies } = await world.edge.database.execute<{ readonly body: Bytes }>({
    sql: "SELECT body FROM rows WHERE tbl < ?",
    params: [BLOCKS],
  });
  const { rows: parts } = await world.edge.database.execute<{ readonly body: Bytes }>({
    sql: "SELECT body FROM inbox_part_bodies",
    params: [],
  });
  const { rows: submissions } = await world.edge.database.execute<{ readonly body: Bytes }>({
    sql: "SELECT body FROM inbox_bodies",
    params: [],
  });
  const { rows: [head] } = await world.edge.database.execute<{ readonly head: Bytes }>({
    sql: "SELECT head FROM owners",
    params: [],
  });
  assert(head !== undefined);
  const taken = submissions.map(({ body }) => decodeSignedSubmission(body).submission);
  return {
    profile: await profileOf(world.edge.database),
    /** Sizes of what went over the wire, exchange by exchange. */
    wire: [phone, laptop].map(({ traffic }) => traffic.exchanges.map(sizesOf)),
    pushes: manager.traffic.exchanges.filter((exchange) => !isChunk(exchange)).map(sizesOfPush),
    /** Of the rows in all chunks together: which of them share one follows from their random order. */
    pushed: manager.traffic.exchanges.filter(isChunk).flatMap(rowSizesOf).toSorted((a, b) => a - b),
    plaintexts: plain.map(({ plaintext }) => plaintext.length).toSorted((a, b) => a - b),
    ciphertexts: [
      ...bodies.map(({ body }) => decodeRow(body).ciphertext),
      ...parts.map(({ body }) => body),
      ...taken.map(({ sealed }) => sealed.ciphertext),
      ...taken.flatMap(({ copy }) => copy?.ciphertext ?? []),
      decodeSignedHead(head.head).head.sealed.ciphertext,
    ],
  };
}

/** Without proofs: how many nodes they have follows from tokens that look random. */
function sizesOf({ request, answer }: Exchange): string {
  const { pathname, search } = new URL(request.url);
  const isProven = answer.status === 200 && search.includes("&proof=1");
  const body = isProven ? encodeCbor({ ...bodyOf(answer), proof: null }) : answer.body;
  return `${request.method} ${(pathname + search).length}: ${request.body.length}, ${answer.status} ${body.length}`;
}

function isChunk({ request }: Exchange): boolean {
  return new URL(request.url).pathname.includes("/chunks/");
}

function rowSizesOf({ request }: Exchange): number[] {
  const { rows } = bodyOf(request);
  assert(Array.isArray(rows));
  return rows.map((row: CborInput) => encodeCbor(row).length);
}

/** Besides, of blocks only that they were sent, and of the rows that the manager asks for, which it chooses at random, that it did. */
function sizesOfPush(exchange: Exchange): string {
  const { request, answer } = exchange;
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.includes("/nodes/")) return `${request.method} nodes, ${answer.status}`;
  return searchParams.has("proof") ? `${request.method} proven rows, ${answer.status}` : sizesOf(exchange);
}

const SHORT: Lengths = { deviceName: 5, commonName: 12, certificate: 420, channel: 6, body: 20, largeBody: 2_960 };
/** Longer everywhere, and nowhere by so much that it would be padded further. */
const LONG: Lengths = { deviceName: 9, commonName: 30, certificate: 431, channel: 9, body: 22, largeBody: 3_000 };

Deno.test("Two stores of other contents look alike to the edge when their padded sizes are equal (CONV-11)", async () => {
  const [short, long] = [await storeOf(SHORT), await storeOf(LONG)];
  const padded = (lengths: readonly number[]) => lengths.map(paddedLength);
  // Nearly every content has another length, and none another padded one: else this test would prove nothing.
  const other = short.plaintexts.filter((length, index) => length !== long.plaintexts[index]);
  assert(other.length > short.plaintexts.length / 2);
  assertEquals(padded(short.plaintexts), padded(long.plaintexts));

  assertEquals(short.profile.schema, long.profile.schema);
  assertEquals(short.profile.tables, long.profile.tables);
  assertEquals(short.wire, long.wire);
  assertEquals(short.pushes, long.pushes);
  assertEquals(short.pushed, long.pushed);
});

Deno.test("profileOf() tells two stores apart when one content is padded further", async () => {
  const further = { ...SHORT, body: SHORT.body + 200 };
  const [short, long] = [await storeOf(SHORT), await storeOf(further)];
  assertEquals(short.profile.schema, long.profile.schema);
  assert(String(short.profile.tables.rows) !== String(long.profile.tables.rows));
  assert(String(short.pushed) !== String(long.pushed));
});

Deno.test("Everything that the edge holds encrypted is of a padded size (CONV-11)", async () => {
  const { ciphertexts } = await storeOf(LONG);
  assert(ciphertexts.length > 20);
  for (const { length } of ciphertexts) {
    const size = length - AEAD_TAG_BYTES;
    assertEquals(paddedLength(size - 1), size);
  }
});
