/** The instances that may read releases. Run with --help for the commands. */
import { describeInstance } from "./publisher/instance.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("instance", describeInstance, Deno.args, scriptSurroundings()));
}
