import nodeAssert from "node:assert/strict";
import fc from "fast-check";
import { type Answer, AnswerReader, headerOf, parseAnswer } from "../../bench/load/answer.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { assert, assertEquals } from "../assert.ts";

const PLAIN = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Auth: abc\r\n\r\nhello";
const CHUNKED = "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

const text = (answer: Answer | null) => answer === null ? null : new TextDecoder().decode(answer.body);

Deno.test("parseAnswer() reads a body by its length, and by its chunks", () => {
  const plain = parseAnswer(utf8(PLAIN));
  assertEquals([plain?.status, text(plain)], [200, "hello"]);
  const chunked = parseAnswer(utf8(CHUNKED));
  assertEquals([chunked?.status, text(chunked)], [404, "hello"]);
});

Deno.test("parseAnswer() waits for the rest when an answer is cut off at any byte", () => {
  for (const whole of [utf8(PLAIN), utf8(CHUNKED)]) {
    for (let end = 0; end < whole.length; end++) assertEquals(parseAnswer(whole.subarray(0, end)), null, `at ${end}`);
  }
});

Deno.test("parseAnswer() refuses an answer without a length, with bytes after its end, or of another protocol", () => {
  nodeAssert.throws(() => parseAnswer(utf8("HTTP/1.1 200 OK\r\n\r\n")), /neither a length nor chunks/);
  nodeAssert.throws(() => parseAnswer(utf8(PLAIN + "!")), /more bytes/);
  nodeAssert.throws(() => parseAnswer(utf8("SSH-2.0\r\n\r\n")), /no HTTP\/1.1 answer/);
});

Deno.test("AnswerReader gives each answer once, whatever the pieces it arrives in", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
    const reader = new AnswerReader();
    for (const whole of [utf8(PLAIN), utf8(CHUNKED)]) {
      let answer: Answer | null = null;
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        assert(answer === null);
        const piece = whole.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
        reader.free.set(piece);
        answer = reader.push(piece.length);
        at += piece.length;
      }
      assertEquals(text(answer), "hello");
    }
  }));
});

Deno.test("AnswerReader grows when an answer is larger than its memory", () => {
  const body = "x".repeat(200_000);
  const whole = utf8(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  const reader = new AnswerReader();
  let answer: Answer | null = null;
  for (let at = 0; answer === null;) {
    const piece = whole.subarray(at, at + reader.free.length);
    reader.free.set(piece);
    answer = reader.push(piece.length);
    at += piece.length;
  }
  assertEquals(text(answer), body);
});

Deno.test("headerOf() finds a header in any case, and nothing in the status line or in other names", () => {
  const answer = parseAnswer(utf8(PLAIN));
  assert(answer !== null);
  assertEquals(headerOf(answer, "x-auth"), "abc");
  assertEquals(headerOf(answer, "auth"), null);
  assertEquals(headerOf({ head: "HTTP/1.1 200 a: b\r\nc: d" }, "http/1.1 200 a"), null);
});
