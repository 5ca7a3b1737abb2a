/** What is put where: options in, steps out. Pure, so that `--dry-run` shows the truth. */
import { dirname, join } from "node:path";
import { MANAGER_ENV, MANAGER_V8_FLAGS } from "../manager_flags.ts";
import type { InstallOptions } from "./options.ts";
import type { ModuleGraph } from "./module_graph.ts";

/** One step. Owners are set only on this machine itself. */
export type Step =
  | { readonly kind: "user"; readonly name: string; readonly home: string }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number; readonly owner: string | null }
  | { readonly kind: "copy"; readonly from: string; readonly path: string; readonly mode: number }
  | { readonly kind: "write"; readonly path: string; readonly content: string; readonly mode: number }
  | {
    readonly kind: "run";
    readonly args: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  };

/** What the plan is made from. */
export interface Sources {
  /** The runtime that is running now. */
  readonly runtime: string;
  readonly projectRoot: string;
  readonly graph: ModuleGraph;
  /** The project's deno.json, and the import map entries that the program needs. */
  readonly compilerOptions: unknown;
  readonly imports: Readonly<Record<string, string>>;
  /** Texts of the units by file name. */
  readonly units: Readonly<Record<string, string>>;
}

const UNIT_FOLDER = "/etc/systemd/system";
const ENTRY = "manager/cli/main.ts";
/** Where the units and scripts in the repository say that things are. */
const WRITTEN = { prefix: "/opt/postern", data: "/var/lib/postern", user: "postern" };

/** All steps, in order. */
export function planInstall(options: InstallOptions, sources: Sources): Step[] {
  const { prefix, data, user, root, isSelfUpdating } = options;
  const at = (path: string): string => root === null ? path : join(root, path);
  const app = `${prefix}/app`;
  const write = (path: string, mode: number, text: string) =>
    ({ kind: "write", path: at(path), content: placed(text, options), mode }) as const;
  const config = { nodeModulesDir: "auto", imports: sources.imports, compilerOptions: sources.compilerOptions };
  const folders = new Set(sources.graph.files.map((path) => dirname(`${app}/${path}`)));
  return [
    ...(root === null ? [{ kind: "user", name: user, home: data } as const] : []),
    ...[prefix, `${prefix}/bin`, app, `${prefix}/cache`, "/usr/local/bin", UNIT_FOLDER, ...folders].map((path) =>
      ({ kind: "folder", path: at(path), mode: 0o755, owner: null }) as const
    ),
    { kind: "folder", path: at(data), mode: 0o700, owner: user },
    { kind: "folder", path: at("/etc/postern"), mode: 0o700, owner: user },
    ...(isSelfUpdating ? [{ kind: "folder", path: at(`${prefix}/releases`), mode: 0o755, owner: user } as const] : []),
    { kind: "copy", from: sources.runtime, path: at(`${prefix}/bin/deno`), mode: 0o755 },
    ...sources.graph.files.map((path) =>
      ({ kind: "copy", from: join(sources.projectRoot, path), path: at(`${app}/${path}`), mode: 0o644 }) as const
    ),
    { kind: "copy", from: join(sources.projectRoot, "deno.lock"), path: at(`${app}/deno.lock`), mode: 0o644 },
    { kind: "write", path: at(`${app}/deno.json`), content: `${JSON.stringify(config, null, 2)}\n`, mode: 0o644 },
    {
      kind: "run",
      args: [at(`${prefix}/bin/deno`), "install", "--quiet", "--entrypoint", ENTRY],
      cwd: at(app),
      env: { DENO_DIR: at(`${prefix}/cache`), DENO_NO_UPDATE_CHECK: "1" },
    },
    ...Object.entries(sources.units).map(([name, text]) =>
      write(`${UNIT_FOLDER}/${name}`, 0o644, isSelfUpdating ? updatingUnit(text) : text)
    ),
    ...(isSelfUpdating
      ? [write(`${prefix}/bin/postern-service`, 0o755, serviceScript(sources.units["postern.service"] ?? ""))]
      : []),
    write("/usr/local/bin/postern", 0o755, wrapper(isSelfUpdating)),
  ];
}

const EXEC_START = /^ExecStart=(.*main\.ts) (\w+)$/m;

/** A unit that starts whichever version is to run, and lets it write to where versions are. */
function updatingUnit(unit: string): string {
  return unit.replace(
    EXEC_START,
    "ReadWritePaths=/opt/postern/releases\nExecStart=/opt/postern/bin/postern-service $2",
  );
}

/**
 * Starts the release that was switched to, and the installed program before the first. Switching makes links and runs a health check,
 * which the runtime permits with unscoped permissions alone; systemd goes on to say where it may write.
 */
function serviceScript(unit: string): string {
  const command = (EXEC_START.exec(unit)?.[1] ?? "").replace(/--allow-write=\S+/, "--allow-write")
    .replace(/--allow-run=\S+/, "--allow-run");
  return `#!/bin/sh\n${RELEASED}exec ${command} "$@"\n`;
}

/** The texts in the repository name the usual places; here they name the chosen ones. */
function placed(text: string, { prefix, data, user }: InstallOptions): string {
  return text.replaceAll(WRITTEN.prefix, prefix).replaceAll(WRITTEN.data, data)
    .replace(/^(User|Group)=postern$/gm, `$1=${user}`).replaceAll("as_user=postern", `as_user=${user}`)
    .replace(/^StateDirectory=postern$/m, stateDirectory(data));
}

/** systemd makes and guards folders below /var/lib by itself; any other is named as one that may be written to. */
function stateDirectory(data: string): string {
  const [, below] = /^\/var\/lib\/(.+)$/.exec(data) ?? [];
  return below === undefined ? `ReadWritePaths=${data}` : `StateDirectory=${below}`;
}

const RUN_ENV = Object.entries(MANAGER_ENV).map(([name, value]) => `${name}=${value}`).join(" ");
const RUN_FLAGS = `--allow-all --no-prompt --no-code-cache --quiet --cached-only ${MANAGER_V8_FLAGS}`;

/** Lets the release that was switched to take the place of the installed program. */
const RELEASED = `current=/opt/postern/releases/current/bin/postern
if [ -x "$current" ]; then exec "$current" "$@"; fi
`;

/** Runs the command line as the manager's user, whoever calls it, and from a folder that this user can enter. */
function wrapper(isSelfUpdating: boolean): string {
  return `#!/bin/sh
as_user=postern
if [ "$(id -un)" != "$as_user" ]; then
  if [ "$(id -u)" -eq 0 ]; then exec runuser -u "$as_user" -- "$0" "$@"; else exec sudo -u "$as_user" -- "$0" "$@"; fi
fi
export POSTERN_DATA="\${POSTERN_DATA:-/var/lib/postern}" DENO_DIR=/opt/postern/cache DENO_NO_UPDATE_CHECK=1
export ${RUN_ENV}
${isSelfUpdating ? RELEASED : ""}exec /opt/postern/bin/deno run ${RUN_FLAGS} /opt/postern/app/${ENTRY} "$@"
`;
}

/** A step in a line. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "user":
      return `user    ${step.name}, a system user without a shell, unless it is there`;
    case "folder":
      return `folder  ${step.path} (${step.mode.toString(8)}${step.owner === null ? "" : `, of ${step.owner}`})`;
    case "copy":
      return `copy    ${step.path}`;
    case "write":
      return `write   ${step.path}`;
    case "run":
      return `run     ${step.args.join(" ")}`;
  }
}
