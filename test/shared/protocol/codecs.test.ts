import fc from "fast-check";
import { assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { decodeAcks, encodeAcks } from "../../../shared/protocol/acknowledgement.ts";
import { decodeHead, decodeSignedHead, encodeHead, headHash } from "../../../shared/protocol/head.ts";
import { LABELS } from "../../../shared/protocol/labels.ts";
import { encodePairingGrant, readPairingGrant } from "../../../shared/protocol/pairing.ts";
import {
  decodeCertificate,
  decodeChannel,
  decodeDevice,
  decodeMessage,
  decodePart,
  encodeCertificate,
  encodeChannel,
  encodeDevice,
  encodeMessage,
  encodePart,
} from "../../../shared/protocol/plaintexts.ts";
import {
  changedRowKey,
  decodeChanges,
  decodeCover,
  decodeReceipt,
  encodeChanges,
  encodeCover,
  encodeReceipt,
} from "../../../shared/protocol/records.ts";
import { decodeSignedSubmission, encodeSubmission, submissionHash } from "../../../shared/protocol/submission.ts";
import { decodePayload, encodePayload } from "../../../shared/protocol/submission_payload.ts";
import { coverToken, LISTS, rowKey } from "../../../shared/protocol/token.ts";
import * as arbitrary from "./arbitraries.ts";
import { epochKeys } from "./epoch.ts";
import { checkCodec } from "./codec.ts";

Deno.test("decodeHead() and encodeHead() are inverse and strict, CONV-02 CONV-04", () => {
  checkCodec(arbitrary.head, encodeHead, decodeHead, 200);
});

Deno.test("plaintext codecs are inverse and strict", () => {
  checkCodec(arbitrary.device, encodeDevice, decodeDevice);
  checkCodec(arbitrary.certificate, encodeCertificate, decodeCertificate);
  checkCodec(arbitrary.channel, encodeChannel, decodeChannel);
  checkCodec(arbitrary.message, encodeMessage, decodeMessage);
  checkCodec(arbitrary.part, encodePart, decodePart);
});

Deno.test("receipts, change lists and cover rows have inverse and strict codecs, ROW-14 ROW-15", () => {
  checkCodec(arbitrary.receipt, encodeReceipt, decodeReceipt);
  checkCodec(arbitrary.changes, encodeChanges, decodeChanges);
  checkCodec(fc.nat(600), encodeCover, decodeCover);
});

Deno.test("decodePayload() and encodePayload() are inverse and strict", () => {
  checkCodec(arbitrary.payload, encodePayload, decodePayload, 200);
});

Deno.test("a submission is read back as it was written, and named by its hash, INBOX-01", () => {
  const signature = new Uint8Array(64);
  checkCodec(
    arbitrary.submission,
    (value) => encodeCbor([encodeSubmission(value), signature]),
    (bytes) => {
      const signed = decodeSignedSubmission(bytes);
      // Damage to the signature is for its verification to find, not for the codec.
      if (!equalBytes(signed.signature, signature)) throw new PosternError("malformed", "another signature");
      assertEquals(signed.hash, submissionHash(signed.bytes));
      assertEquals(signed.hash, sha256(encodeCbor([LABELS.submissionHash, signed.bytes])));
      return signed.submission;
    },
  );
});

Deno.test("a pairing grant is read back as it was written", () => {
  const request = new Uint8Array([1, 2, 3]);
  const answered = arbitrary.grant.map((grant) => ({ ...grant, request: sha256(request) }));
  checkCodec(answered, encodePairingGrant, (bytes) => {
    try {
      return readPairingGrant(bytes, request);
    } catch (error) {
      // Damage to the name of the request makes it another request's grant.
      if (isPosternError(error, "tampered")) throw new PosternError("malformed", error.message);
      throw error;
    }
  });
});

Deno.test("decodeAcks() refuses acknowledgements that are not sorted or stand twice", () => {
  const ack = (device: number, stream: number) => ({
    ...{ device: new Uint8Array(16).fill(device), stream: new Uint8Array(16).fill(stream) },
    ...{ number: 1, hash: new Uint8Array(32) },
  });
  const read = (...acks: readonly ReturnType<typeof ack>[]) =>
    decodeAcks(encodeAcks(acks) as [Bytes, Bytes, number, Bytes][]);
  assertEquals(read(ack(1, 1), ack(1, 2), ack(2, 1)).length, 3);
  assertThrows(() => read(ack(1, 2), ack(1, 1)), "malformed");
  assertThrows(() => read(ack(2, 1), ack(1, 1)), "malformed");
  assertThrows(() => read(ack(1, 1), ack(1, 1)), "malformed");
});

Deno.test("a head takes 64 devices with 4 streams each and not one more, HEAD-06", () => {
  const acks = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const device = new Uint8Array(16);
      new DataView(device.buffer).setUint32(0, index);
      return { device, stream: new Uint8Array(16), number: 1, hash: new Uint8Array(32) };
    });
  const [head] = fc.sample(arbitrary.head, 1);
  if (head === undefined) throw new Error("no sample");
  assertEquals(decodeHead(encodeHead({ ...head, acks: acks(256) })).acks.length, LIMITS.maxAcknowledgements);
  assertThrows(() => decodeHead(encodeHead({ ...head, acks: acks(257) })), "malformed");
});

Deno.test("headHash() is the labelled hash of the head without its signature, HEAD-01", () => {
  const [head] = fc.sample(arbitrary.head, 1);
  if (head === undefined) throw new Error("no sample");
  const bytes = encodeHead(head);
  const expected = sha256(encodeCbor(["postern/1/head-hash", bytes]));
  assertEquals(headHash(bytes), expected);
  assertEquals(decodeSignedHead(encodeCbor([bytes, new Uint8Array(64)])).hash, expected);
  assertEquals(decodeSignedHead(encodeCbor([bytes, new Uint8Array(64).fill(1)])).hash, expected);
});

Deno.test("encodeChanges() refuses a list that is too long, ROW-15", () => {
  const change = (index: number) => ({
    list: { kind: "subject" as const, name: `CN=${index}` },
    number: 0,
    content: new Uint8Array(32),
  });
  const list = (count: number) => Array.from({ length: count }, (_, index) => change(index));
  assertEquals(decodeChanges(encodeChanges({ generation: 7, changes: list(1_000) })).changes.length, 1_000);
  assertThrows(() => encodeChanges({ generation: 7, changes: list(2_000) }), "too_large");
  assertThrows(() => decodeChanges(new Uint8Array(LIMITS.maxChangeListBytes + 1)), "malformed");
});

Deno.test("changedRowKey() names the place of a row in its list, and of a cover row in its table", async () => {
  const keys = await epochKeys();
  assertEquals(changedRowKey(keys, { list: LISTS.channels, number: 3 }), rowKey(keys, LISTS.channels, 3));
  const name = new Uint8Array(32).fill(1);
  const cover = changedRowKey(keys, { list: { kind: "cover", table: 2, name }, number: 0 });
  assertEquals(cover, { table: 2, token: coverToken(keys, 2, name), number: 0 });
});

Deno.test("a change list has up to 64 KiB, and is read up to that", () => {
  const listOf = (room: number) => ({
    generation: 7,
    changes: [{ list: LISTS.subject("x".repeat(60_000)), number: 1, content: null }, {
      ...{ list: LISTS.subject("x".repeat(room)), number: 1, content: null },
    }],
  });
  const rest = encodeChanges(listOf(5_000)).length - 5_000;
  const most = listOf(65_536 - rest);
  assertEquals(encodeChanges(most).length, 65_536);
  assertEquals(decodeChanges(encodeChanges(most)), most);
  assertThrows(() => encodeChanges(listOf(65_537 - rest)), "too_large");
  const fields = decodeCbor(encodeChanges(most)) as CborInput[];
  const longer = (fields[2] as CborInput[]).with(0, [2, "subject", "x".repeat(60_001), 1, null]);
  assertThrows(() => decodeChanges(encodeCbor(["changes", 7, longer])), "malformed");
});

Deno.test("decodeChanges() refuses a kind under another table's number, and a name of another type, ROW-15", () => {
  const listed = (table: number, kind: string, name: string | Uint8Array) =>
    encodeCbor(["changes", 1, [[table, kind, name, 0, null]]]);
  assertEquals(decodeChanges(listed(2, "subject", "")).changes.length, 1);
  assertEquals(decodeChanges(listed(3, "cover", new Uint8Array(16))).changes.length, 1);
  assertThrows(() => decodeChanges(listed(3, "cover", "x")), "malformed");
  assertThrows(() => decodeChanges(listed(3, "subject", "")), "malformed");
  assertThrows(() => decodeChanges(listed(2, "subject", new Uint8Array(32))), "malformed");
  assertThrows(() => decodeChanges(listed(2, "fingerprint", "x")), "malformed");
  assertThrows(() => decodeChanges(listed(4, "generations", "")), "malformed");
});

Deno.test("decodeCover() refuses a cover row that holds something", () => {
  assertEquals(decodeCover(encodeCover(300)), 300);
  assertThrows(() => decodeCover(encodeCbor(["cover", new Uint8Array([0, 1])])), "malformed");
});
