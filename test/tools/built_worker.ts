/**
 * The project's worker, built once for a run of the suite however many test files ask.
 *
 * The build is kept below node_modules under a hash of all that goes into it, so that a changed source is never tested
 * with an old build.
 */
import { createHash } from "node:crypto";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { buildWorker, type Bundle } from "../../scripts/worker/bundle.ts";

/** Where tests may keep what they build; packages resolve from here as they do from the project's root. */
export const CACHE_FOLDER: string = `${PROJECT_ROOT}/node_modules/.postern`;

/** The project's own worker, built or taken from this run's earlier build. */
export async function builtWorker(): Promise<Bundle> {
  const folder = `${CACHE_FOLDER}/worker-${await hashOfSources()}`;
  const main = "main.json";
  try {
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name !== main);
    const files = names.map((name) => ({ name, bytes: Deno.readFileSync(`${folder}/${name}`) }));
    return { main: JSON.parse(Deno.readTextFileSync(`${folder}/${main}`)) as string, files };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const bundle = await buildWorker();
  await keep(bundle, folder, main);
  return bundle;
}

/** Written aside and renamed, so that nobody reads half of it; where two build at once, the first one's stays. */
async function keep(bundle: Bundle, folder: string, main: string): Promise<void> {
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  for (const entry of Deno.readDirSync(CACHE_FOLDER)) {
    if (entry.name.startsWith("worker-") && !folder.endsWith(entry.name)) {
      await Deno.remove(`${CACHE_FOLDER}/${entry.name}`, { recursive: true });
    }
  }
  const aside = await Deno.makeTempDir({ dir: CACHE_FOLDER, prefix: "new-" });
  for (const file of bundle.files) await Deno.writeFile(`${aside}/${file.name}`, file.bytes);
  await Deno.writeTextFile(`${aside}/${main}`, JSON.stringify(bundle.main));
  await Deno.rename(aside, folder).catch(() => Deno.remove(aside, { recursive: true }));
}

async function hashOfSources(): Promise<string> {
  const hash = createHash("sha256");
  for (
    const path of [...listFiles(PROJECT_ROOT, ["edge", "shared"], /\.ts$/), "deno.json", "deno.lock", "wrangler.toml"]
  ) {
    const bytes = await Deno.readFile(`${PROJECT_ROOT}/${path}`);
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}
