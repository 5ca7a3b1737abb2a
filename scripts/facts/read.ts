/** Runs Deno's parser over files and hands back the facts that `plugin.ts` reports of them. */
import { fromFileUrl, relativePath } from "../files.ts";
import type { Fact } from "./plugin.ts";

/** A fact and where it stands; `path` is relative to the root, with forward slashes. */
export type Located = Fact & { readonly path: string; readonly line: number };

/** What `deno lint --json` prints, as far as it is used here. */
type LintOutput = {
  readonly diagnostics: readonly {
    readonly filename: string;
    readonly range: { readonly start: { readonly line: number } };
    readonly message: string;
    readonly code: string;
  }[];
  readonly errors: readonly { readonly file_path: string; readonly message: string }[];
};

/**
 * Reads the facts of the given files, which are paths below `root`.
 * @throws Error when a file cannot be parsed: a file that nobody can read cannot be said to keep any rule.
 */
export async function readFacts(root: string, paths: readonly string[]): Promise<Located[]> {
  if (paths.length === 0) return [];
  const directory = await Deno.makeTempDir({ prefix: "postern-facts-" });
  try {
    const config = `${directory}/deno.json`;
    const plugin = new URL("./plugin.ts", import.meta.url).href;
    const lint = { plugins: [plugin], rules: { tags: [], include: ["postern/facts"] } };
    await Deno.writeTextFile(config, JSON.stringify({ lint }));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["lint", "--json", "--config", config, ...paths],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    return parse(root, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function parse(root: string, stdout: string, stderr: string): Located[] {
  if (stdout.trim() === "") throw new Error(`deno lint printed nothing: ${stderr}`);
  const output = JSON.parse(stdout) as LintOutput;
  const failed = output.errors[0];
  if (failed) throw new Error(`${relativePath(root, failed.file_path)}: ${failed.message}`);
  return output.diagnostics.filter((one) => one.code === "postern/facts").map((one) => ({
    ...JSON.parse(one.message) as Fact,
    path: relativePath(root, fromFileUrl(one.filename)),
    line: one.range.start.line,
  }));
}
