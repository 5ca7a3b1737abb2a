/** A copy of the project in which the targets stand with their switches. */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { mutate } from "./mutate.ts";
import { readSites } from "./read_sites.ts";
import { type MutantName, nameAll } from "./results.ts";

/** A mutant, its place, and the number that turns it on. */
export interface NumberedMutant extends MutantName {
  readonly number: number;
  readonly line: number;
}

/** Makes the copy in an empty folder. Tests find the packages of this checkout, and `../shared` where that is. */
export async function copyMutated(folder: string, paths: readonly string[]): Promise<NumberedMutant[]> {
  const switches = pathToFileURL(join(folder, "test/mutants/switch.ts")).href;
  const sites = await readSites(PROJECT_ROOT, paths);
  const mutants: NumberedMutant[] = [];
  for (const path of projectFiles()) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.copyFile(join(PROJECT_ROOT, path), join(folder, path));
  }
  for (const path of paths) {
    const first = mutants.length + 1;
    const mutated = mutate(await Deno.readTextFile(join(PROJECT_ROOT, path)), sites.get(path) ?? [], first, switches);
    await Deno.writeTextFile(join(folder, path), mutated.source);
    mutants.push(...nameAll(path, mutated.mutants).map((name, index) => ({ ...name, number: first + index })));
  }
  await Deno.symlink(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
  return mutants;
}

function projectFiles(): string[] {
  const atTop = [...Deno.readDirSync(PROJECT_ROOT)].flatMap(({ name, isFile }) =>
    isFile && !name.startsWith(".") ? [name] : []
  );
  return [...atTop, ...listFiles(PROJECT_ROOT, ["shared", "edge", "manager", "test", "scripts", "bench", "docs"], /./)];
}
