/** `build_release`: the folder that a release of Postern consists of: source, lock file, packages and the runtime. */
import { dirname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { PosternError } from "../../shared/errors.ts";
import { VERSION } from "../../shared/version.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { PROJECT_ROOT } from "../files.ts";
import { MANAGER_ENV, MANAGER_V8_FLAGS } from "../manager_flags.ts";
import { neededImports, readModuleGraph } from "../service/module_graph.ts";
import { fetchPackage } from "./build/fetch_package.ts";
import { type Arch, layOut, type Placed, readLock } from "./build/layout.ts";
import { bundleVendored, defaultsOf, licencesOf, NATIVE, vendored } from "./build/vendor.ts";
import { runTool } from "./build/run_tool.ts";
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
/** Of packages: what is for compilers and debuggers, and what this machine has compiled. */
const LEFT_OUT = /\.(?:map|d\.ts|d\.mts|d\.cts|tsbuildinfo)$/;
const COMPILED = "build";

interface BuildOptions {
  readonly output: string;
  readonly arch: Arch;
  readonly commit: string;
  readonly runtime?: string;
  readonly version?: string;
}

const HELP = `
The same commit gives the same files on every machine. Packages come from node_modules, or from npm by the lock file's integrity; the
runtime from npm. PKCS#11 needs a C compiler where it is used, and is not in it. To try the result, without any network:
  DENO_DIR=$(mktemp -d) DIR/bin/postern --version`;

/** The options of `build_release`. */
export function describeBuildRelease(program: Command, bind: BindAction): void {
  program.description("Makes the folder that a release of Postern consists of.")
    .requiredOption("--output <dir>", "a new folder")
    .addOption(new Option("--arch <name>", "processor that it is for").choices(["x64", "arm64"]).default(hostArch()))
    .option("--commit <commit>", "of the source", "HEAD")
    .option("--version <version>", "what the release will be called: refused unless the program calls itself so")
    .option("--runtime <file>", "a Deno that is here, instead of the one from npm")
    .addHelpText("after", HELP).action(bind(buildRelease));
}

function hostArch(): Arch {
  return Deno.build.arch === "aarch64" ? "arm64" : "x64";
}

async function buildRelease(options: BuildOptions, s: ScriptSurroundings): Promise<Done> {
  const { output, arch, commit, runtime, version = VERSION } = options;
  if (version !== VERSION) {
    const advice = "change shared/version.ts and deno.json first, then tag that commit";
    throw new PosternError("conflict", `This source calls itself ${VERSION}, not ${version}: ${advice}`);
  }
  const folder = resolve(s.cwd, output);
  const scratch = await Deno.makeTempDir({ prefix: "postern-build-" });
  try {
    await Deno.mkdir(folder);
    await layOutSource(folder, commit, scratch);
    const packages = await layOutPackages(folder, arch, scratch);
    const deno = runtime === undefined ? await fetchRuntime(arch, scratch) : resolve(s.cwd, runtime);
    await Deno.mkdir(join(folder, "bin"));
    await copyFile(deno, join(folder, "bin/deno"), 0o755);
    await Deno.writeTextFile(join(folder, "bin/postern"), LAUNCHER);
    await Deno.chmod(join(folder, "bin/postern"), 0o755);
    const files = count(folder);
    const json = { output: folder, version: VERSION, arch, runtime: RUNTIME_VERSION, packages, files };
    return {
      json,
      text: `Built Postern ${VERSION} for ${arch} in ${folder}: ${files} files, ${packages} packages`,
    };
  } catch (error) {
    throw fromOsError(error, `build in ${folder}`);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function layOutSource(folder: string, commit: string, scratch: string): Promise<void> {
  if (commit.startsWith("-")) throw new PosternError("usage", "--commit names a commit");
  const archive = join(scratch, "source.tar");
  await runTool("git", ["archive", "--format=tar", `--output=${archive}`, commit, "--", ...SOURCE], PROJECT_ROOT);
  await runTool("tar", ["-xf", archive, "--no-same-owner", "-C", folder], folder);
}

/** @returns how many packages are in the release, in one form or the other */
async function layOutPackages(folder: string, arch: Arch, scratch: string): Promise<number> {
  const config = JSON.parse(await Deno.readTextFile(join(folder, "deno.json"))) as { imports: Record<string, string> };
  const graphs = await Promise.all(ENTRIES.map((entry) => moduleGraph(entry)));
  const specifiers = [...new Set(graphs.flatMap(({ packages }) => packages))];
  const imports = neededImports(config.imports, specifiers);
  const lock = readLock(await Deno.readTextFile(join(folder, "deno.lock")));
  const packages = layOut(lock, Object.values(imports), arch);
  const workshop = await madeFolder(join(scratch, "packages"));
  await placePackages(packages, workshop, scratch);
  await writeConfig(workshop, { ...config, imports });
  const files = vendored({ packages: specifiers });
  const sources = [...new Set(graphs.flatMap((graph) => graph.files))].filter((path) => path.endsWith(".ts"));
  const texts = await Promise.all(sources.map((path) => Deno.readTextFile(join(PROJECT_ROOT, path))));
  const defaults = new Set(texts.flatMap(defaultsOf));
  await copyFolder(await bundleVendored(files, defaults, workshop), join(folder, "vendor"));
  await Deno.writeTextFile(join(folder, "vendor/LICENCES.txt"), await licencesOf(packages, workshop));
  // Packages lie there as npm lays them, and are looked up as Node does; nothing is fetched, whatever is asked for.
  const native = neededImports(config.imports, specifiers.filter((one) => NATIVE.includes(one)));
  for (const { path } of layOut(lock, Object.values(native), arch)) {
    await copyFolder(join(workshop, path), join(folder, path));
  }
  const bundled = [...files].map(([specifier, file]) => [specifier, `./vendor/${file}`]);
  await writeConfig(folder, { ...config, imports: { ...Object.fromEntries(bundled), ...native } });
  return packages.length;
}

async function placePackages(packages: readonly Placed[], to: string, scratch: string): Promise<void> {
  for (const [at, one] of packages.entries()) {
    const here = join(PROJECT_ROOT, "node_modules/.deno", one.folder, "node_modules", one.name);
    const fresh = join(scratch, `package-${at}`);
    const from = await exists(here) ? here : await fetchPackage(one, await madeFolder(fresh));
    await copyFolder(from, join(to, one.path));
  }
}

async function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  const released = { ...config, nodeModulesDir: "manual", lock: false, tasks: {} };
  await Deno.writeTextFile(join(folder, "deno.json"), `${JSON.stringify(released, null, 2)}\n`);
}

async function moduleGraph(entry: string) {
  const info = await runTool(Deno.execPath(), ["info", "--json", entry], PROJECT_ROOT);
  return readModuleGraph(info, PROJECT_ROOT);
}

async function fetchRuntime(arch: Arch, scratch: string): Promise<string> {
  const from = await fetchPackage(
    { ...RUNTIMES[arch], version: RUNTIME_VERSION },
    await madeFolder(join(scratch, "deno")),
  );
  return join(from, "deno");
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (name === "node_modules" || name === COMPILED && await exists(join(from, "binding.gyp"))) continue;
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else if (isFile && !LEFT_OUT.test(name)) await copyFile(join(from, name), join(to, name), 0o644);
  }
}

async function copyFile(from: string, to: string, mode: number): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
  await Deno.chmod(to, mode);
}

async function madeFolder(path: string): Promise<string> {
  await Deno.mkdir(path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function count(folder: string): number {
  const entries = [...Deno.readDirSync(folder)];
  return entries.reduce((sum, { name, isDirectory }) => sum + (isDirectory ? count(join(folder, name)) : 1), 0);
}

const ENV = Object.entries(MANAGER_ENV).map(([name, value]) => `${name}=${value}`).join(" ");

/** Starts what lies beside it, from wherever it is called, also through the link `current`. */
const LAUNCHER = `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
export DENO_NO_UPDATE_CHECK=1 ${ENV}
exec "$here/deno" run --allow-all --no-prompt --cached-only --no-code-cache --quiet ${MANAGER_V8_FLAGS} "$here/../manager/cli/main.ts" "$@"
`;
