/** A publisher's root, certificates and revocation list. Run with --help for the commands. */
import { describePublisherCa } from "./publisher/publisher_ca.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("publisher_ca", describePublisherCa, Deno.args, scriptSurroundings()));
}
