/** Verifies a manifest's signature. Run with --help for the options. */
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";
import { describeVerifyManifest } from "./publisher/verify_manifest.ts";

if (import.meta.main) {
  Deno.exit(await runScript("verify_manifest", describeVerifyManifest, Deno.args, scriptSurroundings()));
}
