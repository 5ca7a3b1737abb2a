/**
 * Puts test files together into a few modules. `deno test` starts a thread for each file that it is given, and each
 * loads everything anew: with some 170 fast files that was a fifth of all the work.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** How many modules: enough that the last one to end does not keep the others waiting, and few enough that loading costs little. */
const GROUPS = { fast: 4, slow: 10 } as const;
/** Fewer files for each module than this run as they are, each in a thread of its own. */
const FEW = 4;

/**
 * The paths to give to `deno test`: the files themselves, or modules in `folder` that import them. Neighbours, which
 * tend to be alike, go into different groups.
 */
export async function groupFiles(
  root: string,
  kind: keyof typeof GROUPS,
  paths: readonly string[],
  folder: string,
): Promise<readonly string[]> {
  const groups = GROUPS[kind];
  if (paths.length < FEW * groups) return paths;
  const modules: string[] = [];
  for (let group = 0; group < groups; group++) {
    const members = paths.filter((_, index) => index % groups === group);
    const module = join(folder, `${kind}_${group + 1}.test.ts`);
    const imports = members.map((path) => `import ${JSON.stringify(pathToFileURL(join(root, path)).href)};\n`);
    await Deno.writeTextFile(module, imports.join(""));
    modules.push(module);
  }
  return modules;
}
