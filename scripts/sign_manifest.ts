/** Signs a manifest. Run with --help for the options. */
import { runScript } from "./publisher/script.ts";
import { describeSignManifest } from "./publisher/sign_manifest.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("sign_manifest", describeSignManifest, Deno.args, scriptSurroundings()));
}
