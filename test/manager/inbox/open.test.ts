/** What a device seals to the manager, made up wrongly in each way, and parts that an edge exchanges. */
import { openSubmission } from "../../../manager/inbox/open.ts";
import { currentStatement } from "../../../manager/owner/statement.ts";
import { META, readBytes } from "../../../manager/store/meta.ts";
import { type Bytes, EMPTY } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { pad } from "../../../shared/bytes/padding.ts";
import { importAeadKey } from "../../../shared/crypto/aead.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { sealHpke } from "../../../shared/crypto/hpke.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import {
  inboxSealInfo,
  type SignedSubmission,
  type Submission,
  type SubmissionPlace,
} from "../../../shared/protocol/submission.ts";
import { encodePayload, sealPart, type SubmissionPayload } from "../../../shared/protocol/submission_payload.ts";
import { assertEquals } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

type Message = Extract<SubmissionPayload, { kind: "message" }>;

/** What an edge shows for the parts of a submission, by their hashes. */
const shown = new Map<string, Bytes>();
const link = {
  inboxPage: () => Promise.reject(new Error("not asked for")),
  inboxPart(hash: Bytes) {
    const part = shown.get(toHex(hash));
    return part === undefined ? Promise.reject(new PosternError("not_found", "gone")) : Promise.resolve(part);
  },
};

type Open = (payload: SubmissionPayload, changes?: Partial<Submission>) => Promise<unknown>;

/** Runs with a manager, and with what seals to it and has it open that: for whom the messages are, and the number of its statement. */
async function withManager(run: (open: Open, place: SubmissionPlace, statement: number) => Promise<void>) {
  await using world = await World.create();
  const { db } = world.manager;
  const { inboxKey, number } = await currentStatement(db);
  const [owner, incarnation] = [await readBytes(db, META.owner), await readBytes(db, META.incarnation)];
  const own = { owner, incarnation, device: new Uint8Array(16), stream: new Uint8Array(16), number: 1 };
  const open: Open = async (payload, changes = {}) => {
    const place = { ...own, ...changes };
    const sealed = await sealHpke("xwing", inboxKey, inboxSealInfo(place), pad(encodePayload(payload)));
    const submission = { statement: number, parts: [], ...place, sealed } as unknown as Submission;
    const opened = await openSubmission({ db, link, now: () => 0 }, { submission } as SignedSubmission, incarnation);
    return opened.kind === "opened" ? [opened.isHeld ? "held" : "opened", opened.raw?.length ?? null] : opened.kind;
  };
  await run(open, own, number);
}

function message(raw: Bytes, changes: Partial<Message> = {}): Message {
  const isInline = raw.length <= LIMITS.inlineSubmissionBytes;
  return {
    ...{ kind: "message", channel: "out", date: null, size: raw.length, sha256: sha256(raw) },
    ...{ inline: isInline ? raw : null, partKey: isInline ? null : new Uint8Array(32), ...changes },
  };
}

const small = new Uint8Array(100).fill(1);

Deno.test("a message is opened if it is what its submission says, whole and by its hash, INBOX-02", () =>
  withManager(async (open) => {
    assertEquals(await open(message(small)), ["opened", 100]);
    assertEquals(await open(message(EMPTY)), ["opened", 0]);
    assertEquals(await open({ kind: "ping", nonce: new Uint8Array(32) }), ["opened", null]);
    const wrong: readonly Partial<Message>[] = [
      { size: 99 },
      { size: 101 },
      { sha256: new Uint8Array(32) },
      { inline: small.with(3, 2) },
      { partKey: new Uint8Array(32) },
      { inline: null },
      { size: LIMITS.inlineSubmissionBytes + 1 },
    ];
    for (const changes of wrong) assertEquals(await open(message(small, changes)), "unusable");
  }));

Deno.test("what was sealed under another statement or for another incarnation is not opened, INBOX-08", () =>
  withManager(async (open, _place, statement) => {
    assertEquals(await open(message(small), { statement: statement + 1 }), "unusable");
    assertEquals(await open(message(small), { incarnation: new Uint8Array(16) }), "unusable");
  }));

Deno.test("a message in parts waits for those that its submission names, and is cut as it must be, INBOX-02", () =>
  withManager(async (open, place) => {
    const raw = new Uint8Array(LIMITS.messagePartBytes + 9).fill(1);
    const key = await importAeadKey(new Uint8Array(32));
    const sealedParts = async (cut: number) =>
      await Promise.all(
        [raw.subarray(0, cut), raw.subarray(cut)].map((bytes, index) =>
          sealPart(key, { ...place, index, count: 2 }, bytes)
        ),
      );
    const openCut = async (cut: number, shows: (parts: readonly Bytes[]) => readonly (Bytes | undefined)[]) => {
      const parts = await sealedParts(cut);
      shown.clear();
      for (const [index, bytes] of shows(parts).entries()) {
        if (bytes !== undefined) shown.set(toHex(sha256(parts[index] ?? EMPTY)), bytes);
      }
      return await open(message(raw), { parts: parts.map((part) => ({ hash: sha256(part), size: part.length })) });
    };
    const whole = LIMITS.messagePartBytes;
    assertEquals(await openCut(whole, (parts) => parts), ["opened", raw.length]);
    // Cut elsewhere it would come to the same bytes.
    assertEquals(await openCut(whole - 1, (parts) => parts), "unusable");
    assertEquals(await openCut(whole, ([first, second]) => [second, first]), "incomplete");
    assertEquals(await openCut(whole, ([first, second]) => [first?.with(9, 0), second?.subarray(1)]), "incomplete");
    assertEquals(await openCut(whole, ([first]) => [first]), "incomplete");
  }));
