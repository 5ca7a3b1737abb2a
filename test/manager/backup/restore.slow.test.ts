import { join } from "node:path";
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database, Value } from "../../../shared/database/database.ts";

import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { currentStatement } from "../../../manager/owner/statement.ts";
import {
  addCertificate,
  decideCertificate,
  findCertificate,
  removeCertificate,
} from "../../../manager/certificates/repository.ts";
import { importCertificates } from "../../../manager/certificates/import.ts";
import { rejudgeWaiting } from "../../../manager/certificates/rejudge.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { authority, type Holder, holder } from "../../shared/x509/builder.ts";
import { certificate } from "../../threats/setting.ts";
import { backUp, PASSPHRASE, restore } from "./backups.ts";
import { confirm, lost, mail, outgoing, subjects } from "./lost.ts";

const GAP = 2 ** 20;

Deno.test("restoreManager() goes on without pairing: devices confirm once, then read and submit (BACKUP-08, BACKUP-09, BACKUP-11)", async () => {
  await using before = await lost();
  const { world, phone, laptop, tablet, stolen, file } = before;
  const { manager, restored } = await restore(world, file);
  assertEquals(restored.base, 2);
  assertEquals(restored.statement, 1 + GAP);
  const names = restored.candidates.map(({ name, atEdge, isNew }) => `${name} ${atEdge} ${isNew !== null}`).sort();
  assertEquals(names, ["laptop there false", "phone there false", "stolen gone false", "tablet there true"]);

  const { pushed, inbox, reason } = await manager.sync();
  assertEquals([pushed.generation, pushed.epoch, reason], [4 + GAP + 1, 2 + GAP + 1, "first"]);
  assertEquals([inbox.held, inbox.done, inbox.gaps], [1, 0, []]);
  for (const device of [phone, laptop, tablet]) {
    assertEquals(await confirm(device), 2);
    assertEquals(await subjects(device), ["after", "before"]);
    assertEquals((await device.start().login()).statement, 1 + GAP);
  }
  // The revoked one stays revoked, whatever the backup says.
  await assertRejects(() => stolen.client.login(), "unauthorized");
  await tablet.client.submit.message({ channel: "out", raw: mail("a new life") });
  const second = await manager.sync();
  assertEquals([second.inbox.done, second.pushed.generation], [1, 4 + GAP + 2]);
  await phone.client.head();
  assertEquals((await phone.client.submit.status()).pending, []);
});

Deno.test("the first head after a restore follows the backup's newest, and begins a history of its own (BACKUP-17)", async () => {
  await using before = await lost();
  const { manager } = await restore(before.world, before.file);
  const base = (await currentStatement(manager.db)).base;
  const { pushed } = await manager.sync();
  assert(base !== null && pushed.head.previous !== null && equalBytes(base.head, pushed.head.previous));
  assertEquals([base.generation, pushed.head.history.size], [2, 0]);
  assertEquals((await manager.sync()).pushed.head.history.size, 1);
});

Deno.test("restoreManager() says what was lost (BACKUP-12)", async () => {
  await using before = await lost();
  const { world, phone, file } = before;
  const { manager, restored: { losses } } = await restore(world, file);
  assertEquals([losses.edge, losses.generations, losses.knowsDevices, losses.rows.messages > 0], [
    "newer",
    2,
    true,
    true,
  ]);
  assertEquals(losses.submissions.map(({ device, from, to }) => [equalBytes(device, phone.profile.device), from, to]), [
    [true, 2, 2],
  ]);
  const [alarm] = await openAlarms(manager.db);
  assertEquals(alarm?.code, "restored");
  for (
    const word of [
      "2 generations",
      "taken: 1 of phone",
      "settings",
      "registrations",
      "Revoked since: stolen",
      "Paired since: tablet",
      "2 messages",
    ]
  ) {
    assert(alarm?.text.includes(word) === true, `${word} in ${alarm?.text}`);
  }
});

Deno.test("restoreManager() reads back what came since, place by place and byte by byte (BACKUP-18)", async () => {
  await using world = await World.create();
  const { manager } = world;
  const phone = await world.pair("phone");
  const kept = await certificate("CN=Kept");
  const blocked = await certificate("CN=Blocked since");
  const removed = await certificate("CN=Removed since");
  for (const der of [kept, blocked, removed]) await manager.trust(der);
  await manager.receive("mail", mail("before"));
  await manager.sync();
  await phone.client.login();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  const added = [await certificate("CN=Kept"), await certificate("CN=Added since")];
  for (const der of added) await manager.trust(der, "a note");
  const vouching = await certificate("CN=Vouching since");
  await manager.trust(vouching);
  await decideCertificate(manager.db, sha256(vouching), { status: "usable", reason: "", isAnchor: true });
  await manager.block(sha256(blocked));
  await manager.forget(sha256(removed));
  await manager.receive("mail", mail("after"));
  await manager.receive("new channel", utf8(`Subject: large\r\n\r\n${"x".repeat(1_300_000)}`));
  await manager.sync();
  const rows = async (db: Database) =>
    (await db.execute<{ key: string; hash: string }>({
      sql: "SELECT hex(content_key) AS key, hex(content_hash) AS hash FROM entries WHERE tbl IN (2, 3) ORDER BY 1",
      params: [],
    })).rows;
  const old = await rows(manager.db);
  const again = await restore(world, file);
  const { caughtUp } = again.restored;
  assertEquals(caughtUp, { messages: 2, certificates: 4, doubtful: 1, held: 0 });
  await removeCertificate(again.manager.db, sha256(removed));
  assertEquals(await rows(again.manager.db), old);
  // With who may vouch for others, and why one is blocked.
  const judged = async (db: Database) =>
    (await db.execute<Record<string, Value>>({
      sql: "SELECT hex(fingerprint), status, reason, anchor, note FROM certificates ORDER BY 1",
      params: [],
    })).rows;
  assertEquals(await judged(again.manager.db), await judged(manager.db));
  const [alarm] = await openAlarms(again.manager.db);
  assertEquals(alarm?.text.includes("No row says whether a message went out since"), true);
  // What comes next finds its place behind them.
  await again.manager.receive("mail", mail("next"));
  await again.manager.trust(await certificate("CN=Kept"));
  await again.manager.sync();
  await confirm(phone);
  assertEquals(await subjects(phone), ["after", "before", "next"]);
  assertEquals(await subjects(phone, "new channel"), ["large"]);
  assertEquals((await phone.client.verifyAll()).contents.certificates, 6);
});

Deno.test("restoreManager() throws when the edge does not show the whole of what is to be read back (BACKUP-18)", async () => {
  await using before = await lost();
  const { world, file } = before;
  for (const code of ["withheld", "tampered"] as const) {
    const copy = await world.copyEdge();
    const edge = world.replaceEdge(copy);
    await copy.database.execute({
      sql: code === "withheld"
        ? "DELETE FROM rows WHERE tbl = 3 AND rowid IN (SELECT MAX(rowid) FROM rows WHERE tbl = 3)"
        : "UPDATE rows SET body = zeroblob(length(body)) WHERE tbl = 3",
      params: [],
    });
    await assertRejects(() => restore(world, file), code);
    world.replaceEdge(edge);
  }
});

Deno.test("no mail is sent twice: what waited, and what is from before the restore, is held (BACKUP-13, BACKUP-15)", async () => {
  await using before = await lost();
  const { world, file } = before;
  const { manager, restored } = await restore(world, file);
  assertEquals(restored.held, 2);
  assertEquals(await outgoing(manager.db), ["sent after: held", "sent before: held"]);
  await manager.sync();
  // "sent after" had been taken, and is not taken again; "under way" had not.
  assertEquals(await outgoing(manager.db), ["sent after: held", "sent before: held", "under way: held"]);
});

Deno.test("a message that came back from the edge, but whose stream no head acknowledged, is not taken again (BACKUP-18)", async () => {
  await using world = await World.create();
  const { manager } = world;
  const phone = await world.pair("phone");
  await manager.sync();
  await phone.client.login();
  const fresh = await phone.recall();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  const sent = Array.from({ length: LIMITS.maxStreamsPerDevice + 1 }, (_, index) => `wiped ${index} times`);
  for (const subject of sent) {
    await phone.remember(fresh);
    const client = phone.start();
    await client.login();
    await client.submit.message({ channel: "out", raw: mail(subject) });
  }
  assertEquals((await manager.sync()).inbox.done, sent.length);
  const again = await restore(world, file);
  assertEquals((await again.manager.sync()).inbox.held, 1);
  assertEquals(await outgoing(again.manager.db), sent.map((subject) => `${subject}: held`));
});

Deno.test("a certificate handed in before the restore waits for review, whoever vouches for it (BACKUP-15)", async () => {
  await using world = await World.create();
  const phone = await world.pair("phone");
  const now = world.clock.now();
  const times = { notBefore: now - 1_000, notAfter: now + 86_400_000 };
  const root = await authority("CN=Root", undefined, times);
  const judged = { status: "usable", reason: "", origin: "owner", note: "", isAnchor: true } as const;
  await addCertificate(world.manager.db, { certificate: root.certificate, ...judged }, now);
  await world.manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file);
  const [before, after] = [await holder({ subject: "CN=Before", ...times }, root), await holder({ ...times }, root)];
  await phone.client.submit.certificate(before.certificate.der, "");
  const { manager } = await restore(world, file);
  await manager.sync();
  await confirm(phone);
  await phone.client.submit.certificate(after.certificate.der, "");
  await manager.sync();
  const status = async ({ certificate }: Holder) =>
    (await findCertificate(manager.db, certificate.fingerprint))?.status;
  assertEquals([await status(before), await status(after)], [2, 1]);
  assertEquals(await rejudgeWaiting(manager.db, "untrusted", world.clock.now()), []);
});

Deno.test("what a restore leaves in doubt becomes usable by the owner's word alone, and what was blocked stays blocked (BACKUP-18)", async () => {
  await using world = await World.create();
  const { manager, clock } = world;
  const times = { notBefore: clock.now() - 1_000, notAfter: clock.now() + 86_400_000 };
  const [root, gone] = [await authority("CN=Root", undefined, times), await authority("CN=Gone", undefined, times)];
  const issue = async (subject: string, by: Holder) => (await holder({ subject, ...times }, by)).certificate;
  const [lost, removed] = [await issue("CN=Lost", root), await issue("CN=Removed", root)];
  const owned = { reason: "", origin: "owner", note: "" } as const;
  for (const { certificate } of [root, gone]) {
    await addCertificate(manager.db, { ...owned, certificate, status: "usable", isAnchor: true }, clock.now());
  }
  for (const certificate of [lost, removed]) {
    await addCertificate(manager.db, { ...owned, certificate, status: "usable", isAnchor: false }, clock.now());
  }
  await decideCertificate(manager.db, lost.fingerprint, { status: "blocked", reason: "phone lost" });
  await manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  for (const { fingerprint } of [lost, removed, gone.certificate]) await manager.forget(fingerprint);
  await manager.sync();
  const { manager: again, restored } = await restore(world, file);
  assertEquals(restored.caughtUp?.doubtful, 2);
  const judged = async ({ fingerprint }: { fingerprint: Bytes }) => {
    const found = await findCertificate(again.db, fingerprint);
    return [found?.status, found?.anchor, found?.held];
  };
  const all = async () => [await judged(lost), await judged(removed), await judged(gone.certificate)];
  const inDoubt = [[0, 0, 0], [2, 0, 1], [2, 0, 1]];
  assertEquals(await all(), inDoubt);
  assertEquals((await findCertificate(again.db, lost.fingerprint))?.reason, "phone lost");
  // The anchor above is still there, and another one comes.
  const another = await authority("CN=Another", undefined, times);
  const options = { isTrusted: true, origin: "import", note: "", review: "untrusted" } as const;
  await importCertificates(again.db, [{ source: "test", der: another.certificate.der }], options, clock.now());
  assertEquals(await all(), inDoubt);
  await decideCertificate(again.db, removed.fingerprint, { status: "usable", reason: "" });
  assertEquals(await judged(removed), [1, 0, 0]);
});

Deno.test("restoreManager() throws clock on a machine whose clock is before the backup (BACKUP-09)", async () => {
  await using before = await lost();
  before.world.clock.advance(-3 * 86_400_000);
  await assertRejects(() => restore(before.world, before.file), "clock");
});

Deno.test("restoreManager() without the recovery key knows no devices that came or went, and the owner decides (BACKUP-10, BACKUP-11)", async () => {
  await using before = await lost();
  const { world, phone, tablet, laptop, file } = before;
  const { manager, restored } = await restore(world, file, {
    ...{ secret: { kind: "passphrase", passphrase: PASSPHRASE }, hasRecoveryKey: false },
    confirm: (all) => all.filter(({ name }) => name === "phone"),
  });
  assertEquals(restored.candidates.map(({ name, atEdge }) => `${name} ${atEdge}`), [
    ...["phone unknown", "laptop unknown", "stolen unknown"],
  ]);
  assert(!restored.losses.knowsDevices && restored.losses.edge === "newer");
  await manager.sync();
  await confirm(phone);
  assertEquals(await subjects(phone), ["before"]);
  // The statement, which anybody may read, tells them that the manager was restored; the edge does not admit them.
  for (const device of [tablet, laptop]) {
    await confirm(device);
    await assertRejects(() => device.client.login(), "unauthorized");
  }
});

Deno.test("restoreManager() throws conflict for a device that the edge's newest head no longer has (BACKUP-11)", async () => {
  await using before = await lost();
  await assertRejects(() => restore(before.world, before.file, { confirm: (all) => all }), "conflict");
});

Deno.test("restoreManager() works without an edge to be asked, and takes over its acknowledgements at the first turn and says what is lost (BACKUP-12, BACKUP-13)", async () => {
  await using before = await lost();
  const { world, phone, file } = before;
  const { manager, restored } = await restore(world, file, { isOnline: false });
  assertEquals([restored.losses.edge, restored.candidates.length], ["none", 3]);
  const { pushed, inbox } = await manager.sync();
  assertEquals([pushed.generation, inbox.held, inbox.gaps], [2 + GAP + 1, 1, []]);
  const alarms = await openAlarms(manager.db);
  assert(alarms.some(({ text }) => text.includes("holds generation 4 from before the restore, which knew of 2")));
  assertEquals(await outgoing(manager.db), ["sent before: held", "under way: held"]);
  assertEquals(await confirm(phone), 2);
  assertEquals(await subjects(phone), ["before"]);
  await phone.client.head();
  assertEquals((await phone.client.submit.status()).pending, []);
});

Deno.test("a device goes on when the edge hid from the restore what it had taken (BACKUP-16)", async () => {
  await using world = await World.create();
  const phone = await world.pair("phone");
  const { manager } = world;
  await manager.sync();
  await phone.client.login();
  await phone.client.submit.ping();
  await manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  const earlier = await world.copyEdge();
  await phone.client.submit.ping();
  await manager.sync();
  await phone.client.head();
  assertEquals((await phone.client.submit.status()).acknowledged.map(({ number }) => number), [2]);
  await manager[Symbol.asyncDispose]();
  world.replaceEdge(earlier);
  const again = await restore(world, file);
  assertEquals(again.restored.losses.edge, "same");
  await again.manager.sync();
  assertEquals(await confirm(phone), 1);
  await phone.client.login();
  await phone.client.submit.message({ channel: "out", raw: mail("on") });
  assertEquals((await again.manager.sync()).inbox.done, 1);
});

Deno.test("the manager fills the edge anew when that shows the life before the restore again (BACKUP-14)", async () => {
  await using before = await lost();
  const { world, phone, file } = before;
  const earlier = await world.copyEdge();
  const { manager } = await restore(world, file);
  await manager.sync();
  await confirm(phone);
  await phone.client.login();
  world.replaceEdge(earlier);
  await assertRejects(() => phone.start().login(), "rolled_back");
  const { pushed } = await manager.sync();
  assertEquals(pushed.isFull, true);
  assert((await openAlarms(manager.db)).some(({ code }) => code === "rolled_back"));
  assertEquals((await phone.start().login()).generation, pushed.generation);
});

Deno.test("the manager from before the restore is not admitted any more, and neither is an old copy (BACKUP-14, PUSH-11)", async () => {
  await using world = await World.create();
  await world.pair("phone");
  await world.manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file);
  const { manager } = await restore(world, file);
  await manager.sync();
  await assertRejects(() => world.manager.sync(), "unauthorized");
  // A copy of the new life that does not say so is one that stops.
  const copy = await manager.copy(`${manager.folder}-copy`);
  world.managers.push(copy);
  await manager.sync();
  await assertRejects(() => copy.sync(), "forked");
});

Deno.test("the second of two restores from one file follows the first, once that has pushed (BACKUP-09)", async () => {
  await using before = await lost();
  const { world, file, phone } = before;
  const { manager } = await restore(world, file);
  await manager.sync();
  assertEquals(await confirm(phone), 2);
  const second = await restore(world, file);
  assertEquals(second.restored.statement, 1 + 2 * GAP);
  await second.manager.sync();
  await assertRejects(() => manager.sync(), "unauthorized");
  await confirm(phone);
  assertEquals(await subjects(phone), ["after", "before"]);
});

Deno.test("a restore that was cut off is no manager, and the next one starts over (BACKUP-08)", async () => {
  await using before = await lost();
  const { world, file } = before;
  const folder = join(world.folder, "cut-off");
  const stop = () => Promise.reject(new PosternError("usage", "No"));
  await assertRejects(() => restore(world, file, { folder, confirm: stop }), "usage");
  await assertRejects(() => world.manager.reopened(folder), "configuration");
  assertEquals((await restore(world, file, { folder })).restored.hasRestarted, true);
  // Over a manager, nothing is restored.
  await assertRejects(() => restore(world, file, { folder }), "conflict");
});
