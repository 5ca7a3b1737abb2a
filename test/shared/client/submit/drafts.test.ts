/** What waits until it can be sent: kept encrypted, sealed when it is sent, sent once and in order. */
import { assert, assertEquals, assertRejects, assertThrows } from "../../../assert.ts";
import { type Bytes, concat, utf8 } from "../../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../../shared/bytes/encoding.ts";
import type { DeviceKeys } from "../../../../shared/client/identity/device_keys.ts";
import { deviceKeysOf } from "../../../../shared/client/identity/device_keys.ts";
import { decodeDraft, type Draft, encodeDraft } from "../../../../shared/client/submit/draft.ts";
import { addDraft, placeDraft } from "../../../../shared/client/memory/drafts.ts";
import { openDraft, sealDraft } from "../../../../shared/client/submit/seal_draft.ts";
import { type Drafts, NO_DRAFTS } from "../../../../shared/client/memory/state.ts";
import { generateHpkeSecret, importHpkeKey } from "../../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { encodeReceipt } from "../../../../shared/protocol/records.ts";
import { decodeSignedSubmission } from "../../../../shared/protocol/submission.ts";
import { filled } from "../../protocol/epoch.ts";
import { restart, start, type Started } from "../start.ts";
import { INTERVAL } from "../world.ts";

const mail = (body: string) => ({ channel: "mail", raw: utf8(body) });

function offline({ edge }: Started, is = true): void {
  edge.before = is ? () => Promise.reject(new TypeError("no network")) : () => {};
}

function sent({ edge }: Started) {
  return edge.inbox.map(({ signed }) => decodeSignedSubmission(signed).submission);
}

Deno.test("a draft needs no session and no head, has no place, and is sealed in the epoch in which it is sent, INBOX-03 INBOX-15", async () => {
  const started = await start();
  const { world, device } = started;
  offline(started);
  const kept = await device.submit.certificate(started.chain.leaf.der, "on a flight");
  assertEquals([kept.isDraft, kept.draft, kept.delivered, kept.waitingFor], [true, 1, false, "network"]);
  assertEquals([kept.number, kept.stream.length, kept.hash.length], [0, 0, 0]);
  const { pending } = await device.submit.status();
  assertEquals(pending.map(({ kind, isDraft, draft, number }) => [kind, isDraft, draft, number]), [
    ["certificate", true, 1, 0],
  ]);
  assertEquals((await device.submit.flush()).map(({ draft, waitingFor }) => [draft, waitingFor]), [[1, "network"]]);

  await world.turn();
  await world.turn();
  offline(started, false);
  const { epoch } = world.current.head;
  assert(epoch > 1);
  assertEquals(await restart(started).submit.flush(), []);
  assertEquals(sent(started).map((one) => [one.number, one.epoch, one.previous]), [[1, epoch, null]]);
  assertEquals(started.memory.names().filter((name) => name.startsWith("draft-")), []);
});

Deno.test("in an open session too, nothing is sealed before the newest head could be fetched, INBOX-03", async () => {
  const started = await start();
  const { device, world } = started;
  await device.login();
  offline(started);
  assertEquals((await device.submit.message(mail("one"))).isDraft, true);
  assertEquals((await device.submit.ping()).isDraft, true);
  assertEquals(started.memory.names().filter((name) => name.startsWith("outbox-")), []);
  await world.turn();
  offline(started, false);
  const third = await device.submit.message(mail("three"));
  assertEquals([third.number, third.delivered, third.isDraft, third.draft], [3, true, false, null]);
  assertEquals(sent(started).map(({ number, epoch }) => [number, epoch]), [1, 2, 3].map((number) => [number, 2]));
});

Deno.test("what was sent once is sent again to the byte in a later epoch, and drafts after it, INBOX-16", async () => {
  const started = await start();
  const { device, edge, world } = started;
  await device.login();
  edge.before = (name) => {
    if (name === "inbox") throw new TypeError("no network");
  };
  const first = await device.submit.message(mail("one"));
  assertEquals([first.isDraft, first.number, first.delivered], [false, 1, false]);
  const second = await device.submit.message(mail("two"));
  assertEquals([second.isDraft, second.waitingFor], [true, "network"]);
  await world.turn();
  offline(started, false);
  assertEquals(await restart(started).submit.flush(), []);
  assertEquals(sent(started).map(({ number, epoch }) => [number, epoch]), [[1, 1], [2, 2]]);
  assertEquals(decodeSignedSubmission(edge.inbox[0]?.signed ?? filled(1, 1)).hash, first.hash);
});

Deno.test("flush() sends nothing but pings under a head that is not fresh, and loses nothing, INBOX-03", async () => {
  let late = 0;
  const started = await start({ surroundings: { now: () => started.world.current.head.time + late } });
  const { device, edge, world } = started;
  await device.login();
  edge.before = (name) => {
    if (name === "inbox") throw new TypeError("no network");
  };
  await device.submit.message(mail("sent, but not taken"));
  offline(started);
  await device.submit.message(mail("draft"));
  await device.submit.ping();
  offline(started, false);
  for (const [at, code] of [[10 * INTERVAL, "stale"], [-2 * LIMITS.maxClockLeadMillis, "clock"]] as const) {
    late = at;
    await assertRejects(() => device.submit.flush(), code);
    await assertRejects(() => device.submit.message(mail("not kept")), code);
  }
  // The ping went ahead, in a stream of its own, and what waits is still there.
  assertEquals(sent(started).map(({ number }) => number), [1]);
  assertEquals((await device.submit.ping()).number, 2);
  const { pending } = await device.submit.status();
  assertEquals(pending.map(({ kind, isDraft, delivered }) => [kind, isDraft, delivered]), [
    ...[["message", false, false], ["ping", false, true], ["ping", false, true]],
    ["message", true, false],
  ]);
  late = 0;
  await world.turn({ delta: true });
  assertEquals(await device.submit.flush(), []);
  const streams = sent(started).map((
    { stream, number },
  ) => [toHex(stream) === toHex(sent(started)[0]?.stream ?? filled(1, 1)), number]);
  assertEquals(streams, [[true, 1], [true, 2], [false, 1], [true, 3]]);
});

Deno.test("with nothing but pings kept, flush() does not refuse an overdue head, INBOX-03", async () => {
  let late = 0;
  const started = await start({ surroundings: { now: () => started.world.current.head.time + late } });
  const { device } = started;
  offline(started);
  assertEquals([(await device.submit.ping()).draft, (await device.submit.ping()).draft], [1, 2]);
  late = 10 * INTERVAL;
  started.edge.before = (name) => {
    if (name === "inbox") throw new TypeError("no network");
  };
  assertEquals((await device.submit.flush()).map(({ isDraft, draft }) => [isDraft, draft]), [[false, 1], [true, 2]]);
  assertEquals((await device.submit.ping()).draft, 3);
  offline(started, false);
  assertEquals(await device.submit.flush(), []);
  assertEquals(sent(started).map(({ number }) => number), [1, 2, 3]);
});

Deno.test("outcome() knows what became of a draft, also once it is acknowledged, INBOX-16", async () => {
  const started = await start();
  const { device, world, paired } = started;
  offline(started);
  const kept = await device.submit.message(mail("later"));
  assertEquals(await device.submit.outcome(kept), null);
  const bytes = await started.memory.load("draft-1");
  offline(started, false);
  await device.submit.flush();
  // As a crash leaves it that comes after the draft became a submission.
  await started.memory.save("draft-1", bytes ?? filled(1, 1));
  const { submission: { stream }, hash } = decodeSignedSubmission(started.edge.inbox[0]?.signed ?? filled(1, 1));
  const own = paired.profile.device;
  world.acks = [{ device: own, stream, number: 1, hash }];
  world.contents.push({
    ...{ table: "messages", list: { kind: "receipt", name: concat(own, stream) }, number: 1 },
    plaintext: encodeReceipt({ device: own, stream, number: 1, submission: hash, outcome: "done", text: "sent" }),
  });
  await world.turn({ delta: true });
  const restarted = restart(started);
  assertEquals(await restarted.submit.outcome(kept), { outcome: "done", text: "sent" });
  assertEquals((await restarted.submit.status()).pending, []);
  assertEquals(started.memory.names().filter((name) => /^(draft|outbox)-/.test(name)), []);
});

Deno.test("a draft in memory shows nothing of what it is, and another one is not sent in its place, INBOX-15", async () => {
  const started = await start();
  const { device, memory } = started;
  offline(started);
  const secret = "a secret that stands nowhere else";
  await device.submit.message(mail(secret));
  await device.submit.message(mail("another"));
  const [one, two] = [await memory.load("draft-1"), await memory.load("draft-2")];
  assert(one !== null && two !== null);
  for (const name of memory.names()) {
    assert(!toHex(await memory.load(name) ?? filled(1, 1)).includes(toHex(utf8(secret))), name);
  }
  await memory.save("draft-1", two);
  await memory.remove("draft-2");
  offline(started, false);
  const later = restart(started);
  await assertRejects(() => later.submit.flush(), "storage");
  await assertRejects(() => later.submit.flush(), "storage");
  assertEquals([await later.submit.flush(), sent(started)], [[], []]);
  assertEquals((await later.submit.status()).pending, []);
});

const drafts: readonly Draft[] = [
  { kind: "certificate", der: filled(300, 1), note: "who is this?" },
  { kind: "message", channel: "mail", date: null, raw: filled(3, 1) },
  { kind: "message", channel: "mäil", date: 5, raw: filled(0, 1) },
  { kind: "ping", nonce: filled(32, 1) },
];

Deno.test("decodeDraft() and encodeDraft() are inverse, up to the largest message", () => {
  for (const draft of drafts) assertEquals(decodeDraft(encodeDraft(draft)), draft);
  const channel = "x".repeat(LIMITS.maxChannelBytes);
  const raw = new Uint8Array(LIMITS.maxMessageBytes);
  const largest: Draft = { kind: "message", channel, date: Number.MAX_SAFE_INTEGER, raw };
  const read = decodeDraft(encodeDraft(largest));
  assert(read.kind === "message" && read.raw.length === raw.length);
  assertThrows(() => decodeDraft(filled(3, 1)), "malformed");
  assertThrows(() => decodeDraft(encodeDraft({ kind: "ping", nonce: filled(31, 1) })), "malformed");
});

Deno.test("openDraft() opens only what this very device kept under this number, whatever its keys are, INBOX-15", async () => {
  const { paired } = await start();
  const { profile, keys } = paired;
  const of = { profile, keys };
  const [, draft] = drafts;
  assert(draft !== undefined);
  for (const suite of ["xwing", "x25519", "p256", "p384", "p521", "rsa-oaep-256"] as const) {
    const kem = await importHpkeKey(suite, await generateHpkeSecret(suite));
    const own: DeviceKeys = deviceKeysOf(keys.publicKey, keys.signingKey, kem, kem.publicKey);
    const sealed = await sealDraft(draft, 7, { profile, keys: own }, webCryptoRandom);
    assertEquals(await openDraft(sealed, 7, { profile, keys: own }), draft);
  }
  const sealed = await sealDraft(draft, 7, of, webCryptoRandom);
  await assertRejects(() => openDraft(sealed, 8, of), "tampered");
  const other = { ...profile, device: filled(16, 9) };
  await assertRejects(() => openDraft(sealed, 7, { profile: other, keys }), "tampered");
  const kem = await importHpkeKey("xwing", await generateHpkeSecret("xwing"));
  const another = deviceKeysOf(keys.publicKey, keys.signingKey, kem, kem.publicKey);
  await assertRejects(() => openDraft(sealed, 7, { profile, keys: another }), "tampered");
  // Encrypted to this device by somebody who has not its signing key.
  const stranger = (await start()).paired.keys;
  const forged = await sealDraft(draft, 7, { profile, keys: { ...keys, sign: stranger.sign } }, webCryptoRandom);
  await assertRejects(() => openDraft(forged, 7, of), "tampered");
  const changed: Bytes = sealed.with(sealed.length >> 1, (sealed[sealed.length >> 1] ?? 0) ^ 1);
  await assertRejects(() => openDraft(changed, 7, of), "tampered");
  await assertRejects(() => openDraft(fromHex("80"), 7, of), "malformed");
});

Deno.test("no more drafts are kept than the edge may hold, and where the newest of them stand is remembered, INBOX-15", () => {
  let all: Drafts = NO_DRAFTS;
  for (let count = 1; count <= LIMITS.maxDrafts; count++) all = addDraft(all, { kind: "ping", time: count });
  assertThrows(() => addDraft(all, { kind: "ping", time: 0 }), "too_large");
  for (let draft = 1; draft <= LIMITS.maxRememberedDrafts + 3; draft++) {
    all = placeDraft(all, { draft, stream: filled(16, 1), number: draft, hash: filled(32, 1) });
  }
  assertEquals(all.placed.map(({ draft }) => draft).slice(0, 2), [4, 5]);
  assertEquals(all.placed.length, LIMITS.maxRememberedDrafts);
  assertEquals(all.waiting[0]?.draft, LIMITS.maxRememberedDrafts + 4);
  assertEquals(addDraft(all, { kind: "ping", time: 0 }).last, LIMITS.maxDrafts + 1);
});

Deno.test("nothing goes ahead of a draft that the edge does not take, INBOX-09 INBOX-16", async () => {
  const started = await start();
  const { device, edge } = started;
  offline(started);
  await device.submit.message(mail("one"));
  await device.submit.message(mail("two"));
  offline(started, false);
  let refusals = 1;
  edge.refuse = (name) => name === "inbox" && refusals-- > 0 ? { status: 413, code: "too_large" } : null;
  const third = await device.submit.message(mail("three"));
  assertEquals([third.isDraft, third.waitingFor, sent(started).length], [true, "too_large", 0]);
  const { pending } = await device.submit.status();
  assertEquals(pending.map(({ isDraft, draft }) => [isDraft, draft]), [[false, 1], [true, 2], [true, 3]]);
  assertEquals(await device.submit.flush(), []);
  assertEquals(sent(started).map(({ number }) => number), [1, 2, 3]);
});

Deno.test("a head that expires between two drafts stops the second, INBOX-03", async () => {
  let late = 0;
  const started = await start({ surroundings: { now: () => started.world.current.head.time + late } });
  const { device, edge } = started;
  offline(started);
  await device.submit.message(mail("one"));
  await device.submit.message(mail("two"));
  edge.before = (name) => {
    if (name === "inbox") late = 10 * INTERVAL;
  };
  await assertRejects(() => device.submit.flush(), "stale");
  assertEquals(sent(started).map(({ number }) => number), [1]);
  assertEquals((await device.submit.status()).pending.map(({ draft, isDraft }) => [draft, isDraft]), [[1, false], [
    2,
    true,
  ]]);
});

Deno.test("a head that expires while the last draft is sent stops what was to follow it, but not a ping, INBOX-03", async () => {
  let late = 0;
  const started = await start({ surroundings: { now: () => started.world.current.head.time + late } });
  const { device, edge } = started;
  offline(started);
  await device.submit.message(mail("kept"));
  edge.before = (name) => {
    if (name === "inbox") late = 10 * INTERVAL;
  };
  await assertRejects(() => device.submit.message(mail("not taken")), "stale");
  assertEquals(sent(started).map(({ number }) => number), [1]);
  const { pending } = await device.submit.status();
  assertEquals(pending.map(({ kind, isDraft, delivered }) => [kind, isDraft, delivered]), [["message", false, true]]);
  assertEquals((await device.submit.ping()).delivered, true);
});
