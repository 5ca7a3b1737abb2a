/** A package from npm, by its integrity: what comes is what the lock file names, whoever sent it. */
import { join } from "node:path";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { digest } from "../../../shared/crypto/digest.ts";
import { PosternError } from "../../../shared/errors.ts";
import { runTool } from "./run_tool.ts";

/** Names a package. */
export interface PackageName {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * Fetches a package by `npm pack` and unpacks it.
 *
 * @param scratch an empty folder
 * @returns the folder of its files
 * @throws `tampered` for another content than the integrity says; `storage` if npm fails
 */
export async function fetchPackage({ name, version, integrity }: PackageName, scratch: string): Promise<string> {
  await runTool("npm", ["pack", "--silent", "--pack-destination", scratch, `${name}@${version}`], scratch);
  const [archive] = [...Deno.readDirSync(scratch)].filter((entry) => entry.name.endsWith(".tgz"));
  if (archive === undefined) throw new PosternError("storage", `npm pack made nothing of ${name}@${version}`);
  const path = join(scratch, archive.name);
  const found = `sha512-${toBase64(await digest("SHA-512", await Deno.readFile(path)))}`;
  if (found !== integrity) throw new PosternError("tampered", `${name}@${version} is not what the lock file names`);
  await runTool("tar", ["-xzf", path, "--no-same-owner", "-C", scratch], scratch);
  // Packages of npm have one folder inside, `package` for all but a few.
  const [inside] = [...Deno.readDirSync(scratch)].filter(({ isDirectory }) => isDirectory);
  if (inside === undefined) throw new PosternError("malformed", `${name}@${version} has no folder inside`);
  return join(scratch, inside.name);
}
