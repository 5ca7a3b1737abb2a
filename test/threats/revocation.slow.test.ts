/** Promise: a lost device reads nothing written after its revocation was seen. */
import { openHpke } from "../../shared/crypto/hpke.ts";
import { secretKey } from "../../shared/crypto/brand.ts";
import { LIMITS } from "../../shared/limits.ts";
import { deriveEpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { decodeRow, openDecodedRow } from "../../shared/protocol/row.ts";
import { decodeSignedSubmission, openCopy } from "../../shared/protocol/submission.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { wrapInfo } from "../../shared/protocol/wrap.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { heldRows, heldSubmissions } from "./edge_database.ts";
import { lastHead } from "./forge.ts";
import { certificate, CHANNEL, mail, pushedWorld, type Setting } from "./setting.ts";
import type { TestDevice } from "../fixtures/device.ts";

/** The keys of the present epoch as a device unwraps them: with its own KEM key, from its own record. */
async function unwrap({ world }: Setting, device: TestDevice) {
  const head = await lastHead(world.manager);
  const rows = (await heldRows(world.edge, TABLES.devices)).map(({ body }) => decodeRow(body));
  const own = rows.find(({ extra }) => extra !== null && String(extra.device) === String(device.profile.device));
  if (own === undefined || own.extra === null) throw new Error("The device has no record");
  const info = wrapInfo(head, device.profile.device, own.extra.suite);
  const wrapped = { encapsulated: own.extra.encapsulated, ciphertext: own.extra.wrapped };
  const symKey = await openHpke(own.extra.suite, device.keys.kem, info, wrapped);
  return { head, symKey: secretKey<"SymKey">(symKey) };
}

Deno.test("messages.list() throws unauthorized at once when the device was revoked, in its session too", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  assertEquals((await other.client.messages.list(CHANNEL)).messages.length, 4);
  await world.manager.revoke(other.profile.device);
  // The manager has decided, the edge does not know it yet.
  assertEquals((await other.client.messages.list(CHANNEL)).messages.length, 4);
  await world.manager.sync();
  await assertRejects(() => other.client.messages.list(CHANNEL), "unauthorized");
  await assertRejects(() => other.client.tables.verify("messages"), "unauthorized");
  await assertRejects(() => other.client.submit.ping(), "unauthorized");
  await assertRejects(() => other.start().login(), "unauthorized");
  assertEquals((await device.client.messages.list(CHANNEL)).asOf.epoch, 2);
});

Deno.test("A session of a revoked device stays ended when the device is paired again (SESS-11)", async () => {
  await using setting = await pushedWorld();
  const { other, world } = setting;
  await other.client.messages.list(CHANNEL);
  const last = other.traffic.exchanges.at(-1);
  assert(last !== undefined);
  await world.manager.revoke(other.profile.device);
  await world.manager.sync();
  await world.pair("laptop again");
  await world.manager.sync();
  const again = await other.traffic.send(last.request);
  assertEquals(again.status, 401);
  await assertRejects(() => other.client.messages.list(CHANNEL), "unauthorized");
});

Deno.test("Nothing that a revoked device holds opens anything of the next epoch, even with all of the edge's database", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const { head: oldHead, symKey: oldKey } = await unwrap(setting, other);
  await world.manager.revoke(other.profile.device);
  await world.manager.receive(CHANNEL, mail("after the revocation"));
  await world.manager.sync();
  const head = await lastHead(world.manager);
  assertEquals(head.epoch, oldHead.epoch + 1);

  await assertRejects(() => deriveEpochKeys(oldKey, head, head.commitment), "tampered");
  const records = (await heldRows(world.edge, TABLES.devices)).map(({ body }) => decodeRow(body));
  assertEquals(records.length, 1);
  for (const { extra } of records) {
    assert(extra !== null);
    const wrapped = { encapsulated: extra.encapsulated, ciphertext: extra.wrapped };
    for (const id of [extra.device, other.profile.device]) {
      const info = wrapInfo(head, id, extra.suite);
      await assertRejects(() => openHpke(extra.suite, other.keys.kem, info, wrapped), "tampered");
    }
  }
  const guesses = [await deriveEpochKeys(oldKey, head, null), await deriveEpochKeys(oldKey, oldHead, null)];
  for (const { body } of await heldRows(world.edge)) {
    for (const keys of guesses) await assertRejects(() => openDecodedRow(keys, decodeRow(body)), "tampered");
  }
  // The same rows, with the right key, are what the device that stayed reads.
  const { symKey } = await unwrap(setting, device);
  const keys = await deriveEpochKeys(symKey, head, head.commitment);
  for (const { body } of await heldRows(world.edge)) await openDecodedRow(keys, decodeRow(body));
});

Deno.test("submit.certificate() throws stale when an edge that hides a revocation lets the last head expire (INBOX-03)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const hiding = await world.copyEdge();
  await world.manager.revoke(other.profile.device);
  await world.manager.sync();
  world.replaceEdge(hiding);
  const { nextDue, epoch } = await device.client.login();
  assertEquals(epoch, 1);
  // Until then the writer still seals under the epoch that the lost device can read; then no longer.
  assertEquals((await device.client.submit.message({ channel: "out", raw: mail("in time") })).delivered, true);
  world.clock.advance(nextDue + LIMITS.headGraceMillis + 1 - world.clock.now());
  await assertRejects(() => device.client.submit.message({ channel: "out", raw: mail("late") }), "stale");
});

Deno.test("Nothing that a device could not send before a revocation is opened by the revoked device's keys after it (INBOX-03, INBOX-15)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await device.client.login();
  const { head: oldHead, symKey: oldKey } = await unwrap(setting, other);
  const kept = await device.traffic.with({ request: () => Promise.reject(new TypeError("no network")) }, async () => {
    return await device.client.submit.certificate(await certificate("CN=Secret"), "between us");
  });
  assertEquals([kept.isDraft, kept.delivered], [true, false]);

  const tablet = await world.pair("tablet");
  await world.manager.revoke(other.profile.device);
  await world.manager.sync();
  assertEquals(await device.client.submit.flush(), []);

  const [signed] = await heldSubmissions(world.edge);
  assert(signed !== undefined);
  const { submission } = decodeSignedSubmission(signed);
  assert(submission.copy !== null);
  const { copy } = submission;
  const head = await lastHead(world.manager);
  assertEquals([submission.epoch, head.epoch], [oldHead.epoch + 1, oldHead.epoch + 1]);
  for (const  of of[oldHead, head]) {
    const keys = await deriveEpochKeys(oldKey, of, null);
    await assertRejects(() => openCopy(keys, submission, copy), "tampered");
  }
  // Who stayed, and who came since, see it at once.
  const { found } = await tablet.client.certificates.pending();
  assertEquals(found.map(({ note }) => note), ["between us"]);
});

Deno.test("submit.flush() throws stale, and sends nothing again, when an edge lets the last head expire (INBOX-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { nextDue } = await device.client.login();
  await device.traffic.with({
    request: (sent) => sent.method === "POST" ? Promise.reject(new TypeError("no network")) : sent,
  }, async () => {
    const { isDraft, delivered } = await device.client.submit.message({ channel: "out", raw: mail("in time") });
    assertEquals([isDraft, delivered], [false, false]);
  });
  world.clock.advance(nextDue + LIMITS.headGraceMillis + 1 - world.clock.now());
  const sent = device.traffic.exchanges.length;
  await assertRejects(() => device.client.submit.flush(), "stale");
  assert(device.traffic.exchanges.slice(sent).every(({ request }) => request.method === "GET"));
  assertEquals(await heldSubmissions(world.edge), []);
  await world.manager.sync();
  assertEquals(await device.client.submit.flush(), []);
  assertEquals((await world.manager.sync()).inbox.done, 1);
});

Deno.test("pairDevice() never gives a registration out twice, so that an old token stays one of the past", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  await world.manager.revoke(other.profile.device);
  await world.manager.sync();
  const again = await world.pair("laptop");
  await world.manager.sync();
  assertEquals([device, other, again].map(({ profile }) => profile.registration), [1, 2, 3]);
});
