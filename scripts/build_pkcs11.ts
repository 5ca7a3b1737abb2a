/**
 * Compiles `pkcs11js` where it is installed: `deno task pkcs11:build`. Needed on machines that keep keys in a PKCS#11 token;
 * wants npm, a C compiler, make and Python, and does nothing when it is built already.
 */
import { dirname, join } from "node:path";
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

/** Node's own headers, where it was installed with them: otherwise node-gyp downloads them. */
async function headers(): Promise<Record<string, string>> {
  const { success, stdout } = await new Deno.Command("node", { args: ["-p", "process.execPath"] }).output();
  if (!success) return {};
  const prefix = dirname(dirname(new TextDecoder().decode(stdout).trim()));
  return await isThere(join(prefix, "include/node/node_api.h")) ? { npm_config_nodedir: prefix } : {};
}

if (import.meta.main && !await isThere(BUILT)) {
  // npm brings its own node-gyp, and puts it where the package's script finds it.
  const build = new Deno.Command("npm", { args: ["run", "build"], cwd: PACKAGE, env: await headers() });
  const { success, stdout, stderr } = await build.output();
  if (!success || !await isThere(BUILT)) {
    console.error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    console.error("pkcs11js could not be built: it needs npm, a C compiler, make and Python 3");
    Deno.exit(1);
  }
}
