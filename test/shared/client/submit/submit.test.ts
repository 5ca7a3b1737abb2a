import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { type Bytes, concat, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { toHex } from "../../../../shared/bytes/encoding.ts";
import { unpad } from "../../../../shared/bytes/padding.ts";
import { importAeadKey } from "../../../../shared/crypto/aead.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { openHpke } from "../../../../shared/crypto/hpke.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { requireDraft } from "../../../../shared/client/submit/draft.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { encodeReceipt } from "../../../../shared/protocol/records.ts";
import { requireSignature } from "../../../../shared/protocol/signed.ts";
import { decodeSignedSubmission, inboxSealInfo } from "../../../../shared/protocol/submission.ts";
import { decodePayload, openPart, type SubmissionPayload } from "../../../../shared/protocol/submission_payload.ts";
import { filled } from "../../protocol/epoch.ts";
import { makeChain, restart, start, type Started } from "../start.ts";
import { INTERVAL } from "../world.ts";

const { leaf } = await makeChain();

/** What the manager makes of an entry of the inbox. */
async function take({ world }: Started, signed: Bytes): Promise<SubmissionPayload> {
  const { submission, bytes, signature } = decodeSignedSubmission(signed);
  const sender = world.devices.find(({ profile }) => equalBytes(profile.device, submission.device));
  assert(sender !== undefined);
  await requireSignature(sender.keys.publicKey, signature, bytes, "submission");
  const { sealed } = submission;
  return decodePayload(unpad(await openHpke("xwing", world.owner.inbox, inboxSealInfo(submission), sealed)));
}

/** Acknowledges everything in the inbox, as the manager's next head does. */
async function acknowledge({ world, edge }: Started): Promise<void> {
  const newest = new Map(edge.inbox.map(({ signed }) => {
    const { submission, hash } = decodeSignedSubmission(signed);
    const { device, stream, number } = submission;
    return [toHex(concat(device, stream)), { device, stream, number, hash }];
  }));
  world.acks = [...newest].sort(([a], [b]) => a < b ? -1 : 1).map(([, one]) => one);
  await world.turn({ delta: true });
}

function entry({ edge }: Started, index: number) {
  const found = edge.inbox[index];
  assert(found !== undefined, `entry ${index}`);
  return decodeSignedSubmission(found.signed);
}

Deno.test("submit.certificate() seals for the manager, and for the other devices as well", async () => {
  const started = await start();
  const submitted = await started.device.submit.certificate(leaf.der, "from a friend");
  assertEquals([submitted.number, submitted.delivered, submitted.waitingFor], [1, true, null]);
  const [sent] = started.edge.inbox;
  assert(sent !== undefined);
  assertEquals(await take(started, sent.signed), { kind: "certificate", der: leaf.der, note: "from a friend" });
  const { submission, hash } = entry(started, 0);
  const { head, hash: headHash } = started.world.current;
  assertEquals(hash, submitted.hash);
  assertEquals([submission.previous, submission.statement, submission.epoch], [null, 1, 1]);
  assertEquals(submission.seen, { generation: head.generation, head: headHash });
  assert(submission.copy !== null);
});

Deno.test("submit.message() is inline up to its limit and in parts above it, INBOX-02 INBOX-04", async () => {
  const started = await start();
  const { device, edge } = started;
  const sizes = [0, LIMITS.inlineSubmissionBytes, LIMITS.inlineSubmissionBytes + 1, 2 * LIMITS.messagePartBytes + 3];
  for (const [index, size] of sizes.entries()) {
    const raw = webCryptoRandom(size);
    edge.requests.length = 0;
    await device.submit.message({ channel: "mail", raw, date: 5 });
    const sent = edge.inbox[index];
    assert(sent !== undefined);
    const payload = await take(started, sent.signed);
    assert(payload.kind === "message");
    assertEquals([payload.channel, payload.date, payload.size, payload.sha256], ["mail", 5, size, sha256(raw)]);
    const { submission } = entry(started, index);
    assertEquals(submission.copy, null);
    const parts = size <= LIMITS.inlineSubmissionBytes ? 0 : Math.ceil(size / LIMITS.messagePartBytes);
    assertEquals(submission.parts.length, parts);
    assertEquals(edge.requests.filter((one) => one === "PUT inbox").length, parts);
    if (parts === 0) {
      assertEquals([payload.inline, payload.partKey], [raw, null]);
      continue;
    }
    assert(payload.inline === null && payload.partKey !== null);
    const key = await importAeadKey(payload.partKey);
    const opened = await Promise.all(submission.parts.map(async ({ hash, size }, at) => {
      const sealed = edge.parts.get(toHex(hash));
      assert(sealed !== undefined && sealed.length === size);
      return await openPart(key, { ...submission, index: at, count: parts }, sealed);
    }));
    assertEquals(concat(...opened), raw);
    // The edge takes the parts before the submission that names them.
    assertEquals(edge.requests.at(-1), "POST inbox");
  }
});

Deno.test("what the manager would refuse is not handed in", async () => {
  const { device, edge } = await start();
  const { submit } = device;
  await assertRejects(() => submit.certificate(filled(10, 1), ""), "malformed");
  await assertRejects(() => submit.certificate(leaf.der, "x".repeat(1_025)), "usage");
  await assertRejects(() => submit.message({ channel: "", raw: filled(1, 1) }), "usage");
  await assertRejects(() => submit.message({ channel: "x".repeat(257), raw: filled(1, 1) }), "usage");
  await assertRejects(() => submit.message({ channel: "e\u0301", raw: filled(1, 1) }), "usage");
  const large = new Uint8Array(LIMITS.maxMessageBytes + 1);
  await assertRejects(() => submit.message({ channel: "mail", raw: large }), "too_large");
  for (const date of [-1, 0.5]) {
    await assertRejects(() => submit.message({ channel: "mail", raw: filled(1, 1), date }), "usage");
  }
  assertEquals([edge.inbox.length, (await submit.status()).pending.length], [0, 0]);
});

Deno.test("requireDraft() lets through what is as large or small as may be", () => {
  requireDraft({ kind: "certificate", der: leaf.der, note: "x".repeat(LIMITS.maxNoteChars) });
  const raw = new Uint8Array(LIMITS.maxMessageBytes);
  requireDraft({ kind: "message", channel: "x".repeat(LIMITS.maxChannelBytes), date: 0, raw });
  requireDraft({ kind: "message", channel: "x", date: Number.MAX_SAFE_INTEGER, raw: filled(0, 1) });
});

Deno.test("what the edge holds is shown to it again, and nothing behind one that it does not take, INBOX-09", async () => {
  const started = await start();
  const { submit } = started.device;
  for (const _ of [1, 2]) await submit.ping();
  started.edge.refuse = (name) => name === "inbox" ? { status: 413, code: "too_large" } : null;
  await submit.ping();
  const asked = () => started.edge.requests.filter((one) => one.endsWith("inbox")).length;
  const before = asked();
  assertEquals((await submit.flush()).map(({ number, waitingFor }) => [number, waitingFor]), [
    [1, "too_large"],
    [3, "too_large"],
  ]);
  assertEquals(asked(), before + 1);
});

Deno.test("a refusal that says nothing of the submission is passed on, and it waits", async () => {
  const started = await start();
  const { submit } = started.device;
  started.edge.refuse = (name) => name === "inbox" ? { status: 410, code: "epoch_gone" } : null;
  await assertRejects(() => submit.ping(), "epoch_gone");
  assertEquals((await submit.status()).pending.map(({ delivered, doubtful }) => [delivered, doubtful]), [[
    false,
    false,
  ]]);
});

Deno.test("flush() out of reach names what the edge did not take, and neither what it took nor what is in doubt", async () => {
  const started = await start();
  const { edge, device: { submit } } = started;
  await submit.ping();
  edge.refuse = (name) => name === "inbox" ? { status: 403, code: "forbidden" } : null;
  await assertRejects(() => submit.ping(), "forbidden");
  edge.refuse = () => null;
  await submit.ping();
  edge.refuse = (name) => name === "inbox" ? { status: 413, code: "too_large" } : null;
  const waiting = await submit.ping();
  const inDoubt = (await submit.status()).pending.map(({ doubtful, delivered }) => [doubtful, delivered]);
  assertEquals(inDoubt, [[true, true], [true, false], [false, true], [false, false]]);
  edge.before = () => Promise.reject(new TypeError("no network"));
  assertEquals((await submit.flush()).map(({ stream, number, waitingFor }) => [stream, number, waitingFor]), [
    [waiting.stream, 2, "network"],
  ]);
});

Deno.test("flush() asks the edge for nothing when nothing waits", async () => {
  const { device, edge } = await start();
  assertEquals([await device.submit.flush(), edge.requests], [[], []]);
});

Deno.test("submissions are chained in one stream, also when handed in together, INBOX-01 INBOX-05", async () => {
  const started = await start();
  const { submit } = started.device;
  await Promise.all([submit.ping(), submit.certificate(leaf.der, ""), submit.ping()]);
  const all = [0, 1, 2].map((index) => entry(started, index));
  assertEquals(all.map(({ submission }) => submission.number), [1, 2, 3]);
  assertEquals(all.map(({ submission }) => submission.previous), [null, all[0]?.hash ?? null, all[1]?.hash ?? null]);
  assertEquals(new Set(all.map(({ submission }) => toHex(submission.stream))).size, 1);
});

Deno.test("a submission is kept until a head acknowledges it, INBOX-09", async () => {
  const started = await start();
  const { device, memory } = started;
  const first = await device.submit.message({ channel: "mail", raw: webCryptoRandom(600_000) });
  await device.submit.ping();
  assertEquals((await device.submit.status()).pending.map(({ number, delivered }) => [number, delivered]), [
    [1, true],
    [2, true],
  ]);
  assertEquals(memory.names().filter((name) => name.startsWith("outbox-")).length, 4);
  await acknowledge(started);
  await device.head();
  const status = await device.submit.status();
  assertEquals(status.pending, []);
  assertEquals(status.acknowledged, [{ stream: first.stream, number: 2 }]);
  assertEquals(memory.names(), ["state"]);
});

Deno.test("a head that acknowledges what was never sent is refused, INBOX-09", async () => {
  const started = await start();
  const { device, world } = started;
  const { stream, number, hash } = await device.submit.ping();
  const own = started.paired.profile.device;
  const wrong = [{ number: 2, hash }, { number, hash: filled(32, 1) }];
  for (const one of wrong) {
    world.acks = [{ device: own, stream, ...one }];
    await world.turn({ delta: true });
    await assertRejects(() => device.head(), "forked");
    world.generations.pop();
  }
  world.acks = [{ device: own, stream, number, hash }, { device: own, stream: filled(16, 0xff), number: 9, hash }];
  await world.turn({ delta: true });
  await device.head();
});

Deno.test("nothing is handed in under an overdue head, but a ping is, INBOX-03", async () => {
  let late = 0;
  const started = await start({ surroundings: { now: () => started.world.current.head.time + late } });
  const { device, world, edge } = started;
  await device.login();
  late = 10 * INTERVAL;
  edge.requests.length = 0;
  await assertRejects(() => device.submit.certificate(leaf.der, ""), "stale");
  assertEquals(edge.requests, ["GET head"]);
  late = -2 * LIMITS.maxClockLeadMillis;
  await assertRejects(() => device.submit.message({ channel: "mail", raw: filled(3, 1) }), "clock");
  assertEquals((await device.submit.ping()).delivered, true);
  // A newer head is there: it is fetched before anything is refused.
  late = 0;
  await world.turn({ delta: true });
  late = INTERVAL + LIMITS.headGraceMillis;
  const fetched = await device.submit.certificate(leaf.der, "");
  assertEquals(fetched.delivered, true);
});

Deno.test("what could not be delivered is kept and sent again to the byte, also after a crash", async () => {
  const started = await start();
  const { edge } = started;
  await started.device.login();
  edge.before = (name) => {
    if (name === "inbox") throw new TypeError("no network");
  };
  const raw = webCryptoRandom(600_000);
  const first = await started.device.submit.message({ channel: "mail", raw });
  assertEquals([first.delivered, first.waitingFor], [false, "network"]);
  const second = await started.device.submit.ping();
  assertEquals([second.isDraft, second.delivered, second.waitingFor], [true, false, "network"]);
  edge.before = () => {};
  const device = restart(started);
  assertEquals(await device.submit.flush(), []);
  assertEquals(edge.inbox.length, 2);
  const sent = edge.inbox.map(({ signed }) => signed);
  assertEquals(entry(started, 0).hash, first.hash);
  await device.submit.flush();
  assertEquals(edge.inbox.map(({ signed }) => signed), sent);
  assertEquals((await device.submit.status()).pending.map(({ delivered }) => delivered), [true, true]);
});

Deno.test("nothing is handed in before all that it follows in its stream, INBOX-09", async () => {
  const started = await start();
  const { edge, device } = started;
  await device.login();
  const numbers = () => edge.inbox.map(({ signed }) => decodeSignedSubmission(signed).submission.number);
  let refusals = 1;
  edge.refuse = (name) => name === "inbox" && refusals-- > 0 ? { status: 413, code: "too_large" } : null;
  assertEquals((await device.submit.ping()).waitingFor, "too_large");
  refusals = 1;
  const second = await device.submit.ping();
  assertEquals([second.isDraft, second.delivered, second.waitingFor, numbers()], [true, false, "too_large", []]);
  refusals = 1;
  assertEquals((await device.submit.flush()).map(({ number, isDraft, waitingFor }) => [number, isDraft, waitingFor]), [
    [1, false, "too_large"],
    [0, true, "too_large"],
  ]);
  assertEquals(numbers(), []);
  assertEquals((await device.submit.ping()).delivered, true);
  assertEquals(numbers(), [1, 2, 3]);
});

Deno.test("what the edge refuses for good ends its stream, and the next submission begins another", async () => {
  const { edge, device } = await start();
  await device.login();
  let refusal: ErrorCode | null = "rate_limited";
  edge.refuse = (name) => name === "inbox" && refusal !== null ? { status: 400, code: refusal } : null;
  const first = await device.submit.ping();
  assertEquals([first.number, first.delivered], [1, false]);
  edge.refuse = (name) => {
    if (name !== "inbox" || refusal === null) return null;
    refusal = null;
    return { status: 403, code: "forbidden" };
  };
  const next = await device.submit.ping();
  assertEquals([next.number, next.delivered], [1, true]);
  assertEquals((await device.submit.status()).pending.map(({ doubtful }) => doubtful), [true, false]);
});

/** Dies at each write of the memory, once before and once after it, and goes on from what is left. */
Deno.test("a crash at any write loses nothing that was kept and uses no number twice", async () => {
  for (let crashAt = 0; crashAt < 12; crashAt++) {
    const started = await start();
    const { memory, edge } = started;
    await started.device.login();
    let writes = 0;
    const { save } = memory;
    memory.save = async (name, bytes) => {
      if (writes++ === crashAt >> 1 && crashAt % 2 === 0) throw new Error("power cut");
      await save.call(memory, name, bytes);
      if (writes - 1 === crashAt >> 1) throw new Error("power cut");
    };
    const raw = webCryptoRandom(600_000);
    const outcome = await started.device.submit.message({ channel: "mail", raw }).then(() => "done", () => "crashed");
    memory.save = save;
    const device = restart(started);
    await device.submit.flush();
    const before = edge.inbox.length;
    await device.submit.ping();
    const numbers = edge.inbox.map(({ signed }) => decodeSignedSubmission(signed).submission.number);
    assertEquals(numbers, numbers.length === 1 ? [1] : [1, 2], `crash ${crashAt}`);
    assertEquals(edge.inbox.length, before + 1);
    if (outcome === "done") assertEquals(before, 1);
    for (const [index, { submission }] of edge.inbox.keys().map((at) => [at, entry(started, at)] as const)) {
      assertEquals(submission.previous, index === 0 ? null : entry(started, index - 1).hash);
    }
  }
});

Deno.test("a place that is taken is in doubt: it is not sent again, and the next starts a new stream", async () => {
  const started = await start();
  const { edge, memory } = started;
  const before = await started.memory.load("state");
  assert(before !== null);
  const first = await started.device.submit.ping();
  // An old copy of the memory comes back, and with it the stream that it believes to be at its start.
  await memory.save("state", before);
  const random = (length: number) => length === 16 ? first.stream : webCryptoRandom(length);
  const copy = restart({ ...started, surroundings: { ...started.surroundings, random } });
  await assertRejects(() => copy.submit.certificate(leaf.der, ""), "conflict");
  const { pending } = await copy.submit.status();
  assertEquals(pending.map(({ doubtful, number }) => [doubtful, number]), [[true, 1]]);
  assertEquals(await copy.submit.flush(), []);
  assertEquals(edge.inbox.length, 1);
  const later = restart(started);
  const next = await later.submit.ping();
  assertEquals([next.number, next.delivered], [1, true]);
  assert(!equalBytes(next.stream, first.stream));
  await later.submit.forget(first.stream);
  assertEquals((await later.submit.status()).pending.map(({ doubtful }) => doubtful), [false]);
});

Deno.test("bytes that the memory lost put their stream in doubt", async () => {
  const started = await start();
  const { memory, edge } = started;
  await started.device.login();
  edge.before = (name) => {
    if (name === "inbox") throw new TypeError("no network");
  };
  await started.device.submit.ping();
  edge.before = () => {};
  for (const name of memory.names().filter((one) => one.startsWith("outbox-"))) await memory.remove(name);
  const device = restart(started);
  await assertRejects(() => device.submit.flush(), "storage");
  assertEquals((await device.submit.ping()).number, 1);
  assertEquals((await device.submit.status()).pending.map(({ doubtful }) => doubtful), [true, false]);
});

Deno.test("a part that the memory lost puts its stream in doubt as well", async () => {
  const started = await start();
  const { memory, edge } = started;
  edge.refuse = (name) => name === "inbox" ? { status: 413, code: "too_large" } : null;
  await started.device.submit.message({ channel: "mail", raw: webCryptoRandom(600_000) });
  edge.refuse = () => null;
  const part = memory.names().find((name) => /^outbox-[0-9a-f]+-1-0$/.test(name));
  assert(part !== undefined);
  await memory.remove(part);
  await assertRejects(() => restart(started).submit.flush(), "storage");
  assertEquals(edge.inbox, []);
});

Deno.test("after a confirmed restore a new stream begins, INBOX-08", async () => {
  const started = await start();
  const { world } = started;
  const before = await started.device.submit.ping();
  await world.owner.restate({ incarnation: filled(16, 9), number: 9, base: null });
  await world.turn({ fields: { generation: 1_000_000, epoch: 1_000_000 } });
  const device = restart(started);
  await device.confirmRestore(filled(16, 9));
  const after = await device.submit.ping();
  assertEquals(after.number, 1);
  assert(!equalBytes(after.stream, before.stream));
});

Deno.test("after a confirmed restore what waits from before is sent first, once, to the byte, INBOX-08 INBOX-09", async () => {
  const started = await start();
  const { world, edge } = started;
  edge.refuse = (name) => name === "inbox" ? { status: 413, code: "too_large" } : null;
  const before = await started.device.submit.ping();
  edge.refuse = () => null;
  await world.owner.restate({ incarnation: filled(16, 9), number: 9, base: null });
  await world.turn({ fields: { generation: 1_000_000, epoch: 1_000_000 } });
  const device = restart(started);
  await device.confirmRestore(filled(16, 9));
  edge.requests.length = 0;
  assertEquals(await device.submit.flush(), []);
  assertEquals([entry(started, 0).hash, edge.inbox.length], [before.hash, 1]);
  assertEquals(edge.requests.filter((one) => one === "POST inbox").length, 1);
});

Deno.test("outcome() reads the manager's receipt, and refuses one for something else", async () => {
  const started = await start();
  const { device, world, paired } = started;
  const [first, second] = [await device.submit.ping(), await device.submit.ping()];
  const own = paired.profile.device;
  assertEquals(await device.submit.outcome(first), null);
  const receipt = (number: number, submission: Bytes, outcome: "done" | "held") => ({
    table: "messages" as const,
    list: { kind: "receipt" as const, name: concat(own, first.stream) },
    number,
    plaintext: encodeReceipt({ device: own, stream: first.stream, number, submission, outcome, text: "ok" }),
  });
  world.contents.push(receipt(1, first.hash, "held"), receipt(2, filled(32, 1), "done"));
  await acknowledge(started);
  assertEquals(await device.submit.outcome(first), { outcome: "held", text: "ok" });
  await assertRejects(() => device.submit.outcome(second), "tampered");
  assertEquals((await device.verifyAll()).contents.receipts, 2);
});
