/**
 * Child process of the tests: replaces a file without end, by turns with content of `a` and of `b`; prints a failure's code.
 * Arguments: path, bytes of each content, number of writes (0 for no end), `replace` or `create`.
 */
import { createExclusive, writeFileDurably } from "../../../manager/files/durable.ts";
import { isPosternError } from "../../../shared/errors.ts";

const [path = "", size = "0", writes = "0", how = "replace"] = Deno.args;
const contents = ["a", "b"].map((letter) => new TextEncoder().encode(letter.repeat(Number(size))));
const write = how === "create" ? createExclusive : writeFileDurably;

try {
  for (let i = 0; i < Number(writes) || writes === "0"; i++) {
    await write(path, contents[i % 2] ?? new Uint8Array(0));
    if (i === 0) console.log("written");
  }
} catch (error) {
  if (!isPosternError(error)) throw error;
  console.log(error.code);
}
