/** Example of inbox.md: two chained submissions, and one part of a large message. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { pad } from "../../shared/bytes/padding.ts";
import { importAeadKey } from "../../shared/crypto/aead.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  inboxSealInfo,
  sealCopy,
  signSubmission,
  type SubmissionPlace,
} from "../../shared/protocol/submission.ts";
import { encodePayload, sealPart, type SubmissionPayload } from "../../shared/protocol/submission_payload.ts";
import { headHash } from "../../shared/protocol/head.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { sealWith, seeded } from "./fixed.ts";
import { exampleHead } from "./heads.ts";
import { type Household, TIME } from "./household.ts";
import type { Example, Step } from "./vector.ts";

export async function inboxExample(household: Household): Promise<Example> {
  const { owner, incarnation, device, root, keys, inbox } = household;
  const random = seeded("postern example inbox");
  const stream = random(16);
  const { bytes, head } = decodeSignedHead((await exampleHead(household)).signed);
  const seen = { generation: head.generation, head: headHash(bytes) };
  const steps: Step[] = [];
  let previous: Bytes | null = null;
  const payloads: [string, SubmissionPayload][] = [
    ["certificate", { kind: "certificate", der: root.der, note: "a friend's" }],
    ["ping", { kind: "ping", nonce: random(32) }],
  ];
  for (const [index, [name, payload]] of payloads.entries()) {
    const place: SubmissionPlace = { owner, incarnation, device: device.id, stream, number: index + 1 };
    const encoded = encodePayload(payload);
    const randomness = random(64);
    const info = inboxSealInfo(place);
    const sealed = await sealWith(randomness, inbox.publicKey, info, pad(encoded));
    const copy = payload.kind === "certificate" ? await sealCopy(keys, place, encoded, random) : null;
    const fields = { ...place, previous, statement: 1, epoch: keys.epoch, seen, time: TIME, sealed, parts: [], copy };
    const signed = await signSubmission(encodeSubmission(fields), device.key.sign);
    const { bytes: submission, hash } = decodeSignedSubmission(signed);
    steps.push({
      name,
      inputs: {
        ...{
          deviceId: device.id,
          deviceSeed: device.key.seed,
          stream,
          number: place.number,
          previous,
          payload: encoded,
        },
        ...{ statement: 1, epoch: keys.epoch, seen: [seen.generation, seen.head], time: TIME, randomness },
        copyNonce: copy?.nonce ?? null,
      },
      outputs: {
        ...{ info, encapsulated: sealed.encapsulated, ciphertext: sealed.ciphertext, copy: copy?.ciphertext ?? null },
        ...{ submission, hash, signed },
      },
    });
    previous = hash;
  }
  const partKey = random(32);
  const place = { owner, incarnation, device: device.id, stream, number: 3, index: 1, count: 2 };
  const part = new Uint8Array(300).fill(0x61);
  steps.push({
    name: "part of a message",
    inputs: { deviceId: device.id, stream, number: 3, index: 1, count: 2, partKey, bytes: part },
    outputs: { ciphertext: await sealPart(await importAeadKey(partKey), place, part) },
  });
  return { page: "inbox.md", about: "Submissions of one stream, for the inbox key of statement.json.", steps };
}
