/**
 * Compiles `pkcs11js` where it is installed: `deno task pkcs11:build`. Needed on machines that keep keys in a PKCS#11 token;
 * wants npm, a C compiler, make and Python, and does nothing when it is built already.
 */
import { join } from "node:path";
import { PROJECT_ROOT } from "./files.ts";

const PACKAGE = join(PROJECT_ROOT, "node_modules/pkcs11js");
const BUILT = join(PACKAGE, "build/Release/pkcs11.node");

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main && !await isThere(BUILT)) {
  // npm brings its own node-gyp, and puts it where the package's script finds it.
  const { success, stdout, stderr } = await new Deno.Command("npm", { args: ["run", "build"], cwd: PACKAGE }).output();
  if (!success || !await isThere(BUILT)) {
    console.error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    console.error("pkcs11js could not be built: it needs npm, a C compiler, make and Python 3");
    Deno.exit(1);
  }
}
