/**
 * Runs the commands of {@link WRITINGS} that write files while no file of this process may grow beyond some byte.
 * Prints how often each command met the limit.
 */
import { limitFiles } from "../../tools/file_limit.ts";
import { readTree, writeTree } from "./tree.ts";
import { furnish, requireDone, requireRecovered, WRITINGS } from "./writings.ts";
import { Workshop } from "./workshop.ts";

/** Sizes to try for a command, beside those around the sizes of its files. */
const STEPS = 4;
const ADVICE = /ulimit -f|free some space/;

/** Sizes between nothing and the largest file, and those where one of the files is just complete, or not. */
function sizesToTry(sizes: readonly number[]): number[] {
  const largest = Math.max(...sizes);
  const even = Array.from({ length: STEPS }, (_, at) => Math.floor((at * largest) / STEPS));
  return [...new Set([...even, 1, ...sizes.flatMap((size) => [size - 1, size])])].filter((size) => size >= 0);
}

await using workshop = await Workshop.make();
await furnish(workshop);
const before = readTree(workshop.path);
workshop.now += 2_000;
const met: Record<string, number> = {};
// A database meets a limit as it meets a full disk, which is tried at each of its pages.
for (const writing of WRITINGS.filter(({ line }) => !line.startsWith("instance"))) {
  writeTree(workshop.path, before);
  await workshop.ok(writing.line);
  const made = [...readTree(workshop.path)].filter(([path]) => writing.writes.test(path));
  let failed = 0;
  for (const size of sizesToTry(made.flatMap(([, entry]) => entry === null ? [] : [entry.bytes.length]))) {
    writeTree(workshop.path, before);
    limitFiles(size);
    const ran = await workshop.run(writing.line);
    limitFiles(null);
    try {
      if (ran.exit === 0) {
        await requireDone(workshop, writing);
        continue;
      }
      await requireRecovered(workshop, writing, before, ran, ADVICE);
      failed++;
    } catch (cause) {
      throw new Error(`${writing.line}, files of ${size} bytes: ${ran.out}${ran.err}`, { cause });
    }
  }
  met[writing.line] = failed;
}
console.log(JSON.stringify(met));
Deno.exit(0);
