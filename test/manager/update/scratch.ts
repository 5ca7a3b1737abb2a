/** A private folder and files to lay there, for tests of what updates do to a disk. */
import { join } from "node:path";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Content } from "../../../manager/update/hashed_file.ts";

/** Runs with a folder that is gone afterwards. @param dir where it is made */
export async function withFolder(run: (folder: string) => Promise<void>, dir?: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-update-", ...(dir === undefined ? {} : { dir }) });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a manifest would say of a text. */
export function contentOf(text: string): Content {
  const bytes = utf8(text);
  return { size: bytes.length, sha256: toHex(sha256(bytes)) };
}

/** Names in a folder, in order. */
export function namesIn(...path: string[]): string[] {
  return [...Deno.readDirSync(join(...path))].map(({ name }) => name).sort();
}
