/** What becomes of messages that a device hands in and no honest one would. */
import { processSubmission } from "../../../manager/inbox/process.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { SignedSubmission } from "../../../shared/protocol/submission.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { withBatch } from "../../fixtures/batches.ts";
import { World } from "../../fixtures/world.ts";
import { NOW } from "../../shared/x509/builder.ts";

Deno.test("a message that cannot be kept is refused for good, and one that the disk has no room for is not taken", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const link = {
    inboxPage: () => Promise.reject(new Error("not asked for")),
    inboxPart: () => Promise.reject(new Error("not asked for")),
  };
  const handIn = async (channel: string, on: Database = db) => {
    const place = { device: new Uint8Array(16), stream: new Uint8Array(16), number: 1 };
    const signed = { submission: place, hash: new Uint8Array(32) } as unknown as SignedSubmission;
    const raw = utf8("Subject: x\r\n\r\nhello\r\n");
    const payload = { kind: "message", channel, date: NOW, size: raw.length, sha256: raw, inline: raw } as const;
    const opened = { kind: "opened", payload: { ...payload, partKey: null }, raw, isHeld: false } as const;
    return await processSubmission({ db: on, link, now: () => NOW }, signed, opened);
  };
  const noted = async () =>
    (await db.execute<{ outcome: string; detail: string }>(
      { sql: "SELECT outcome, detail FROM submissions", params: [] },
    )).rows;
  const full = withBatch(db, () => Promise.reject(new PosternError("storage", "The disk is full")));
  await assertRejects(() => handIn("mail", full), "storage");
  assertEquals(await noted(), []);
  // As it was sent it is short enough, and as channels are named it is not (UAX #15: U+0344 is two characters in NFC).
  const channel = "\u0344".repeat(LIMITS.maxChannelBytes / 2);
  assert(utf8(channel).length <= LIMITS.maxChannelBytes);
  assertEquals(await handIn(channel), "refused");
  assertEquals((await noted()).map(({ outcome, detail }) => [outcome, /256 bytes/.test(detail)]), [["refused", true]]);
});
