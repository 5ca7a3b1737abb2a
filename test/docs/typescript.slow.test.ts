/** The TypeScript in the pages, as a compiler reads it. */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert } from "../assert.ts";

Deno.test("the TypeScript in docs/typescript-client.md type-checks", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--doc-only", "docs/typescript-client.md"],
    cwd: PROJECT_ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
