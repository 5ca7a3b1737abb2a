import { runTool } from "../../../scripts/publisher/build/run_tool.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";

const run = (script: string) => runTool("sh", ["-c", script], Deno.cwd());

Deno.test("runTool() hands back what a program says, and storage with the beginning of what it says when it fails", async () => {
  assertEquals(await run("echo here"), "here\n");
  const failures = {
    "echo broken >&2; exit 3": "sh -c failed: broken",
    "seq 9 >&2; exit 1": "sh -c failed: 1\n2\n3\nand 6 lines more",
    "echo 'tar: a: No space left on device' >&2; exit 2":
      "sh -c failed: tar: a: No space left on device\nfree some space on this disk",
  };
  for (const [script, message] of Object.entries(failures)) {
    const error: unknown = await run(script).catch((error) => error);
    assert(isPosternError(error, "storage"));
    assertEquals(error.message, message);
  }
});

Deno.test("runTool() says configuration of a program that is not there", async () => {
  const error: unknown = await runTool("postern-no-such-tool", ["x"], Deno.cwd()).catch((error) => error);
  assert(isPosternError(error, "configuration"));
});
