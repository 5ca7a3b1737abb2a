/** `build_release`: the folder that a release of Postern consists of: source, lock file, packages and the runtime. */
import { basename, dirname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { PROJECT_ROOT } from "../files.ts";
import { neededImports } from "../service/module_graph.ts";
import { copyFile, copyPackage } from "./build/copy.ts";
import { fetchPackages } from "./build/fetch_packages.ts";
import { type Arch, layOut, type Placed, readLock } from "./build/layout.ts";
import { factsOf, graphOf, isOtherBuilder, layOutSource, type SourceFacts } from "./build/source.ts";
import { bundleVendored, defaultsOf, licencesOf, NATIVE, vendored } from "./build/vendor.ts";
import { requireFree } from "./ca.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** The runtime, from npm; `npm view @deno/linux-x64-glibc@VERSION dist.integrity`. */
const RUNTIME_VERSION = "2.9.6";
const RUNTIMES: Readonly<Record<Arch, { readonly name: string; readonly integrity: string }>> = {
  x64: {
    name: "@deno/linux-x64-glibc",
    integrity: "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
  },
  arm64: {
    name: "@deno/linux-arm64-glibc",
    integrity: "sha512-poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==",
  },
};

interface BuildOptions {
  readonly output: string;
  readonly arch: Arch;
  readonly commit: string;
  readonly runtime?: string;
  readonly packages?: string;
  readonly version?: string;
}

const HELP = `
The same commit gives the same files on every machine. Source and module graph are the commit's, whatever else lies in the checkout.
Packages and runtime come from npm, each by its integrity: that of the commit's lock file, or of this program. PKCS#11 needs a C compiler
where it is used, and is not in it. To try the result, without any network:
  DENO_DIR=$(mktemp -d) DIR/bin/postern --version
What is built with --packages or --runtime was compared with nothing: that is for trying, and not to be published.`;

/** The options of `build_release`. */
export function describeBuildRelease(program: Command, bind: BindAction): void {
  program.description("Makes the folder that a release of Postern consists of.")
    .requiredOption("--output <dir>", "a new folder")
    .addOption(new Option("--arch <name>", "processor that it is for").choices(["x64", "arm64"]).default(hostArch()))
    .option("--commit <commit>", "of the source", "HEAD")
    .option("--version <version>", "what the release will be called: refused unless the program calls itself so")
    .option("--packages <dir>", "node_modules as Deno lays it, unverified, instead of npm")
    .option("--runtime <file>", "a Deno that is here, unverified, instead of the one from npm")
    .addHelpText("after", HELP).action(bind(buildRelease));
}

function hostArch(): Arch {
  return Deno.build.arch === "aarch64" ? "arm64" : "x64";
}

async function buildRelease(options: BuildOptions, s: ScriptSurroundings): Promise<Done> {
  const folder = resolve(s.cwd, options.output);
  await requireFree([folder], s);
  const scratch = await Deno.makeTempDir({ prefix: "postern-build-" });
  let growing: string | null = null;
  try {
    // Beside it: a build that is cut off leaves nothing under the name.
    growing = await Deno.makeTempDir({ dir: dirname(folder), prefix: `.${basename(folder)}-` });
    const built = await build(growing, scratch, options, s);
    await Deno.chmod(growing, 0o755);
    await Deno.rename(growing, folder);
    growing = null;
    const { version, packages, files } = built;
    const text = `Built Postern ${version} for ${options.arch} in ${folder}: ${files} files, ${packages} packages`;
    return { json: { output: folder, ...built }, text };
  } catch (error) {
    throw fromOsError(error, `build in ${folder}`);
  } finally {
    for (const path of [scratch, growing]) if (path !== null) await Deno.remove(path, { recursive: true });
  }
}

async function build(folder: string, scratch: string, options: BuildOptions, s: ScriptSurroundings) {
  const { arch } = options;
  const commit = await layOutSource(PROJECT_ROOT, options.commit, folder, scratch);
  if (await isOtherBuilder(PROJECT_ROOT, commit)) {
    s.err(`warning: what builds is not of commit ${commit}, so its files may differ from those of another build\n`);
  }
  const facts = await factsOf(folder);
  const { version = facts.version } = options;
  if (version !== facts.version) {
    const advice = "change shared/version.ts and deno.json first, then tag that commit";
    throw new PosternError("conflict", `This source calls itself ${facts.version}, not ${version}: ${advice}`);
  }
  const isVerified = options.packages === undefined && options.runtime === undefined;
  if (!isVerified) {
    s.err("warning: packages or runtime were compared with nothing: try this release, do not publish it\n");
  }
  const here = options.packages === undefined ? null : resolve(s.cwd, options.packages);
  const packages = await layOutPackages(folder, arch, here, scratch);
  const runtime = options.runtime === undefined ? await fetchRuntime(arch, scratch) : resolve(s.cwd, options.runtime);
  await copyFile(runtime, join(folder, "bin/deno"), 0o755);
  await Deno.writeTextFile(join(folder, "bin/postern"), launcher(facts));
  await Deno.chmod(join(folder, "bin/postern"), 0o755);
  return { version, commit, arch, runtime: RUNTIME_VERSION, packages, files: count(folder), isVerified };
}

/** @returns how many packages are in the release, in one form or the other */
async function layOutPackages(folder: string, arch: Arch, here: string | null, scratch: string): Promise<number> {
  const config = JSON.parse(await Deno.readTextFile(join(folder, "deno.json"))) as { imports: Record<string, string> };
  const graph = await graphOf(folder);
  const imports = neededImports(config.imports, graph.packages);
  const lock = readLock(await Deno.readTextFile(join(folder, "deno.lock")));
  const packages = layOut(lock, Object.values(imports), arch);
  const workshop = await madeFolder(join(scratch, "packages"));
  await placePackages(packages, workshop, here, await madeFolder(join(scratch, "fetched")));
  await writeConfig(workshop, { ...config, imports });
  const files = vendored(graph);
  const sources = graph.files.filter((path) => path.endsWith(".ts"));
  const texts = await Promise.all(sources.map((path) => Deno.readTextFile(join(folder, path))));
  const defaults = new Set(texts.flatMap(defaultsOf));
  await copyPackage(await bundleVendored(files, defaults, workshop), join(folder, "vendor"));
  await Deno.writeTextFile(join(folder, "vendor/LICENCES.txt"), await licencesOf(packages, workshop));
  // Packages lie there as npm lays them, and are looked up as Node does; nothing is fetched, whatever is asked for.
  const native = neededImports(config.imports, graph.packages.filter((one) => NATIVE.includes(one)));
  for (const { path } of layOut(lock, Object.values(native), arch)) {
    await copyPackage(join(workshop, path), join(folder, path));
  }
  const bundled = [...files].map(([specifier, file]) => [specifier, `./vendor/${file}`]);
  await writeConfig(folder, { ...config, imports: { ...Object.fromEntries(bundled), ...native } });
  return packages.length;
}

/** @param here a `node_modules` to take them from; null for npm */
async function placePackages(
  packages: readonly Placed[],
  to: string,
  here: string | null,
  scratch: string,
): Promise<void> {
  const fetched = here === null ? await fetchPackages(packages, scratch) : null;
  for (const { name, version, integrity, path } of packages) {
    const from = here === null
      ? fetched?.get(integrity) ?? ""
      : join(here, ".deno", `${name.replace("/", "+")}@${version}`, "node_modules", name);
    try {
      await copyPackage(from, join(to, path));
    } catch (error) {
      throw fromOsError(error, `copy ${name}@${version} from ${from}`);
    }
  }
}

async function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  const released = { ...config, nodeModulesDir: "manual", lock: false, tasks: {} };
  await Deno.writeTextFile(join(folder, "deno.json"), `${JSON.stringify(released, null, 2)}\n`);
}

async function fetchRuntime(arch: Arch, scratch: string): Promise<string> {
  const runtime = { ...RUNTIMES[arch], version: RUNTIME_VERSION };
  const fetched = await fetchPackages([runtime], await madeFolder(join(scratch, "deno")));
  return join(fetched.get(runtime.integrity) ?? "", "deno");
}

async function madeFolder(path: string): Promise<string> {
  await Deno.mkdir(path);
  return path;
}

function count(folder: string): number {
  const entries = [...Deno.readDirSync(folder)];
  return entries.reduce((sum, { name, isDirectory }) => sum + (isDirectory ? count(join(folder, name)) : 1), 0);
}

/** Starts what lies beside it, from wherever it is called, also through the link `current`. */
function launcher({ env, v8Flags }: SourceFacts): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`).join(" ");
  return `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
export DENO_NO_UPDATE_CHECK=1 ${variables}
exec "$here/deno" run --allow-all --no-prompt --cached-only --no-code-cache --quiet ${v8Flags} "$here/../manager/cli/main.ts" "$@"
`;
}
