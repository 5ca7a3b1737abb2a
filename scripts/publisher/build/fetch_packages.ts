/** Packages from npm, by their integrity: what comes is what the lock file names, whoever sent it. */
import { join } from "node:path";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { digest } from "../../../shared/crypto/digest.ts";
import { PosternError } from "../../../shared/errors.ts";
import { runTool } from "./run_tool.ts";

/** Names a package. */
export interface PackageName {
  readonly name: string;
  readonly version: string;
  /** As npm and lock files write it: `sha512-…`. */
  readonly integrity: string;
}

/**
 * Fetches packages by `npm pack`, all in one call, and unpacks them. Nothing of them is run.
 *
 * @param scratch an empty folder
 * @returns the folder of each one's files, by its integrity
 * @throws `tampered` for another content than the integrity says; `storage` if npm fails
 */
export async function fetchPackages(
  packages: readonly PackageName[],
  scratch: string,
): Promise<ReadonlyMap<string, string>> {
  const archives = join(scratch, "archives");
  await Deno.mkdir(archives);
  const wanted = [...new Map(packages.map((one) => [one.integrity, one])).values()];
  const names = wanted.map(({ name, version }) => `${name}@${version}`);
  await runTool("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", archives, ...names], scratch);
  // Whatever npm calls its files: each is what its bytes are.
  const found = new Map<string, string>();
  for (const { name } of Deno.readDirSync(archives)) {
    const path = join(archives, name);
    found.set(`sha512-${toBase64(await digest("SHA-512", await Deno.readFile(path)))}`, path);
  }
  const folders = new Map<string, string>();
  for (const [at, { integrity }] of wanted.entries()) {
    const archive = found.get(integrity);
    if (archive === undefined) throw new PosternError("tampered", `${names[at]} is not what the lock file names`);
    folders.set(integrity, await unpack(archive, join(scratch, `package-${at}`), `${names[at]}`));
  }
  return folders;
}

async function unpack(archive: string, folder: string, name: string): Promise<string> {
  await Deno.mkdir(folder);
  await runTool("tar", ["-xzf", archive, "--no-same-owner", "-C", folder], folder);
  // Packages of npm have one folder inside, `package` for all but a few.
  const [inside] = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
  if (inside === undefined) throw new PosternError("malformed", `${name} has no folder inside`);
  return join(folder, inside.name);
}
