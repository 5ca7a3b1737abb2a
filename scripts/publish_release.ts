/** Publishes a release. Run with --help for the options. */
import { describePublishRelease } from "./publisher/publish_release.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("publish_release", describePublishRelease, Deno.args, scriptSurroundings()));
}
