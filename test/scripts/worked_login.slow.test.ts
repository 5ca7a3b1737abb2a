/** The code in docs/clients.md, as a compiler reads it. */
import { CLIENTS_PAGE } from "../../scripts/worked_login.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert } from "../assert.ts";

Deno.test("The TypeScript in docs/clients.md type-checks", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--doc-only", CLIENTS_PAGE],
    cwd: PROJECT_ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
