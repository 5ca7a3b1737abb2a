/** Installs the manager as a systemd service. See --help, and docs/owners/pi.md. */
import { basename } from "node:path";
import { isPosternError, PosternError } from "../shared/errors.ts";
import { PROJECT_ROOT } from "./files.ts";
import { neededImports, readModuleGraph } from "./service/module_graph.ts";
import { HELP, type InstallOptions, readOptions } from "./service/options.ts";
import { describeStep, planInstall, type Sources, type Step } from "./service/plan.ts";

const ENTRY = "manager/cli/main.ts";
const UNITS = ["postern.service", "postern-sync.service", "postern-sync.timer"];

async function gather(): Promise<Sources> {
  const runtime = await Deno.realPath(Deno.execPath());
  const info = await output(runtime, ["info", "--json", ENTRY]);
  const graph = readModuleGraph(info, PROJECT_ROOT);
  const config = JSON.parse(await Deno.readTextFile(`${PROJECT_ROOT}/deno.json`)) as {
    imports: Record<string, string>;
    compilerOptions: unknown;
  };
  const units = await Promise.all(UNITS.map(async (name) => {
    return [name, await Deno.readTextFile(`${PROJECT_ROOT}/manager/service/systemd/${name}`)] as const;
  }));
  return {
    ...{ runtime, projectRoot: PROJECT_ROOT, graph, compilerOptions: config.compilerOptions },
    imports: neededImports(config.imports, graph.packages),
    units: Object.fromEntries(units),
  };
}

async function apply(step: Step, isHere: boolean): Promise<void> {
  switch (step.kind) {
    case "user":
      return await ensureUser(step.name, step.home);
    case "folder":
      await Deno.mkdir(step.path, { recursive: true, mode: step.mode });
      if (step.owner !== null) {
        await Deno.chmod(step.path, step.mode);
        if (isHere) await output("chown", ["-R", `${step.owner}:`, step.path]);
      }
      return;
    case "copy":
      return await replace(step.path, step.mode, (path) => Deno.copyFile(step.from, path));
    case "write":
      return await replace(step.path, step.mode, (path) => Deno.writeTextFile(path, step.content));
    case "run": {
      const [command = "", ...args] = step.args;
      await output(command, args, step.cwd, step.env);
    }
  }
}

/** A service that runs keeps the file that it has open. */
async function replace(path: string, mode: number, make: (path: string) => Promise<void>): Promise<void> {
  const fresh = `${path}.new`;
  await make(fresh);
  await Deno.chmod(fresh, mode);
  await Deno.rename(fresh, path);
}

async function ensureUser(name: string, home: string): Promise<void> {
  const found = await new Deno.Command("id", { args: ["-u", name], stdout: "null", stderr: "null" }).output();
  if (found.success) return;
  await output("useradd", ["--system", "--user-group", "--home-dir", home, "--shell", "/usr/sbin/nologin", name]);
}

async function output(
  command: string,
  args: string[],
  cwd = PROJECT_ROOT,
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, env }).output();
  if (success) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trim();
  throw new PosternError("storage", `${basename(command)} ${args.join(" ")} failed: ${said}`);
}

/** sd_booted(3). */
async function runsSystemd(): Promise<boolean> {
  try {
    return (await Deno.lstat("/run/systemd/system")).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function install(options: InstallOptions): Promise<void> {
  if (options.root === null && !options.isDryRun && Deno.uid() !== 0) {
    throw new PosternError("forbidden", "Installing needs root: run it with sudo, or with --root DIR or --dry-run");
  }
  // The service's user reads what root writes here.
  Deno.umask(0o022);
  const steps = planInstall(options, await gather());
  for (const step of steps) {
    if (options.isDryRun) console.log(describeStep(step));
    else await apply(step, options.root === null);
  }
  if (options.isDryRun) return;
  if (options.root === null && await runsSystemd()) await output("systemctl", ["daemon-reload"]);
  console.log(`Installed ${steps.filter(({ kind }) => kind === "copy").length} files. Next:
  sudo postern init --edge-url URL --edge-key KEY --key-file /etc/postern/kek     unless ${options.data} has a manager
  sudo postern doctor
  sudo systemctl enable --now postern                 the service, or
  sudo systemctl enable --now postern-sync.timer      a turn every five minutes`);
}

if (import.meta.main) {
  try {
    const options = readOptions(Deno.args);
    if (options.isHelp) console.log(HELP);
    else await install(options);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    console.error(`install_service: ${error.message}`);
    Deno.exit(error.code === "usage" ? 2 : 1);
  }
}
