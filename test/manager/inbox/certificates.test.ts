/** What becomes of certificates that devices hand in, and what is kept of why. */
import { processSubmission } from "../../../manager/inbox/process.ts";
import { prepareCertificate } from "../../../manager/certificates/repository.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { SignedSubmission } from "../../../shared/protocol/submission.ts";
import { assertEquals } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { authority, build, NOW } from "../../shared/x509/builder.ts";

Deno.test("a certificate that a device hands in is never an anchor, and one from before a restore waits whatever it is, BACKUP-15", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const root = await authority("CN=root");
  const trusted = { status: "usable", reason: "", origin: "owner", note: "", isAnchor: true } as const;
  await db.batch(await prepareCertificate(db, { certificate: root.certificate, ...trusted }, NOW) ?? []);
  const issued = (subject: string) => build({ subject, issuer: "CN=root", signer: root.key });
  let number = 0;
  const link = {
    inboxPage: () => Promise.reject(new Error("not asked for")),
    inboxPart: () => Promise.reject(new Error("not asked for")),
  };
  const handIn = async (der: Bytes, isHeld: boolean) => {
    const place = { device: new Uint8Array(16), stream: new Uint8Array(16), number: ++number };
    const signed = { submission: place, hash: new Uint8Array(32).fill(number) } as unknown as SignedSubmission;
    const payload = { kind: "certificate", der, note: "mine" } as const;
    const opened = { kind: "opened", payload, raw: null, isHeld } as const;
    const outcome = await processSubmission({ db, link, now: () => NOW }, signed, opened);
    const { rows: [row] } = await db.execute<{ detail: string }>(
      { sql: "SELECT detail FROM submissions WHERE number = ?", params: [number] },
    );
    return [outcome, row?.detail];
  };
  const kept = async (subject: string) => {
    const { rows } = await db.execute<{ status: number; reason: string; anchor: number; origin: string }>(
      { sql: "SELECT status, reason, anchor, origin FROM certificates WHERE display_subject = ?", params: [subject] },
    );
    return rows.map(({ status, reason, anchor, origin }) => [status, reason.slice(0, 28), anchor, origin]);
  };
  const [good, early] = [await issued("CN=good"), await issued("CN=early")];
  assertEquals(await handIn(good, false), ["done", "usable"]);
  assertEquals(await kept("CN=good"), [[1, "", 0, "device"]]);
  assertEquals(await handIn(good, false), ["done", "known before"]);
  assertEquals(await handIn(early, true), ["done", "waiting"]);
  assertEquals(await kept("CN=early"), [[2, "handed in before the restore", 0, "device"]]);
  // A root of somebody's is not trusted for having been handed in.
  const stranger = await authority("CN=stranger");
  for (const isHeld of [false, true]) await handIn(stranger.certificate.der, isHeld);
  const [[status, reason, anchor] = []] = await kept("CN=stranger");
  assertEquals([status, reason === "" || reason === "handed in before the restore", anchor], [2, false, 0]);
  const [outcome, detail] = await handIn(utf8("no certificate"), false);
  assertEquals([outcome, typeof detail === "string" && detail !== ""], ["refused", true]);
});
