/**
 * Puts test files together into a few modules. `deno test` starts a thread for each file that it is given, and each
 * loads everything anew: with some 170 files that was a fifth of all the work.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Enough that the last one to end does not keep the others waiting, and few enough that loading costs little. */
const GROUPS = 8;
/** Fewer files than this run as they are, each in a thread of its own. */
const FEW = 4 * GROUPS;

/**
 * The paths to give to `deno test`: the files themselves, or modules in `folder` that import them. Neighbours, which
 * tend to be alike, go into different groups.
 */
export async function groupFiles(root: string, paths: readonly string[], folder: string): Promise<readonly string[]> {
  if (paths.length < FEW) return paths;
  const modules: string[] = [];
  for (let group = 0; group < GROUPS; group++) {
    const members = paths.filter((_, index) => index % GROUPS === group);
    const module = join(folder, `group_${group + 1}.test.ts`);
    const imports = members.map((path) => `import ${JSON.stringify(pathToFileURL(join(root, path)).href)};\n`);
    await Deno.writeTextFile(module, imports.join(""));
    modules.push(module);
  }
  return modules;
}
