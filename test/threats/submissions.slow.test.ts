/** Promise: a submission to the manager cannot be dropped unnoticed, forged, or processed twice. */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { sealHpke } from "../../shared/crypto/hpke.ts";
import { pad } from "../../shared/bytes/padding.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  inboxSealInfo,
  signSubmission,
  type Submission,
} from "../../shared/protocol/submission.ts";
import { encodePayload } from "../../shared/protocol/submission_payload.ts";
import { currentStatement } from "../../manager/owner/statement.ts";
import { openAlarms } from "../../manager/sync/alarms.ts";
import { assert, assertEquals } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { run } from "./edge_database.ts";
import { certificate, LARGE_BYTES, mail, pushedWorld, type Setting } from "./setting.ts";
import { bodyOf } from "./wire.ts";

const NOTHING = { done: 0, held: 0, refused: 0, ignored: 0, contradicting: [], gaps: [] };

/** Submissions as the device sent them, signed, in their order. */
function sent({ traffic }: TestDevice): Bytes[] {
  return traffic.exchanges.filter(({ request }) => request.method === "POST" && request.url.endsWith("/inbox"))
    .map(({ request }) => {
      const { submission } = bodyOf(request);
      assert(submission instanceof Uint8Array);
      return submission;
    });
}

/** An inbox as the edge claims it to be. */
function showInbox({ world }: Setting, submissions: readonly Bytes[]): void {
  const entries = submissions.map((body, index): [number, Bytes] => [index + 1, body]);
  world.edge.lies.list = () => Promise.resolve({ entries, next: null });
}

async function write({ client }: TestDevice, ...subjects: string[]): Promise<void> {
  for (const subject of subjects) await client.submit.message({ channel: "out", raw: mail(subject) });
}

async function subjects({ client }: TestDevice): Promise<string[]> {
  await client.head();
  const { messages } = await client.messages.list("out", { after: 0 });
  return messages.map(({ summary }) => summary.subject);
}

Deno.test("no head from before a ping answers it, nor the answer to another one; the next head does (INBOX-17)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const first = await device.client.submit.ping();
  await world.manager.sync();
  await device.client.head();
  assertEquals((await device.client.submit.status()).pending, []);
  const answered = await world.copyEdge();

  const second = await device.client.submit.ping();
  const waiting = async () => {
    const again = device.start();
    await again.login();
    return (await again.submit.status()).pending.map(({ number }) => number);
  };
  // The edge shows again what answered the first one, and goes on to the head that answers the second when it likes.
  const present = world.replaceEdge(answered);
  assertEquals(await waiting(), [second.number]);
  world.replaceEdge(present);
  assertEquals(await waiting(), [second.number]);
  await world.manager.sync();
  assertEquals(await waiting(), []);
  assert(!equalBytes(first.hash, second.hash));
});

Deno.test("submit.status() keeps what was handed in pending when the edge drops it (INBOX-09)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one", "two");
  showInbox(setting, []);
  assertEquals((await world.manager.sync()).inbox, NOTHING);
  await device.client.head();
  const { pending, acknowledged } = await device.client.submit.status();
  assertEquals([pending.map(({ number, delivered }) => [number, delivered]), acknowledged], [
    [[1, true], [2, true]],
    [],
  ]);
  delete world.edge.lies.list;
  assertEquals((await world.manager.sync()).inbox.done, 2);
  assertEquals(await subjects(device), ["one", "two"]);
  assertEquals((await device.client.submit.status()).pending, []);
});

Deno.test("takeInbox() leaves a gap unprocessed and names it when the edge drops one of a stream (INBOX-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one", "two", "three");
  const [one, two, three] = sent(device);
  assert(one !== undefined && two !== undefined && three !== undefined);
  showInbox(setting, [one, three]);
  const { inbox } = await world.manager.sync();
  assertEquals([inbox.done, inbox.gaps.length], [1, 1]);
  assertEquals(await subjects(device), ["one"]);
  assertEquals((await device.client.submit.status()).pending.map(({ number }) => number), [2, 3]);
  showInbox(setting, [two, three]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, done: 2 });
  assertEquals(await subjects(device), ["one", "two", "three"]);
});

Deno.test("takeInbox() takes the order of the stream when the edge shows another one (INBOX-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one", "two", "three");
  showInbox(setting, sent(device).toReversed());
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, done: 3 });
  assertEquals(await subjects(device), ["one", "two", "three"]);
});

Deno.test("takeInbox() processes once what the edge shows twice, and again, and after its acknowledgement (INBOX-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one", "two");
  const all = sent(device);
  showInbox(setting, [...all, ...all, ...all.toReversed()]);
  assertEquals((await world.manager.sync()).inbox.done, 2);
  showInbox(setting, all);
  assertEquals((await world.manager.sync()).inbox, NOTHING);
  assertEquals(await subjects(device), ["one", "two"]);
});

/** The device's submission with something else in it, signed by whoever is given. */
async function forged(original: Bytes, change: Partial<Submission>, sign: TestDevice["keys"]["sign"]): Promise<Bytes> {
  const { submission } = decodeSignedSubmission(original);
  return await signSubmission(encodeSubmission({ ...submission, ...change }), sign);
}

const FORGERIES: Readonly<Record<string, (s: Submission) => Partial<Submission>>> = {
  nothing: () => ({}),
  owner: () => ({ owner: webCryptoRandom(32) }),
  device: () => ({ device: webCryptoRandom(16) }),
  stream: () => ({ stream: webCryptoRandom(16) }),
  "number and previous": ({ number }) => ({ number: number + 1, previous: webCryptoRandom(32) }),
  time: ({ time }) => ({ time: time + 1 }),
  sealed: ({ sealed }) => ({ sealed: { ...sealed, ciphertext: sealed.ciphertext.with(3, 7) } }),
  parts: () => ({ parts: [{ hash: webCryptoRandom(32), size: 1_000 }] }),
};

for (const [name, change] of Object.entries(FORGERIES)) {
  Deno.test(`takeInbox() ignores a submission when ${name} is changed and it is not signed by its device (INBOX-07)`, async () => {
    await using setting = await pushedWorld();
    const { device, other, world } = setting;
    await write(device, "one");
    const [original] = sent(device);
    assert(original !== undefined);
    const { submission } = decodeSignedSubmission(original);
    const signers = [other.keys.sign, () => Promise.resolve(new Uint8Array(64))];
    const forgeries = await Promise.all(signers.map((sign) => forged(original, change(submission), sign)));
    showInbox(setting, forgeries);
    assertEquals((await world.manager.sync()).inbox, { ...NOTHING, ignored: 2 });
    assertEquals((await openAlarms(world.manager.db)).map(({ code }) => code), ["tampered"]);
    assertEquals((await device.client.messages.channels()).found.map((channel) => channel.name), ["mail"]);
  });
}

Deno.test("takeInbox() ignores whatever bytes the edge shows, and goes on with what is genuine (INBOX-08)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one");
  const [genuine] = sent(device);
  assert(genuine !== undefined);
  const cut = genuine.slice(0, -1);
  const flipped = genuine.map((byte, index) => index === genuine.length >> 1 ? byte ^ 1 : byte);
  showInbox(setting, [webCryptoRandom(500), cut, flipped, encodeCbor([]), encodeCbor([genuine, genuine]), genuine]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, ignored: 5, done: 1 });
  assertEquals(await subjects(device), ["one"]);
});

Deno.test("takeInbox() takes nothing of a device when its submission is shown as another's (INBOX-01)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await write(other, "mine");
  const [theirs] = sent(other);
  assert(theirs !== undefined);
  // The other device signs, properly, what says that this device did it.
  const { device: id } = device.profile;
  showInbox(setting, [await forged(theirs, { device: id }, other.keys.sign)]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, ignored: 1 });
});

Deno.test("takeInbox() refuses what was sealed for another place, and what follows is not blocked by it (INBOX-08)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await write(other, "secret");
  await write(device, "one", "two");
  const [theirs] = sent(other);
  const [one, two] = sent(device);
  assert(theirs !== undefined && one !== undefined && two !== undefined);
  // A device with a stolen ciphertext: it can sign it as its own, but it was sealed for another's place.
  const { sealed } = decodeSignedSubmission(theirs).submission;
  const stolen = await forged(one, { sealed }, device.keys.sign);
  const { hash } = decodeSignedSubmission(stolen);
  const next = await forged(two, { previous: hash }, device.keys.sign);
  showInbox(setting, [stolen, next]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, refused: 1, done: 1 });
});

Deno.test("takeInbox() ends a stream that does not chain, and says so (INBOX-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one", "two");
  const [one, two] = sent(device);
  assert(one !== undefined && two !== undefined);
  const broken = await forged(two, { previous: webCryptoRandom(32) }, device.keys.sign);
  showInbox(setting, [one, broken]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, done: 1 });
  assertEquals((await openAlarms(world.manager.db)).map(({ code }) => code), ["tampered"]);
  showInbox(setting, [two]);
  assertEquals((await world.manager.sync()).inbox.done, 0);
});

Deno.test("takeInbox() processes nothing when parts of a message are changed, exchanged or gone (INBOX-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.submit.message({ channel: "out", raw: mail("large", "y".repeat(LARGE_BYTES)) });
  const { edge } = world;
  const bodies = await edge.database.execute<{ readonly hash: Bytes; readonly body: Bytes }>({
    sql: "SELECT hash, body FROM inbox_part_bodies",
    params: [],
  });
  const [first, second] = bodies.rows;
  assert(first !== undefined && second !== undefined);
  const put = (hash: Bytes, body: Bytes) =>
    run(edge, "UPDATE inbox_part_bodies SET body = ? WHERE hash = ?", body, hash);
  const taken = async () => (await world.manager.sync()).inbox;

  await put(first.hash, first.body.with(9, (first.body[9] ?? 0) ^ 1));
  assertEquals((await taken()).done, 0);
  await put(first.hash, second.body);
  assertEquals((await taken()).done, 0);
  await put(first.hash, first.body);
  await run(edge, "DELETE FROM inbox_part_bodies WHERE hash = ?", second.hash);
  const gone = await taken();
  assertEquals([gone.done, gone.gaps.length], [0, 1]);
  assertEquals((await device.client.submit.status()).pending.length, 1);
  // What the device still has, it can hand in again: nothing was lost.
  await run(edge, "DELETE FROM inbox_parts WHERE hash = ?", second.hash);
  await device.client.submit.flush();
});

Deno.test("certificates.pending() shows no copy that its device did not sign (INBOX-10)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await other.client.submit.certificate(await certificate("CN=Genuine"), "by hand");
  const [genuine] = sent(other);
  assert(genuine !== undefined);
  const { submission } = decodeSignedSubmission(genuine);
  const forgery = await forged(genuine, { stream: webCryptoRandom(16) }, device.keys.sign);
  const wrongCopy = await forged(genuine, {
    stream: webCryptoRandom(16),
    copy: submission.copy && { ...submission.copy, nonce: new Uint8Array(12) },
  }, other.keys.sign);
  showInbox(setting, [forgery, wrongCopy, genuine]);
  const { found, ignored } = await device.client.certificates.pending();
  assertEquals([found.length, ignored.length], [1, 2]);
  assertEquals(world.edge.log, []);
});

Deno.test("takeInbox() ignores what the edge seals to the inbox key itself (INBOX-01)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await write(device, "one");
  const [one] = sent(device);
  assert(one !== undefined);
  const { submission } = decodeSignedSubmission(one);
  // Anybody can seal to the inbox key; only a device's signature makes it count.
  const { inboxKey } = await currentStatement(world.manager.db);
  const payload = encodePayload({ kind: "ping", nonce: webCryptoRandom(32) });
  const sealed = await sealHpke("xwing", inboxKey, inboxSealInfo(submission), pad(payload));
  const { encapsulated, ciphertext } = sealed;
  showInbox(setting, [
    await forged(one, { sealed: { encapsulated, ciphertext } }, () => Promise.resolve(webCryptoRandom(64))),
  ]);
  assertEquals((await world.manager.sync()).inbox, { ...NOTHING, ignored: 1 });
});
