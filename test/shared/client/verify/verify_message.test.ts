import fc from "fast-check";
import { assertEquals, assertThrows } from "../../../assert.ts";
import type { Bytes } from "../../../../shared/bytes/bytes.ts";
import { MessageAssembler, partCount, requireConsistent } from "../../../../shared/client/verify/verify_message.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { MessageContent, PartContent } from "../../../../shared/protocol/plaintexts.ts";

const { inlineMessageBytes: INLINE, messagePartBytes: PART } = LIMITS;
const id = new Uint8Array(16).fill(1);

function makeMessage(raw: Bytes): { message: MessageContent; parts: PartContent[] } {
  const count = partCount(raw.length);
  const parts = Array.from({ length: count }, (_, index) => ({
    ...{ message: id, index, bytes: raw.slice(index * PART, (index + 1) * PART) },
  }));
  const message: MessageContent = {
    ...{ id, channel: "mail", position: 1, direction: "in", date: null, added: 0, size: raw.length },
    ...{
      sha256: sha256(raw),
      summary: { from: "", to: "", subject: "" },
      parts: count,
      inline: count === 0 ? raw : null,
    },
  };
  return { message, parts };
}

function assembled({ message, parts }: ReturnType<typeof makeMessage>): Bytes {
  const whole = new MessageAssembler(message);
  for (const part of parts) whole.add(part);
  return whole.finish();
}

Deno.test("a message is inline up to its limit and in parts above it, ROW-09", () => {
  const sizes: [number, number][] = [
    ...[[0, 0], [1, 0], [INLINE, 0], [INLINE + 1, 1], [PART - 1, 1], [PART, 1], [PART + 1, 2], [2 * PART, 2]] as const,
  ].map(([size, parts]) => [size, parts]);
  for (const [size, parts] of sizes) {
    const raw = webCryptoRandom(size);
    const made = makeMessage(raw);
    assertEquals(made.message.parts, parts, `${size}`);
    assertEquals(assembled(made), raw);
  }
  assertEquals(partCount(LIMITS.maxMessageBytes), 50);
});

Deno.test("requireConsistent() refuses a message that contradicts itself, ROW-09", () => {
  const short = makeMessage(webCryptoRandom(100)).message;
  const long = makeMessage(webCryptoRandom(PART + 1)).message;
  const others: MessageContent[] = [
    { ...short, parts: 1 },
    { ...short, inline: null },
    { ...short, size: 99 },
    { ...short, sha256: new Uint8Array(32) },
    { ...short, inline: new Uint8Array(100) },
    { ...long, parts: 1 },
    { ...long, parts: 3 },
    { ...long, inline: new Uint8Array(0) },
    { ...long, size: 100 },
  ];
  requireConsistent(short);
  requireConsistent(long);
  for (const other of others) {
    assertThrows(() => requireConsistent(other), "tampered");
    assertThrows(() => new MessageAssembler(other), "tampered");
  }
});

Deno.test("MessageAssembler() takes the parts of its message, in order, whole, and nothing else, ROW-09", () => {
  const made = makeMessage(webCryptoRandom(2 * PART + 5));
  const [first, second, third] = made.parts;
  if (!first || !second || !third) throw new Error("three parts were to be made");
  const sequences: [string, PartContent[], "tampered" | "withheld"][] = [
    ["none", [], "withheld"],
    ["the last missing", [first, second], "withheld"],
    ["the first missing", [second, third], "tampered"],
    ["the order changed", [first, third, second], "tampered"],
    ["one twice", [first, first, third], "tampered"],
    ["one too many", [first, second, third, { ...third, index: 3 }], "tampered"],
    ["another message's", [first, { ...second, message: new Uint8Array(16) }, third], "tampered"],
    ["cut short", [first, { ...second, bytes: second.bytes.slice(1) }, third], "tampered"],
    ["too long at the end", [first, second, { ...third, bytes: webCryptoRandom(6) }], "tampered"],
    ["changed", [first, { ...second, bytes: second.bytes.map((byte) => byte ^ 1) }, third], "tampered"],
  ];
  for (const [name, parts, code] of sequences) {
    assertEquals(assertThrows(() => assembled({ message: made.message, parts }), code).code, code, name);
  }
  const even = makeMessage(webCryptoRandom(2 * PART));
  const nothing = { message: id, index: 2, bytes: new Uint8Array() };
  assertThrows(() => assembled({ ...even, parts: [...even.parts, nothing] }), "tampered");
  fc.assert(
    fc.property(fc.shuffledSubarray([first, second, third]), (parts) => {
      const isWhole = parts.length === 3 && parts.every((part, index) => part.index === index);
      if (isWhole) assembled({ message: made.message, parts });
      else {
        const isStart = parts.every((part, index) => part.index === index);
        assertThrows(() => assembled({ message: made.message, parts }), isStart ? "withheld" : "tampered");
      }
    }),
    { numRuns: 20 },
  );
});
