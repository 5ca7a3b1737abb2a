/** What the installation of the service is told. */
import { PosternError } from "../../shared/errors.ts";

export interface InstallOptions {
  /** Where the program goes. */
  readonly prefix: string;
  /** The manager's data folder. */
  readonly data: string;
  /** The system user that runs it. */
  readonly user: string;
  /** Whether the manager may switch to releases of itself: they lie in the prefix's `releases`, which its user may write. */
  readonly isSelfUpdating: boolean;
  /** Everything goes below this folder, for packages and tests; null for this machine itself. */
  readonly root: string | null;
  /** Only says what would be done. */
  readonly isDryRun: boolean;
  readonly isHelp: boolean;
}

export const HELP = `deno run -A scripts/install_service.ts [options]      (as root)

Puts the manager on this machine as a systemd service of a user of its own: the program with the runtime and the packages that it
needs, and nothing else; the units; and /usr/local/bin/postern, which runs the command line as that user. Nothing is started. Run it
again to bring the program up to date; the data folder is left alone.

  --prefix DIR   where the program goes (/opt/postern)
  --data DIR     the manager's data folder (/var/lib/postern)
  --user NAME    the system user that runs it, made if it is not there (postern)
  --self-update  let the manager switch to releases of itself, in PREFIX/releases (docs/updating.md); its user may write there
  --root DIR     put everything below DIR, make no user and tell systemd nothing
  --dry-run      only say what would be done
  --help         this text
`;

const VALUES = { "--prefix": "prefix", "--data": "data", "--user": "user", "--root": "root" } as const;
const FLAGS: readonly string[] = ["--dry-run", "--help", "--self-update"];
const DEFAULTS = { prefix: "/opt/postern", data: "/var/lib/postern", user: "postern" };

/** Reads the arguments. @throws `usage` */
export function readOptions(args: readonly string[]): InstallOptions {
  const given: { prefix?: string; data?: string; user?: string; root?: string } = {};
  const flags = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const [name = "", inline] = (args[at] ?? "").split("=", 2);
    if (FLAGS.includes(name)) {
      flags.add(name);
      continue;
    }
    if (!(name in VALUES)) {
      throw new PosternError("usage", `There is no option ${name}; see: deno run -A scripts/install_service.ts --help`);
    }
    const value = inline ?? args[++at];
    if (value === undefined || value === "") throw new PosternError("usage", `The option ${name} needs a value`);
    given[VALUES[name as keyof typeof VALUES]] = value;
  }
  const options = { ...DEFAULTS, ...given };
  return {
    prefix: requirePath("--prefix", options.prefix),
    data: requirePath("--data", options.data),
    user: requireUser(options.user),
    root: given.root === undefined ? null : requirePath("--root", given.root),
    isSelfUpdating: flags.has("--self-update"),
    isDryRun: flags.has("--dry-run"),
    isHelp: flags.has("--help"),
  };
}

/** What stands in units and scripts needs no quoting. */
function requirePath(name: string, path: string): string {
  if (/^(\/[\w.+-]+)+$/.test(path)) return path;
  throw new PosternError("usage", `${name} takes an absolute path of letters, digits and . _ + -; found '${path}'`);
}

function requireUser(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,30}$/.test(name) && name !== "root") return name;
  throw new PosternError("usage", `--user takes the name of a system user other than root; found '${name}'`);
}
