/** Makes the folder that a release of Postern consists of. Run with --help for the options. */
import { describeBuildRelease } from "./publisher/build_release.ts";
import { runScript } from "./publisher/script.ts";
import { scriptSurroundings } from "./publisher/surroundings.ts";

if (import.meta.main) {
  Deno.exit(await runScript("build_release", describeBuildRelease, Deno.args, scriptSurroundings()));
}
