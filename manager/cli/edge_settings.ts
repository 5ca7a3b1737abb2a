/** The settings of an edge on this machine, from a file that `postern edge keygen` wrote. */
import { requirePrivateFile } from "../files/permissions.ts";
import { readBounded } from "../files/read_bounded.ts";
import { readEnvFile } from "./env_file.ts";
import { LIMITS } from "../../shared/limits.ts";

/** The settings in a file that only its owner can read. @throws `forbidden`, `malformed`, `not_found`, `too_large` */
export async function readSettingsFile(path: string, uid: number | null): Promise<Record<string, string>> {
  const bytes = await readBounded(path, LIMITS.maxEnvFileBytes, requirePrivateFile(path, uid));
  return readEnvFile(new TextDecoder().decode(bytes));
}
