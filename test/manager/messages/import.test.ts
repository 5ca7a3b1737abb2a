import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { addReceived } from "../../../manager/messages/add_many.ts";
import { importMail } from "../../../manager/messages/import.ts";
import { findMessageByPrefix } from "../../../manager/messages/find_prefix.ts";
import { listMessages, readMessage } from "../../../manager/messages/read.ts";
import type { MailItem } from "../../../manager/mail/item.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

const letter = (subject: string): Bytes => utf8(`From: a@b\r\nSubject: ${subject}\r\n\r\nBody of ${subject}\r\n`);

async function* items(...list: readonly MailItem[]): AsyncGenerator<MailItem> {
  yield* list;
}

function message(subject: string, channelHint?: string): MailItem {
  const hint = channelHint === undefined ? {} : { channelHint };
  return { kind: "message", source: subject, raw: letter(subject), ...hint };
}

Deno.test("addReceived() gives consecutive positions in order, and takes the same bytes once", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const now = world.clock.now();
  const subjects = Array.from({ length: 20 }, (_, index) => `n${index}`);
  const raws = [...subjects, "n3", "n19"].map(letter);
  const added = await addReceived(db, "c", raws, now, webCryptoRandom);
  assertEquals(added, [...subjects.map(() => true), false, false]);
  assertEquals(await addReceived(db, "c", [letter("n5"), letter("new")], now, webCryptoRandom), [false, true]);
  const lines = await listMessages(db, { channel: "c", limit: 100 });
  assertEquals(lines.map(({ subject }) => subject).reverse(), [...subjects, "new"]);
  assertEquals(lines.map(({ position }) => position).reverse(), lines.map((_, index) => index + 1));
  for (const line of lines) assertEquals(await readMessage(db, line), letter(line.subject));
});

Deno.test("addReceived() twice at once takes each message once", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const raws = Array.from({ length: 30 }, (_, index) => letter(`m${index}`));
  const [one, two] = await Promise.all([
    addReceived(db, "c", raws, world.clock.now(), webCryptoRandom),
    addReceived(db, "c", raws, world.clock.now(), webCryptoRandom),
  ]);
  assertEquals([...one ?? [], ...two ?? []].filter(Boolean).length, 30);
  assertEquals((await listMessages(db, { channel: "c", limit: 100 })).length, 30);
});

Deno.test("importMail() keeps the order across channels, and tells of what it cannot take", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const tooLong = "x".repeat(LIMITS.maxChannelBytes + 1);
  const problem: MailItem = { kind: "problem", source: "broken", error: new PosternError("malformed", "broken") };
  const imported = await importMail(
    db,
    items(message("1"), message("2", "work"), problem, message("3"), message("4", tooLong), message("5"), message("1")),
    { defaultChannel: "inbox" },
    world.clock.now,
    webCryptoRandom,
  );
  assertEquals([imported.added, imported.known], [4, 1]);
  assertEquals([...imported.channels], [["inbox", 3], ["work", 1]]);
  assertEquals(imported.problems.map(({ source, error }) => [source, error.code]), [["broken", "malformed"], [
    "4",
    "usage",
  ]]);
  const lines = await listMessages(db, { channel: "inbox", limit: 10 });
  assertEquals(lines.map(({ subject }) => subject).reverse(), ["1", "3", "5"]);
});

Deno.test("importMail() stops when told, and keeps what it took", async () => {
  await using world = await World.create();
  const stop = AbortSignal.abort(new PosternError("usage", "stopped"));
  const options = { defaultChannel: "inbox", stop };
  await assertRejects(
    () => importMail(world.manager.db, items(message("1")), options, world.clock.now, webCryptoRandom),
    "usage",
  );
});

Deno.test("findMessageByPrefix() takes any clear beginning of an id", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  await addReceived(
    db,
    "c",
    Array.from({ length: 300 }, (_, index) => letter(`m${index}`)),
    world.clock.now(),
    webCryptoRandom,
  );
  const [line] = await listMessages(db, { channel: "c", limit: 1 });
  assert(line !== undefined);
  assertEquals((await findMessageByPrefix(db, line.id.slice(0, 8))).id, line.id);
  assertEquals((await findMessageByPrefix(db, line.id)).position, line.position);
  await assertRejects(() => findMessageByPrefix(db, new Uint8Array(0)), "usage");
  await assertRejects(() => findMessageByPrefix(db, new Uint8Array(16)), "not_found");
});
