/** Runs one bench and writes its results down. */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { peerObstacle, PhpPeer } from "../peers/php.ts";
import type { Bench, BenchContext, PeerAbsent } from "./bench.ts";
import { machineFacts } from "./machine.ts";
import { type Circumstances, toMarkdown } from "./markdown.ts";
import { type BenchReport, isMet } from "./report.ts";

/** How a run was asked for. */
export interface RunOptions {
  /** Null: as the bench has it. */
  readonly rounds: number | null;
  readonly seconds: number | null;
  readonly large: boolean;
  readonly log: (line: string) => void;
}

/** What came out, and how. */
export interface BenchResult {
  readonly about: Circumstances;
  readonly report: BenchReport;
}

/** The peer of a run: started for the first bench that asks, stopped by `stop`. */
export class SharedPeer {
  #started: Promise<PhpPeer | PeerAbsent> | undefined;

  get(log: (line: string) => void): Promise<PhpPeer | PeerAbsent> {
    return this.#started ??= this.#start(log);
  }

  async stop(): Promise<void> {
    const peer = await this.#started?.catch(() => undefined);
    if (peer instanceof PhpPeer) await peer.stop();
  }

  async #start(log: (line: string) => void): Promise<PhpPeer | PeerAbsent> {
    const absent = await peerObstacle();
    if (absent !== null) {
      log(`THE PHP PEER IS NOT MEASURED: ${absent}`);
      return { absent };
    }
    log("starting the PHP peer");
    return await PhpPeer.start();
  }
}

/** Runs a bench in its own scope: whatever it started is gone afterwards. */
export async function runBench(bench: Bench, options: RunOptions, peer: SharedPeer): Promise<BenchResult> {
  const { log, large } = options;
  const rounds = options.rounds ?? bench.defaults.rounds;
  const seconds = options.seconds ?? bench.defaults.seconds;
  const about: Circumstances = {
    ...{ bench: bench.name, summary: bench.summary, date: new Date().toISOString() },
    ...{ command: `deno task bench ${bench.name} --rounds ${rounds} --seconds ${seconds}${large ? " --large" : ""}` },
    machine: await machineFacts(),
  };
  await using scope = new AsyncDisposableStack();
  const context: BenchContext = {
    ...{ rounds, seconds, large, log: (line) => log(`${bench.name}: ${line}`) },
    peer: () => peer.get(log),
    async folder() {
      const folder = await Deno.makeTempDir({ prefix: "postern-bench-" });
      scope.defer(() => Deno.remove(folder, { recursive: true }));
      return folder;
    },
    atEnd: (clean) => scope.defer(clean),
  };
  return { about, report: await bench.run(context) };
}

/** Writes `bench/results/NAME.md` and `.json`. */
export async function writeResult({ about, report }: BenchResult): Promise<void> {
  const folder = `${PROJECT_ROOT}/bench/results`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${about.bench}.md`, toMarkdown(report, about));
  await Deno.writeTextFile(`${folder}/${about.bench}.json`, `${JSON.stringify(toJson({ about, report }), null, 2)}\n`);
}

/** The same for programs. */
export function toJson({ about, report }: BenchResult): object {
  const targets = report.targets.map((target) => ({ ...target, met: isMet(target) }));
  return { ...about, machine: Object.fromEntries(about.machine), ...report, targets };
}
