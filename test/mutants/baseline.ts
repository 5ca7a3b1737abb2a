/** The tests as they are, without a mutant: how long each takes, and which switches it meets. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { listFiles } from "../../scripts/files.ts";
import type { NumberedMutant } from "./copy.ts";
import { TestProcess } from "./process.ts";

export interface MeasuredTest {
  /** "FILE: NAME". */
  readonly test: string;
  readonly file: string;
  readonly millis: number;
  readonly met: ReadonlySet<number>;
}

export interface Baseline {
  /** Those that pass. */
  readonly tests: readonly MeasuredTest[];
  /** Those that do not, in a process that they share: nothing can be learned of them. */
  readonly failing: readonly string[];
  /** Switches met while modules load; these mutants must be on from the beginning. */
  readonly metAtLoad: ReadonlySet<number>;
}

/** A test that takes longer is in trouble. */
const TEST_MILLIS = 60_000;

/** Runs all tests once, in as many processes as `workers`. */
export async function measure(
  folder: string,
  scratch: string,
  files: readonly string[],
  workers: number,
): Promise<Baseline> {
  const tests: MeasuredTest[] = [];
  const failing: string[] = [];
  const metAtLoad = new Set<number>();
  await Promise.all(Array.from({ length: workers }, async (_, worker) => {
    const mine = files.filter((_, index) => index % workers === worker);
    const process = new TestProcess(folder, scratch, 0, mine);
    try {
      for (const number of await process.loaded()) metAtLoad.add(number);
      for await (const report of process.give({ kind: "measure" }, () => TEST_MILLIS)) {
        if (report.kind !== "measured") continue;
        const { test, millis, met, isGood } = report;
        const file = mine.find((one) => test.startsWith(`${one}: `)) ?? "";
        if (isGood) tests.push({ test, file, millis, met: new Set(met) });
        else failing.push(test);
      }
    } finally {
      await process.end();
    }
  }));
  return { tests, failing, metAtLoad };
}

/** The baseline beside a file of results, measured anew unless it is of the very same copy and tests. */
export async function kept(
  folder: string,
  results: string,
  files: readonly string[],
  measured: () => Promise<Baseline>,
): Promise<Baseline> {
  const path = `${results}.baseline`;
  const hasher = createHash("sha256").update(JSON.stringify(files));
  for (const file of listFiles(folder, ["shared", "edge", "manager", "test"], /\.ts$/)) {
    // The switches are imported by the folder's name, which is another each time.
    hasher.update((await Deno.readTextFile(join(folder, file))).replaceAll(folder, ""));
  }
  const name = hasher.digest("hex");
  const text = await Deno.readTextFile(path).catch(() => "null");
  const old = JSON.parse(text, (_, value) => Array.isArray(value?.numbers) ? new Set(value.numbers) : value) as
    | (Baseline & { readonly name: string })
    | null;
  if (old?.name === name) return old;
  const baseline = await measured();
  const asText = JSON.stringify(
    { name, ...baseline },
    (_, value) => value instanceof Set ? { numbers: [...value] } : value,
  );
  await Deno.writeTextFile(path, asText);
  return baseline;
}

/** Puts first what is likely to end a mutant soon: quick tests, those of the same name, and those that ended others of the same file or line. */
export class Order {
  readonly #kills = new Map<string, Map<string, number>>();

  died({ path, line }: NumberedMutant, by: string): void {
    for (const place of [path, `${path}:${line}`]) {
      const kills = this.#kills.get(place) ?? new Map<string, number>();
      kills.set(by, (kills.get(by) ?? 0) + 1);
      this.#kills.set(place, kills);
    }
  }

  sort(tests: readonly MeasuredTest[], { path, line }: NumberedMutant): MeasuredTest[] {
    const byFile = this.#kills.get(path);
    const byLine = this.#kills.get(`${path}:${line}`);
    const own = `test/${path.replace(/\.ts$/, ".test.ts")}`;
    const beside = own.slice(0, own.lastIndexOf("/") + 1);
    const worth = ({ test, file, millis }: MeasuredTest) => {
      const near = file === own ? 1 : file.startsWith(beside) ? 0.1 : 0.03;
      return (near + (byFile?.get(test) ?? 0) + 10 * (byLine?.get(test) ?? 0)) / (millis + 2);
    };
    return [...tests].sort((a, b) => worth(b) - worth(a));
  }
}
