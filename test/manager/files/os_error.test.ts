import { fromOsError } from "../../../manager/files/os_error.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";

function withCode(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

Deno.test("fromOsError() gives the code and the remedy when the runtime names the error", () => {
  const cases: [string, string, string][] = [
    ["ENOENT", "not_found", "does not exist"],
    ["EEXIST", "conflict", "exists already"],
    ["ENOSPC", "storage", "free some space"],
    ["EROFS", "storage", "read-only"],
    ["EACCES", "storage", "owner and mode"],
  ];
  for (const [name, code, words] of cases) {
    const error = fromOsError(withCode("Some words (os error 1): open '/x'", name), "write /x");
    assertEquals(error.code, code);
    assert(error.message.startsWith("cannot write /x") && error.message.includes(words), error.message);
  }
});

Deno.test("fromOsError() gives storage, and the remedy by the error's number, when the runtime only has words", () => {
  const error = fromOsError(withCode("File too large (os error 27)"), "write /x");
  assertEquals(error.code, "storage");
  assert(error.message.includes("File too large") && error.message.includes("ulimit -f"), error.message);
  const unknown = fromOsError(withCode("Something new (os error 9999)"), "write /x");
  assertEquals(unknown.code, "storage");
  assert(unknown.message.includes("the system's log"), unknown.message);
});

Deno.test("fromOsError() leaves its own errors alone and throws on what did not come from the system", () => {
  const own = new PosternError("too_large", "x");
  assertEquals(fromOsError(own, "read"), own);
  for (const bug of [new TypeError("x is not a function"), withCode("wrong argument", "ERR_INVALID_ARG"), "text"]) {
    let thrown: unknown;
    try {
      fromOsError(bug, "read /x");
    } catch (error) {
      thrown = error;
    }
    assert(thrown === bug, "a bug must not turn into a typed error");
  }
});
