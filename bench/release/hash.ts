/**
 * Hashes one file in a process of its own: as an instance verifies it, or as the publisher describes it.
 *
 *   deno run -A bench/release/hash.ts verify FILE SHA256     prints a HashFigures
 *   deno run -A bench/release/hash.ts describe FILE
 */
import { readContent } from "../../manager/update/hashed_file.ts";
import { hashFile } from "../../scripts/publisher/hash_file.ts";
import { peakResidentMib } from "../harness/processes.ts";

/** What it took. */
export interface HashFigures {
  /** Lower-case hex: what was found, or what was verified. */
  readonly sha256: string;
  readonly seconds: number;
  /** From the start of the process. */
  readonly processSeconds: number;
  /** The most memory that the process ever had resident. */
  readonly peakMib: number;
}

async function hash(how: string, path: string, wanted: string): Promise<string> {
  const found = await Deno.lstat(path);
  if (how === "describe") return (await hashFile(path, found, () => {})).sha256;
  await readContent(path, { size: found.size, sha256: wanted });
  return wanted;
}

if (import.meta.main) {
  const [how = "", path = "", wanted = ""] = Deno.args;
  const began = performance.now();
  const sha256 = await hash(how, path, wanted);
  const ended = performance.now();
  const figures: HashFigures = {
    ...{ sha256, seconds: (ended - began) / 1_000, processSeconds: ended / 1_000 },
    peakMib: peakResidentMib("self"),
  };
  console.log(JSON.stringify(figures));
}
