import fc from "fast-check";
import PostalMime from "postal-mime";
import { displayAddress, displayText } from "../../../manager/mail/display_text.ts";
import { messageSkeleton } from "../../../manager/mail/skeleton.ts";
import { type MailSummary, summarizeMail } from "../../../manager/mail/summary.ts";
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";
import { mailData, realMessages } from "./mail_data.ts";

const of = (text: string): Promise<MailSummary> => summarizeMail(utf8(text));

Deno.test("summarizeMail() tells what a message's header says", async () => {
  assertEquals(
    await of(
      'From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: a@x.example, "Doe, B." <b@y.example>, Team: c@z.example;\r\n' +
        "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n aus =?utf-8?b?S8O2bG4=?=\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n" +
        'Message-ID: <1@example.com>\r\nContent-Type: multipart/mixed; boundary="=_b"\r\n\r\npreamble\r\n--=_b\r\n\r\ntext\r\n' +
        "--=_b\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n--not a delimiter\r\n--=_b\r\n" +
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n--=_b--\r\nepilogue\r\n",
    ),
    {
      from: "Jürgen <j@example.com>",
      to: 'a@x.example, "Doe, B." <b@y.example>, c@z.example',
      subject: "Grüße aus Köln",
      date: 880_127_706_000,
      messageId: "<1@example.com>",
      attachments: 2,
      damaged: false,
      damage: [],
    },
  );
});

Deno.test("summarizeMail() leaves out what a message does not say", async () => {
  const nothing = { from: "", to: "", subject: "", date: null, messageId: null, attachments: 0 };
  assertEquals(await of("X-Only: this\n\nbody"), { ...nothing, damaged: false, damage: [] });
  for (const text of ["", "\n", "\n\n\n", "no header at all", "\0\0\0"]) {
    assertEquals(await of(text), { ...nothing, damaged: true, damage: ["header"] }, JSON.stringify(text));
  }
});

Deno.test("summarizeMail() names the damage and reads the rest", async () => {
  const multipart = "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n";
  const cases: [string, string][] = [
    ["Subject: s\nDate: some day\n\n", "date"],
    ["Subject: s\nDate: Fri, 21 Nov 1997 09:55:06\n\n", "date"],
    ["Subject: s\nX: =?x-unheard-of?q?a?=\n\n", "charset"],
    ["Subject: s\nContent-Type: text/plain; charset=x-unheard-of\n\nbody", "charset"],
    ["Subject: s\nFrom: \xff <a@b>\n\n", ""],
    ["Subject: s\nthis is no field\n\n", "header"],
    ["Subject: s\nContent-Type: multipart/mixed\n\nbody", "mime"],
    [`${multipart}body`, "mime"],
    [`${multipart}--b\n\nbody without an end`, "mime"],
    [`${multipart}--b\n\nbody\n--b--\n`, ""],
    [`${multipart}--b\nContent-Type: text/plain; charset=x-unheard-of\n\n--b--\n`, "charset"],
    ["From a@b Thu Nov 13 10:22:33 2023\nSubject: s\n\n", ""],
    [">From a@b Thu Nov 13 10:22:33 2023\nSubject: s\n\n", ""],
    ["Subject: s\nFrom a@b Thu Nov 13 10:22:33 2023\n\n", "header"],
    ["Subject: s\nDate: bad\nno field\n\n", "date header"],
  ];
  for (const [text, damage] of cases) {
    const summary = await of(text);
    assertEquals([summary.subject, summary.damage.join(" "), summary.damaged], ["s", damage, damage !== ""], text);
  }
  const raw8bit = concat(utf8("Subject: s\nFrom: "), new Uint8Array([0xff, 0xfe]), utf8(" <a@b>\n\n"));
  assertEquals((await summarizeMail(raw8bit)).damage, ["charset"]);
});

Deno.test("summarizeMail() gives single lines that steer no terminal and fit the protocol, whatever a header says", async () => {
  const summary = await of(
    'From: =?utf-8?q?=1B]0=3Bowned=07=E2=80=AEevil?= <a@b>\nTo: "bank@example.com" <thief@example.net>\n' +
      `Subject: =?utf-8?b?${btoa("line\n\r\tline\x9b")}?= ${"x".repeat(5_000)}\n\n`,
  );
  assertEquals(summary.from, '" ]0;owned evil" <a@b>');
  assertEquals(summary.to, '"bank@example.com" <thief@example.net>');
  assertEquals(summary.subject.length, LIMITS.maxSummaryChars);
  assert(summary.subject.startsWith("line line") && summary.subject.endsWith("x\u2026"), summary.subject);
});

Deno.test("displayText() and displayAddress() give bounded, well-formed single lines for any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (text, max) => {
    const shown = displayText(text, max);
    assert(shown.length <= max && shown.isWellFormed());
    assert(!/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(shown));
    assertEquals(displayText(shown, max), shown);
  }));
  assertEquals(displayText("😀😀😀", 4), "😀\u2026");
  assertEquals(displayText("abcd", 4), "abcd");
  assertEquals(displayText(`a${" ".repeat(100)}b`, 4), "a\u2026");
  assertEquals(displayText("abcde", 4), "abc\u2026");
  assertEquals(displayAddress({ name: 'a "b" \\', address: "c@d" }), '"a \\"b\\" \\\\" <c@d>');
  assertEquals(displayAddress({ name: "", address: "c@d" }), "c@d");
  assertEquals(displayAddress({ name: "Group" }), "Group");
});

mailData.test("summarizeMail() reads every real message as the whole message would be read", async () => {
  const damaged: string[] = [];
  for (const { name, raw } of realMessages()) {
    const before = raw.slice();
    const summary = await summarizeMail(raw);
    assertEquals(raw, before, "the raw bytes are the truth");
    assertEquals(await summarizeMail(raw), summary);
    const whole = await PostalMime.parse(raw, { forceRfc822Attachments: true });
    assertEquals(summary.attachments, whole.attachments.length, name);
    assertEquals(summary.subject, displayText(whole.subject ?? "", LIMITS.maxSummaryChars), name);
    assert(summary.from.includes("@"), name);
    if (summary.damaged) damaged.push(`${name.replace(/^\w+-|\.eml$/g, "")} ${summary.damage}`);
    else assert(summary.date !== null, name);
  }
  assertEquals(damaged, [
    "raw_email4 mime",
    "raw_email10 charset",
    "raw_email_incorrect_header header",
    "raw_email_with_bad_date date",
    "example13 header",
  ]);
});

Deno.test("messageSkeleton() keeps header, delimiters and part headers alone", () => {
  const header = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  const text = `${header}preamble\r\n--b\r\nA: 1\r\n\r\nbody\r\n\r\n--b\r\r\nB: 2\r\r\n\r\r\nbody\n--b--\r\nepilogue`;
  const skeleton = messageSkeleton(utf8(text));
  const kept = `${header}--b\r\nA: 1\r\n\r\n--b\r\r\nB: 2\r\r\n\r\r\n--b--\r\nepilogue`;
  assertEquals(new TextDecoder().decode(skeleton.whole), kept);
  assertEquals(new TextDecoder().decode(skeleton.header), header);
  const plain = messageSkeleton(utf8("Subject: x\n\n--- a/file\n+++ b/file\n"));
  assertEquals(plain.whole, utf8("Subject: x\n\n"));
});

Deno.test("messageSkeleton() keeps no more parts, and no more of their headers, than its limits", () => {
  const header = "Content-Type: multipart/mixed; boundary=b\n\n";
  const parts = (count: number, extra = 0) =>
    messageSkeleton(utf8(header + `--b\nA: ${"x".repeat(extra)}\n\nbody\n`.repeat(count)));
  assertEquals(parts(LIMITS.maxSummaryParts).cut, null);
  const cut = parts(LIMITS.maxSummaryParts + 1);
  assertEquals(cut.cut, "parts");
  assertEquals(cut.whole, parts(LIMITS.maxSummaryParts).whole);
  const large = parts(100, 10_000);
  assertEquals(large.cut, "parts");
  assert(large.whole.length <= header.length + LIMITS.maxSummaryPartsBytes);
});

Deno.test("summarizeMail() reads nesting that occurs in mail, and gives up beyond", async () => {
  const nested = (depth: number): string => {
    const levels = Array.from({ length: depth }, (_, i) => i);
    const open = levels.map((i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join("");
    return `${open}Content-Disposition: attachment\n\nx\n${levels.reverse().map((i) => `--b${i}--\n`).join("")}`;
  };
  for (const [depth, attachments, damage] of [[1, 1, ""], [50, 1, ""], [51, 0, "mime"]] as const) {
    const summary = await of(`Subject: s\n${nested(depth)}`);
    assertEquals([summary.subject, summary.attachments, summary.damage.join()], ["s", attachments, damage]);
  }
});

Deno.test("summarizeMail() stays bounded and never throws when a message is hostile", async () => {
  const fill = (text: string, bytes: number): string => text.repeat(Math.floor(bytes / text.length));
  const header = LIMITS.maxSummaryHeaderBytes - 100;
  const whole = LIMITS.maxMessageBytes - 100;
  const multipart = "Content-Type: multipart/mixed; boundary=b\n\n";
  const nested = Array.from({ length: 5_000 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`)
    .join("");
  const cases: [string, string, string][] = [
    ["nesting bomb", nested, "mime"],
    ["a million parts", multipart + fill("--b\n\nx\n", whole), "mime"],
    [
      "a million quoted-printable parts",
      multipart + fill("--b\nContent-Transfer-Encoding: quoted-printable\n\n", whole),
      "mime",
    ],
    ["parts without an end to their header", multipart + fill("--b\n", whole), "mime"],
    ["one endless line", fill("x", whole), "header"],
    ["an endless header", `Subject: s\n${fill("X: y\n", 2 * header)}\n`, "header"],
    ["commas", `To: ${fill("a,", header)}\n\n`, ""],
    ["brackets", `To: ${fill("<(", header)}\n\n`, ""],
    ["groups", `To: ${fill("a:", header)}\n\n`, ""],
    ["quotes", `From: ${fill('"', header)}\n\n`, ""],
    ["encoded words", `Subject: ${fill("=?utf-8?q?x?= ", header)}\n\n`, ""],
    ["unknown charsets", `Subject: ${fill("=?abcdefgh?q?x?= ", header)}\n\n`, "charset"],
    ["folds", `Subject: x${fill("\n ", header)}\n\n`, ""],
    ["parameters", `Content-Type: multipart/mixed${fill("; a*1*=%20", header)}\n\n`, "mime"],
    ["comments in a date", `Date: ${fill("(", header)}\n\n`, "date"],
  ];
  for (const [what, text, damage] of cases) {
    const raw = utf8(text);
    assert(raw.length <= LIMITS.maxMessageBytes, what);
    const started = performance.now();
    const summary = await summarizeMail(raw);
    // A bomb takes minutes, on a busy machine too.
    assert(performance.now() - started < 30_000, `${what} took ${performance.now() - started} ms`);
    assertEquals(summary.damage.join(" "), damage, what);
    assert(JSON.stringify(summary).length < 4 * LIMITS.maxSummaryChars, what);
  }
});

Deno.test("summarizeMail() takes any bytes, and gives the same summary each time", async () => {
  const piece = fc.constantFrom<string>(
    ...[
      "From: ",
      "To: ",
      "Subject: ",
      "Date: ",
      "Content-Type: multipart/mixed; boundary=",
      "b",
      "--b",
      "--b--",
      "\n",
      "\r\n",
      "\n\n",
    ],
    ...[
      "=?utf-8?b?",
      "?=",
      "=?",
      "\xff",
      "(",
      ")",
      "<",
      ">",
      '"',
      ";",
      ":",
      ",",
      "\\",
      " ",
      "a@b",
      "=",
      "*0*=",
      "message/rfc822",
      "\0",
    ],
  );
  const bytes = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((pieces) => utf8(pieces.join(""))),
    fc.uint8Array({ maxLength: 300 }).map((array): Bytes => new Uint8Array(array)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (raw) => {
      const summary = await summarizeMail(raw);
      assertEquals(await summarizeMail(raw), summary);
      for (const shown of [summary.from, summary.to, summary.subject, summary.messageId ?? ""]) {
        assert(shown.length <= LIMITS.maxSummaryChars && shown.isWellFormed());
      }
      assert(summary.date === null || Number.isSafeInteger(summary.date));
    }),
    { numRuns: 200 },
  );
});
