/** Which data folder a command works in. Pure. */
import { join, resolve } from "node:path";
import { PosternError } from "../../shared/errors.ts";

/** `--data`, or `POSTERN_DATA`, or `postern` in the folder that the XDG Base Directory Specification names. */
export function dataFolder(
  option: string | undefined,
  { env, cwd }: { readonly env: (name: string) => string | undefined; readonly cwd: string },
): string {
  const named = option ?? env("POSTERN_DATA");
  if (named !== undefined) return resolve(cwd, named);
  const data = env("XDG_DATA_HOME");
  // The specification has relative paths ignored.
  if (data?.startsWith("/")) return join(data, "postern");
  const home = env("HOME");
  if (home !== undefined) return join(home, ".local", "share", "postern");
  throw new PosternError("configuration", "There is no home folder: name the data folder with --data or POSTERN_DATA");
}
