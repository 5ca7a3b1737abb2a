import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { signingKey } from "../../fixtures/owner.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { pad } from "../../../shared/bytes/padding.ts";
import { importAeadKey, openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { requireSignature } from "../../../shared/protocol/signed.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  inboxSealInfo,
  openCopy,
  sealCopy,
  signSubmission,
  type SubmissionPlace,
} from "../../../shared/protocol/submission.ts";
import { encodePayload, openPart, sealPart } from "../../../shared/protocol/submission_payload.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { CONTEXT, epochKeys, filled } from "./epoch.ts";

const place: SubmissionPlace = {
  ...{
    owner: CONTEXT.owner,
    incarnation: CONTEXT.incarnation,
    device: filled(16, 5),
    stream: filled(16, 6),
    number: 7,
  },
};
const payload = encodePayload({ kind: "ping", nonce: filled(32, 1) });
const places: SubmissionPlace[] = [
  { ...place, device: filled(16, 9) },
  { ...place, stream: filled(16, 9) },
  { ...place, number: 8 },
];

Deno.test("a submission is signed over its bytes by the device's key, INBOX-01", async () => {
  const device = await signingKey();
  const sealed = { encapsulated: filled(1_120, 1), ciphertext: filled(64, 2) };
  const bytes = encodeSubmission({
    ...{ ...place, previous: null, statement: 1, epoch: 3, seen: { generation: 4, head: filled(32, 3) } },
    ...{ time: 5, sealed, parts: [], copy: null },
  });
  const signed = decodeSignedSubmission(await signSubmission(bytes, device.sign));
  await requireSignature(device.publicKey, signed.signature, signed.bytes, "submission");
  const other = await signingKey();
  await assertRejects(
    () => requireSignature(other.publicKey, signed.signature, signed.bytes, "submission"),
    "tampered",
  );
});

Deno.test("inboxSealInfo() binds a payload to its place", () => {
  const { owner, incarnation, device, stream } = place;
  assertEquals(
    inboxSealInfo(place),
    encodeCbor(["postern/1/inbox-seal", owner, incarnation, device, stream, 7]),
  );
});

Deno.test("openCopy() opens a copy at its own place and in its own epoch alone", async () => {
  const keys = await epochKeys();
  const copy = await sealCopy(keys, place, payload, () => filled(12, 8));
  const { owner, incarnation, device, stream } = place;
  const data = encodeCbor(["postern/1/inbox-copy", owner, incarnation, 3, device, stream, 7]);
  assertEquals(copy, {
    nonce: filled(12, 8),
    ciphertext: await sealAead(keys.inboxCopy, filled(12, 8), pad(payload), data),
  });
  assertEquals(await openCopy(keys, place, copy), payload);
  for (const other of places) await assertRejects(() => openCopy(keys, other, copy), "tampered");
  const next = await epochKeys(4, { ...CONTEXT, epoch: 4 });
  await assertRejects(() => openCopy(next, place, copy), "tampered");
});

Deno.test("sealPart() seals as the page says, and a part opens at its place alone, INBOX-02 KEY-04", async () => {
  const key = await importAeadKey(filled(32, 1));
  const bytes = filled(1_000, 2);
  const part = { ...place, index: 3, count: 5 };
  const sealed = await sealPart(key, part, bytes);
  const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
  const { owner, device, stream } = place;
  const data = encodeCbor(["postern/1/inbox-part", owner, device, stream, 7, 3, 5]);
  assertEquals(await openAead(key, nonce, sealed, data), pad(bytes));
  assertEquals(await openPart(key, part, sealed), bytes);
  const others = [...places.map((other) => ({ ...part, ...other })), { ...part, index: 2 }, { ...part, count: 4 }];
  for (const other of others) await assertRejects(() => openPart(key, other, sealed), "tampered");
});

Deno.test("a submission names at most as many parts as the largest message has, ROW-11", () => {
  assert(LIMITS.maxSubmissionParts * LIMITS.messagePartBytes >= LIMITS.maxMessageBytes);
  const parts = (count: number) => Array.from({ length: count }, () => ({ hash: filled(32, 1), size: 1 }));
  const encoded = (count: number) =>
    encodeCbor([
      encodeSubmission({
        ...{ ...place, previous: null, statement: 1, epoch: 3, seen: { generation: 4, head: filled(32, 3) }, time: 5 },
        ...{ sealed: { encapsulated: filled(1_120, 1), ciphertext: filled(64, 2) }, parts: parts(count), copy: null },
      }),
      filled(64, 0),
    ]);
  assertEquals(decodeSignedSubmission(encoded(64)).submission.parts.length, 64);
  assertThrows(() => decodeSignedSubmission(encoded(65)), "malformed");
});
