import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";

const SCRIPT = new URL("mbox_memory.ts", import.meta.url).pathname;

// In a process of its own: its memory is what is measured.
Deno.test("MboxSplitter keeps its memory when a file holds one endless line, message or run of quotes", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT],
    stderr: "inherit",
  }).output();
  assert(success);
  const { kinds, grown } = JSON.parse(new TextDecoder().decode(stdout)) as { kinds: string[]; grown: number };
  assertEquals(kinds, ["too_large", "too_large", "too_large"]);
  assert(grown < 6 * LIMITS.maxMessageBytes, `memory grew by ${grown} bytes for 300 MiB of input`);
});
