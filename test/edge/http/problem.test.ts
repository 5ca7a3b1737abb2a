import { codeFor, outwardCode, problemOf, PROBLEMS } from "../../../edge/http/problem.ts";
import { ERROR_CODES, type ErrorCode, PosternError } from "../../../shared/errors.ts";
import { describeError } from "../../../edge/report.ts";
import { assert, assertEquals } from "../../assert.ts";

const PAGE = await Deno.readTextFile(new URL("../../../shared/spec/conventions.md", import.meta.url));

Deno.test("PROBLEMS are the codes and statuses of the page, no more and no fewer (CONV-09)", () => {
  const rows = [...PAGE.matchAll(/^\| (\d{3}) +\| `(\w+)` +\|/gm)].map((
    [, status, code],
  ) => [code ?? "", Number(status)]);
  assertEquals(rows.length, 10);
  assertEquals(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status]).sort(), rows.sort());
});

Deno.test("outwardCode() gives every code inside one that answers may carry (CONV-09)", () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const outside = outwardCode(code);
    assert(outside in PROBLEMS, code);
    if (code in PROBLEMS) assertEquals(outside, code as typeof outside);
  }
});

Deno.test("codeFor() tells nothing of an error that nobody expected", () => {
  for (const thrown of [new TypeError("secret"), "secret", undefined, { code: "forbidden" }]) {
    assertEquals(codeFor(thrown), "storage");
  }
  const { status, body } = problemOf(codeFor(new PosternError("usage", "secret")));
  const text = new TextDecoder().decode(body);
  assertEquals([status, text.includes("secret")], [503, false]);
});

Deno.test("describeError() logs our own messages in one line, and of others only where they were thrown (STORE-01)", () => {
  const line = describeError("GET rows", new PosternError("storage", "The disk\nis full"));
  assertEquals(line, "postern edge: GET rows: storage: The disk is full");
  const other = describeError("GET rows", new TypeError("value of a request"));
  assert(/^postern edge: GET rows: TypeError at .*problem\.test\.ts/.test(other), other);
  assert(!other.includes("value of a request") && !other.includes("\n"), other);
  assertEquals(describeError("x", "text"), "postern edge: x: something that is no error was thrown");
  const multiline = new Error("value\n    at value of a request");
  assert(!describeError("x", multiline).includes("value of a request"), describeError("x", multiline));
});
