/**
 * Hashes one file as `generate_manifest` does, in a process of its own.
 *
 *   deno run -A bench/release/hash.ts FILE     prints a HashFigures
 */
import { hashFile } from "../../scripts/publisher/hash_file.ts";
import { peakResidentMib } from "../harness/processes.ts";

/** What it took. */
export interface HashFigures {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly seconds: number;
  /** From the start of the process. */
  readonly processSeconds: number;
  /** The most memory that the process ever had resident. */
  readonly peakMib: number;
}

if (import.meta.main) {
  const [path = ""] = Deno.args;
  const began = performance.now();
  const { sha256 } = hashFile(path, await Deno.lstat(path), () => {});
  const ended = performance.now();
  const figures: HashFigures = {
    ...{ sha256, seconds: (ended - began) / 1_000, processSeconds: ended / 1_000 },
    peakMib: peakResidentMib("self"),
  };
  console.log(JSON.stringify(figures));
}
