/** Describes the files of a release. Run with --help for the options. */
import { describeGenerateManifest } from "./publisher/generate_manifest.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("generate_manifest", describeGenerateManifest, Deno.args, scriptSurroundings()));
}
