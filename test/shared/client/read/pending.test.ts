import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { type Bytes, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { PosternDevice } from "../../../../shared/client/device.ts";
import { createMemory, MemoryInProcess } from "../../../../shared/client/memory/memory.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  sealCopy,
  signSubmission,
} from "../../../../shared/protocol/submission.ts";
import { encodePayload, type SubmissionPayload } from "../../../../shared/protocol/submission_payload.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { filled } from "../../protocol/epoch.ts";
import { makeChain, start } from "../start.ts";
import type { WorldDevice } from "../world.ts";

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

Deno.test("certificates.pending() asks for no more devices than there can be, whatever the edge lists", async () => {
  const started = await startTwo();
  const { edge, laptop, device } = started;
  await device.submit.certificate(leaf.der, "the only one");
  for (let made = 0; made < 140; made++) await forge(started, { device: webCryptoRandom(16) });
  edge.requests.length = 0;
  const { found, ignored } = await laptop.certificates.pending();
  assertEquals(found.map(({ note }) => note), ["the only one"]);
  const codes = ignored.map(({ code }) => code);
  assertEquals([codes.slice(0, 127), codes.slice(127)], [
    new Array(127).fill("not_found"),
    new Array(13).fill("too_large"),
  ]);
  assertEquals(edge.requests.filter((request) => request === "GET rows").length, 128);
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
    ...["tampered", "not_found", "tampered", "epoch_gone", "tampered", "tampered"] as const,
  ]);
});

/** Acknowledges everything that the phone handed in, as the manager's next head does. */
async function take({ world, edge, paired }: Awaited<ReturnType<typeof startTwo>>): Promise<void> {
  const last = edge.inbox.map(({ signed }) => decodeSignedSubmission(signed)).findLast(({ submission }) =>
    equalBytes(submission.device, paired.profile.device)
  );
  if (last !== undefined) world.acks = [{ ...last.submission, hash: last.hash }];
  await world.turn({ delta: true });
}

Deno.test("certificates.pending() names what the edge leaves out of a stream, whatever was in it, INBOX-13", async () => {
  const started = await startTwo();
  const { device, laptop, edge } = started;
  await device.submit.certificate(leaf.der, "one");
  await device.submit.message({ channel: "mail", raw: filled(3, 1) });
  await device.submit.certificate(root.der, "three");
  const [first, message, last] = edge.inbox;
  assert(first !== undefined && message !== undefined && last !== undefined);
  const show = async (...shown: typeof edge.inbox) => {
    edge.inbox.splice(0, edge.inbox.length, ...shown.map((one, index) => ({ ...one, position: index + 1 })));
    const { found, faults } = await laptop.certificates.pending();
    return [found.map(({ note }) => note), faults.map(({ code, number }) => `${code} ${number}`)];
  };
  assertEquals(await show(first, message, last), [["one", "three"], []]);
  assertEquals(await show(first, last), [["one", "three"], ["withheld 2"]]);
  assertEquals(await show(message, last), [["three"], ["withheld 1"]]);
  assertEquals(await show(first, first, message, last), [["one"], ["tampered 1"]]);
  assertEquals(await show(message, first, last), [[], ["withheld 1", "tampered 1"]]);
  assertEquals(await show(first), [["one"], []]);
});

Deno.test("certificates.pending() counts nothing as missing that a head took meanwhile, INBOX-13", async () => {
  const started = await startTwo();
  const { device, laptop, edge } = started;
  for (const note of ["one", "two", "three"]) await device.submit.certificate(leaf.der, note);
  // Between the first page, which ends after two, and the second.
  let pages = 0;
  edge.before = async (name) => {
    if (name === "inbox" && ++pages === 2) await take(started);
  };
  const { found, faults, asOf } = await laptop.certificates.pending();
  edge.before = () => {};
  assertEquals([found.length, faults, asOf.generation], [2, [], 2]);
  assertEquals((await laptop.certificates.pending()).found, []);
  await device.submit.certificate(leaf.der, "four");
  await device.submit.certificate(leaf.der, "five");
  await device.submit.certificate(leaf.der, "six");
  pages = 0;
  const [, , , four] = edge.inbox;
  edge.lie = (name, answer) => {
    if (name !== "inbox") return answer;
    return { ...answer, entries: (answer["entries"] as [number, Bytes][]).filter(([at]) => at !== four?.position) };
  };
  edge.before = async (name) => {
    if (name === "inbox" && ++pages === 2) await take(started);
  };
  const later = await laptop.certificates.pending();
  assertEquals([later.found, later.faults, later.asOf.generation], [[], [], 4]);
});

Deno.test("certificates.pending() misses the device's own, and names what heads took unseen, INBOX-14", async () => {
  const started = await startTwo();
  const { device, laptop, edge, paired } = started;
  await device.submit.certificate(leaf.der, "one");
  assertEquals((await laptop.certificates.pending()).unseen, []);
  await device.submit.certificate(leaf.der, "two");
  await device.submit.ping();
  const hidden = edge.inbox.splice(1, 2);
  const own = await device.certificates.pending();
  assertEquals(own.faults.map(({ code, number, stream }) => [code, number, stream.length]), [["withheld", 2, 16]]);
  // To the other device, there is nothing that refers to them until the next head.
  assertEquals((await laptop.certificates.pending()).faults, []);
  edge.inbox.push(...hidden);
  await take(started);
  const { unseen } = await laptop.certificates.pending();
  assertEquals(unseen.map(({ device, from, to }) => [device, from, to]), [[paired.profile.device, 2, 3]]);
  assertEquals((await laptop.certificates.pending()).unseen, []);
  assertEquals((await device.certificates.pending()).faults, []);
});

Deno.test("certificates.pending() opens what was sealed in an epoch that it had not seen, INBOX-13", async () => {
  const { device, laptop, world } = await startTwo();
  await laptop.login();
  await world.turn();
  await device.submit.certificate(leaf.der, "new");
  const { found, ignored, asOf } = await laptop.certificates.pending();
  assertEquals([found.map(({ note }) => note), ignored, asOf.epoch], [["new"], [], world.current.head.epoch]);
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
  edge.lie = (name, answer) =>
    name === "inbox" ? { entries: [[2, entry.signed], [1, entry.signed]], next: null } : answer;
  await assertRejects(() => laptop.certificates.pending(), "tampered");
  edge.lie = (name, answer) => name === "inbox" ? { entries: [[1, filled(5, 1)]], next: null } : answer;
  await assertRejects(() => laptop.certificates.pending(), "malformed");
  assertEquals(decodeSignedSubmission(entry.signed).submission.number, 1);
});
