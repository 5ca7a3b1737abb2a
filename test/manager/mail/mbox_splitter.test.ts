import fc from "fast-check";
import { type MboxPart, type MboxQuoting, MboxSplitter } from "../../../manager/mail/mbox_splitter.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { assertEquals } from "../../assert.ts";
import { mailData, realMessages } from "./mail_data.ts";
import { finished, type MboxStyle, writeMbox } from "./write_mbox.ts";

const LIMIT = 100_000;

/** Splits with the pieces cut after each of the given lengths, in turn. */
function split(file: Bytes, pieces: readonly number[], quoting?: MboxQuoting, limit = LIMIT): MboxPart[] {
  const splitter = new MboxSplitter(limit, quoting);
  const parts: MboxPart[] = [];
  for (let at = 0, i = 0; at < file.length; i++) {
    const length = pieces[i % pieces.length] ?? file.length;
    parts.push(...splitter.push(file.slice(at, at + length)));
    at += length;
  }
  return [...parts, ...splitter.end()];
}

const raws = (parts: readonly MboxPart[]): Bytes[] =>
  parts.map((part) => {
    if (part.kind !== "message") throw new Error(`found ${part.kind} at ${part.at}`);
    return part.raw;
  });
const text = (bytes: Bytes): string => new TextDecoder().decode(bytes);

const line = fc.oneof(
  fc.constantFrom(
    "",
    "\r",
    ">",
    ">>",
    "From ",
    ">From ",
    ">>From x",
    "From",
    "Fro",
    "F",
    "From: a@b",
    "\0",
    ">\r",
    "> From ",
  ),
  fc.constantFrom("From a@b Thu Nov 13 10:22:33 2023", ">From - Thu Nov 13 10:22:33 2023", "From ".padEnd(1_500, "x")),
  fc.constantFrom(">".repeat(3_000) + "From ", ">".repeat(3_000)),
  fc.string({ maxLength: 20, unit: "binary" }),
);
const eol = fc.constantFrom("\n" as const, "\r\n" as const);
const message = fc.tuple(fc.array(line, { maxLength: 12 }), eol, fc.boolean())
  .map(([lines, end, ended]) => utf8(lines.join(end) + (ended ? end : "")));
const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });

Deno.test("MboxSplitter gives every message back byte for byte when it was written as mboxrd", () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), eol, pieces, (messages, style, cuts) => {
      const file = writeMbox(messages, { quoting: "mboxrd", eol: style });
      assertEquals(raws(split(file, cuts)), messages.map(finished));
    }),
    { numRuns: 200 },
  );
});

Deno.test("MboxSplitter gives every message back when it was written as mboxo and none had a quoted line of its own", () => {
  const plain = message.filter((raw) => !/^>From /m.test(text(raw)));
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 5 }), eol, pieces, (messages, style, cuts) => {
      const file = writeMbox(messages, { quoting: "mboxo", eol: style });
      assertEquals(raws(split(file, cuts, "mboxo")), messages.map(finished));
    }),
    { numRuns: 100 },
  );
});

Deno.test("MboxSplitter keeps every byte of a message when nothing is quoted and no line looks like a separator", () => {
  const plain = message.filter((raw) => !/^From /m.test(text(raw)));
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 5 }), eol, pieces, (messages, style, cuts) => {
      const file = writeMbox(messages, { quoting: "none", eol: style });
      assertEquals(raws(split(file, cuts, "none")), messages.map(finished));
    }),
    { numRuns: 200 },
  );
});

Deno.test("MboxSplitter gives the same for any file however it is cut into pieces", () => {
  const file = fc.array(fc.oneof(line, fc.constantFrom("From a@b", "From -", "Subject: x")), { maxLength: 30 })
    .map((lines) => utf8(lines.join("\n")));
  fc.assert(
    fc.property(
      file,
      pieces,
      fc.constantFrom("mboxrd" as const, "mboxo" as const, "none" as const),
      (bytes, cuts, quoting) => {
        const whole = split(bytes, [bytes.length + 1], quoting, 2_000);
        assertEquals(split(bytes, [1], quoting, 2_000), whole);
        assertEquals(split(bytes, cuts, quoting, 2_000), whole);
      },
    ),
    { numRuns: 100 },
  );
});

mailData.test("MboxSplitter gives every real message back from each kind of mbox", () => {
  const real = realMessages();
  const messages = real.map(({ raw }) => raw);
  const styles: MboxStyle[] = [{ quoting: "mboxrd", eol: "\n" }, { quoting: "mboxrd", eol: "\r\n" }, {
    quoting: "mboxo",
    eol: "\n",
  }];
  for (const style of styles) {
    for (const cuts of [[4_096], [1], [7, 1_000, 1]]) {
      const found = raws(split(writeMbox(messages, style), cuts, style.quoting));
      assertEquals(found.length, messages.length);
      found.forEach((raw, i) => assertEquals(raw, finished(messages[i] ?? raw), real[i]?.name));
    }
  }
});

Deno.test("MboxSplitter says too_large for one message and goes on with the others", () => {
  const messages = [
    utf8("a: 1\n"),
    new Uint8Array(1_001).fill(120),
    utf8("b: 2\n"),
    new Uint8Array(1_000).fill(10),
    utf8("c\n"),
  ];
  const parts = split(writeMbox(messages, { quoting: "mboxrd", eol: "\n" }), [64], "mboxrd", 1_000);
  assertEquals(parts.map((part) => part.kind), ["message", "too_large", "message", "message", "message"]);
  assertEquals(parts.flatMap((part) => part.kind === "too_large" ? [part.bytes] : []), [1_002]);
  const quotes = utf8(`From a@b Thu Nov 13 10:22:33 2023\n${">".repeat(5_000)}From x\n`);
  assertEquals(split(quotes, [100], "mboxrd", 1_000).map((part) => part.kind), ["too_large"]);
});

Deno.test("MboxSplitter reports what comes before the first separator, and where each message begins", () => {
  const file = utf8("\njunk\n\nFrom a@b Thu Nov 13 10:22:33 2023\nx\n\nFrom c@d Thu Nov 13 10:22:33 2023\ny\n\n");
  assertEquals(split(file, [5]), [
    { kind: "preamble", at: 0, bytes: 5 },
    { kind: "message", at: 7, raw: utf8("x\n") },
    { kind: "message", at: 44, raw: utf8("y\n") },
  ]);
  assertEquals(split(utf8("no mbox at all\n"), [3]), [{ kind: "preamble", at: 0, bytes: 15 }]);
  assertEquals(split(utf8("\n\r\n\n"), [1]), []);
  assertEquals(split(utf8(""), [1]), []);
  assertEquals(split(utf8("From x"), [1]), [{ kind: "message", at: 0, raw: utf8("") }]);
});
