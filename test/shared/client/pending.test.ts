import { assert, assertEquals, assertRejects } from "../../assert.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternDevice } from "../../../shared/client/device.ts";
import { createMemory, MemoryInProcess } from "../../../shared/client/memory.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  sealCopy,
  signSubmission,
} from "../../../shared/protocol/submission.ts";
import { encodePayload, type SubmissionPayload } from "../../../shared/protocol/submission_payload.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { filled } from "../protocol/epoch.ts";
import { makeChain, start } from "./start.ts";
import type { WorldDevice } from "./world.ts";

const { leaf, root } = await makeChain();

/** Two devices of one owner at one edge. */
async function startTwo() {
  const started = await start();
  const second = await started.world.pair("laptop");
  await started.world.turn();
  return { ...started, second, laptop: await open(second) };

  async function open({ profile, keys, state }: WorldDevice): Promise<PosternDevice> {
    const memory = new MemoryInProcess();
    await createMemory(memory, state);
    return new PosternDevice({ profile, keys, memory, surroundings: started.surroundings });
  }
}

Deno.test("certificates.pending() shows what other devices handed in, as not reviewed, INBOX-06 INBOX-10 ROW-08", async () => {
  const { device, laptop, second, paired } = await startTwo();
  await device.submit.certificate(leaf.der, "from the phone");
  await device.submit.message({ channel: "mail", raw: filled(3, 1) });
  await laptop.submit.certificate(root.der, "from the laptop");
  await laptop.submit.ping();
  for (const [reader, own] of [[device, paired], [laptop, second]] as const) {
    const { found, ignored } = await reader.certificates.pending();
    assertEquals(ignored, []);
    assertEquals(
      found.map(({ der, note, status, reviewed, deviceName }) => [der, note, status, reviewed, deviceName]),
      [
        [leaf.der, "from the phone", "waiting", false, "phone"],
        [root.der, "from the laptop", "waiting", false, "laptop"],
      ],
    );
    assertEquals(found.map(({ isOwn }) => isOwn), [own === paired, own === second]);
  }
});

Deno.test("a copy from an epoch that has passed is named, not opened", async () => {
  const { device, laptop, world } = await startTwo();
  await device.submit.certificate(leaf.der, "");
  await world.turn();
  await laptop.head();
  const { found, ignored } = await laptop.certificates.pending();
  assertEquals([found, ignored.map(({ code, number }) => [code, number])], [[], [["epoch_gone", 1]]]);
});

/** Puts a submission into the inbox that is made by hand. */
async function forge(
  { world, edge, paired }: Awaited<ReturnType<typeof startTwo>>,
  change: {
    readonly sign?: WorldDevice["keys"]["sign"];
    readonly device?: Bytes;
    readonly owner?: Bytes;
    readonly incarnation?: Bytes;
    readonly payload?: SubmissionPayload;
    readonly copyAt?: number;
  },
): Promise<void> {
  const { keys, head, hash } = world.current;
  const place = {
    ...{ owner: change.owner ?? world.owner.id, incarnation: change.incarnation ?? world.owner.incarnation },
    ...{ device: change.device ?? paired.profile.device, stream: webCryptoRandom(16), number: 1 },
  };
  const payload = encodePayload(change.payload ?? { kind: "certificate", der: leaf.der, note: "" });
  const copy = await sealCopy(keys, { ...place, number: change.copyAt ?? 1 }, payload, webCryptoRandom);
  const bytes = encodeSubmission({
    ...{ ...place, previous: null, statement: 1, epoch: head.epoch, seen: { generation: head.generation, head: hash } },
    ...{ time: 0, sealed: { encapsulated: filled(1_120, 1), ciphertext: filled(64, 1) }, parts: [], copy },
  });
  const signed = await signSubmission(bytes, change.sign ?? paired.keys.sign);
  edge.inbox.push({ position: edge.inbox.length + 1, device: place.device, signed });
}

Deno.test("what no device of the owner's signed is ignored and named, and hides nothing else, INBOX-10", async () => {
  const started = await startTwo();
  const { laptop, second } = started;
  await forge(started, { sign: second.keys.sign });
  await forge(started, { device: filled(16, 9) });
  await forge(started, { owner: filled(32, 9) });
  await forge(started, { incarnation: filled(16, 9) });
  await forge(started, { copyAt: 2 });
  await forge(started, { payload: { kind: "ping", nonce: filled(32, 1) } });
  await forge(started, {});
  const { found, ignored } = await laptop.certificates.pending();
  assertEquals(found.length, 1);
  assertEquals(ignored.map(({ code }) => code), [
    ...["tampered", "not_found", "tampered", "tampered", "tampered", "tampered"] as const,
  ]);
});

Deno.test("a listing that does not end, or goes in circles, is given up", async () => {
  const started = await startTwo();
  const { device, laptop, edge } = started;
  await device.submit.certificate(leaf.der, "");
  const [entry] = edge.inbox;
  assert(entry !== undefined);
  edge.lie = (name, answer) => name === "inbox" ? { ...answer, next: 1 } : answer;
  await assertRejects(() => laptop.certificates.pending(), "tampered");
  edge.lie = (name, answer) => name === "inbox" ? { entries: [], next: 5 } : answer;
  await assertRejects(() => laptop.certificates.pending(), "tampered");
  edge.lie = (name) => name === "inbox" ? { entries: [[2, entry.signed], [1, entry.signed]], next: null } : {};
  await assertRejects(() => laptop.certificates.pending(), "tampered");
  edge.lie = (name) => name === "inbox" ? { entries: [[1, filled(5, 1)]], next: null } : {};
  await assertRejects(() => laptop.certificates.pending(), "malformed");
  assertEquals(decodeSignedSubmission(entry.signed).submission.number, 1);
});
