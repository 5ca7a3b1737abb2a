/** Encrypts a manifest. Run with --help for the options. */
import { describeEncryptManifest } from "./publisher/encrypt_manifest.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("encrypt_manifest", describeEncryptManifest, Deno.args, scriptSurroundings()));
}
