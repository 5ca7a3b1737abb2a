/** The source of a release: what a commit has, and nothing that merely lies beside it. */
import { join } from "node:path";
import * as v from "valibot";
import { PosternError } from "../../../shared/errors.ts";
import { type ModuleGraph, readModuleGraph } from "../../service/module_graph.ts";
import { runTool } from "./run_tool.ts";

/** What of the source is in a release; tests and benches are not. */
const SOURCE = [
  "deno.json",
  "deno.lock",
  "edge",
  "manager",
  "scripts",
  "shared",
  "docs",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
];
/** What must run: the packages that these need are in a release. */
const ENTRIES = [
  "manager/cli/main.ts",
  "edge/hosts/deno.ts",
  "scripts/verify_manifest.ts",
  "scripts/install_service.ts",
];
/** What the builder itself is made of. */
const BUILDER = ["scripts", "shared", "manager"];

/** The source's own word on what it is and how it is started. */
export interface SourceFacts {
  readonly version: string;
  readonly v8Flags: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Lays down the source of a commit.
 *
 * @param repository a checkout
 * @returns the commit's hash
 * @throws `usage` for what is no commit; `storage`
 */
export async function layOutSource(
  repository: string,
  commit: string,
  folder: string,
  scratch: string,
): Promise<string> {
  const hash = await resolveCommit(repository, commit);
  const archive = join(scratch, "source.tar");
  await runTool("git", ["archive", "--format=tar", `--output=${archive}`, hash, "--", ...SOURCE], repository);
  await runTool("tar", ["-xf", archive, "--no-same-owner", "-C", folder], folder);
  return hash;
}

async function resolveCommit(repository: string, commit: string): Promise<string> {
  if (commit.startsWith("-")) throw new PosternError("usage", "--commit names a commit");
  try {
    return (await runTool("git", ["rev-parse", "--verify", "--quiet", `${commit}^{commit}`], repository)).trim();
  } catch (cause) {
    throw new PosternError("usage", `${commit} is no commit of ${repository}`, { cause });
  }
}

/** Whether the program that builds is another one than the commit's, which may make other files of it. */
export async function isOtherBuilder(repository: string, hash: string): Promise<boolean> {
  return (await runTool("git", ["diff", "--name-only", hash, "--", ...BUILDER], repository)).trim() !== "";
}

const ASK = `import { VERSION } from "./shared/version.ts";
import { MANAGER_ENV, MANAGER_V8_FLAGS } from "./scripts/manager_flags.ts";
console.log(JSON.stringify({ version: VERSION, v8Flags: MANAGER_V8_FLAGS, env: MANAGER_ENV }));`;

const factsShape = v.object({ version: v.string(), v8Flags: v.string(), env: v.record(v.string(), v.string()) });

/** What the source says of itself. @param folder it was laid down in */
export async function factsOf(folder: string): Promise<SourceFacts> {
  const said = await runTool(Deno.execPath(), ["eval", "--quiet", "--no-config", "--no-lock", ASK], folder);
  return v.parse(factsShape, JSON.parse(said));
}

/** Its modules, and the packages that they name. Nothing is fetched. */
export async function graphOf(folder: string): Promise<ModuleGraph> {
  const graphs = await Promise.all(ENTRIES.map(async (entry) => {
    const info = await runTool(Deno.execPath(), ["info", "--json", "--no-npm", "--no-lock", entry], folder);
    return readModuleGraph(info, folder);
  }));
  return { files: union(graphs.map(({ files }) => files)), packages: union(graphs.map(({ packages }) => packages)) };
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort();
}
