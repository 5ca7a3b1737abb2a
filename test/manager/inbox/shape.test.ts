/** How a message may be made up, and where a submission stands in its stream. */
import { judgePlace } from "../../../manager/inbox/judge.ts";
import { partSizes, requireShape } from "../../../manager/inbox/message_shape.ts";
import type { SignedSubmission } from "../../../shared/protocol/submission.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const { messagePartBytes, inlineSubmissionBytes } = LIMITS;

Deno.test("partSizes() cuts a message into whole parts and a rest, INBOX-02", () => {
  const whole = messagePartBytes;
  assertEquals(partSizes(inlineSubmissionBytes + 1), [inlineSubmissionBytes + 1]);
  assertEquals(partSizes(whole), [whole]);
  assertEquals(partSizes(2 * whole + 1), [whole, whole, 1]);
});

Deno.test("requireShape() passes a message that is inline up to the limit or else in parts, and not both nor neither, INBOX-02", () => {
  const bytes = new Uint8Array(32);
  const require = (size: number, isInline: boolean, hasKey: boolean, parts: number) =>
    requireShape(
      {
        ...{ kind: "message", channel: "out", date: null, size, sha256: bytes },
        ...{ inline: isInline ? new Uint8Array(0) : null, partKey: hasKey ? bytes : null },
      },
      parts,
    );
  const large = inlineSubmissionBytes + 1;
  for (const size of [0, inlineSubmissionBytes]) require(size, true, false, 0);
  require(large, false, true, 1);
  require(messagePartBytes + 1, false, true, 2);
  const wrong: readonly Parameters<typeof require>[] = [
    [9, true, true, 0],
    [9, true, false, 1],
    [9, false, true, 0],
    [9, false, true, 1],
    [9, false, false, 0],
    [large, true, true, 1],
    [large, false, false, 1],
    [large, false, true, 0],
    [large, false, true, 2],
    [large, true, false, 0],
    [large, true, false, 1],
    [messagePartBytes + 1, false, true, 1],
  ];
  for (const one of wrong) assertThrows(() => require(...one), "malformed");
});

Deno.test("judgePlace() takes the one that follows, and nothing else, INBOX-07", () => {
  const [hash, other] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
  const at = (number: number, previous: Uint8Array<ArrayBuffer> | null) =>
    ({ submission: { number, previous } }) as unknown as SignedSubmission;
  assertEquals([at(1, null), at(1, hash), at(2, hash), at(2, null)].map((one) => judgePlace(null, one)), [
    ...["next", "broken", "gap", "gap"] as const,
  ]);
  const stream = { number: 3, hash, ended: 0 } as const;
  const places = [at(3, hash), at(4, hash), at(4, other), at(4, null), at(5, hash)];
  assertEquals(places.map((one) => judgePlace(stream, one)), ["known", "next", "broken", "broken", "gap"]);
  assertEquals(places.map((one) => judgePlace({ ...stream, ended: 1 }, one)), places.map(() => "ended"));
});
