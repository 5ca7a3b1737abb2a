/** Runs `deno test` over files and passes on what it prints, line by line, while it counts. */
import { type Counts, readCounts } from "./counts.ts";

/** How to run one batch of test files. */
export type Batch = {
  readonly root: string;
  readonly paths: readonly string[];
  /** One character a test, and only failures in full. */
  readonly isBrief: boolean;
  /** Whether types are checked first; not needed where something else has checked them. */
  readonly checksTypes: boolean;
  /** A batch that takes longer is ended, and counts as failed. */
  readonly timeoutMillis: number;
  /** A file to which tests append a line for each thing that they miss. */
  readonly skippedList: string;
  /** Where tests put their temporary files; the system's own place if absent. */
  readonly scratch?: string;
};

/** Runs a batch to its end and counts. */
export async function runBatch(batch: Batch): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "-A",
      // Files side by side, each in a thread of its own; a file's tests always run in order.
      "--parallel",
      ...(batch.isBrief ? ["--reporter=dot"] : []),
      ...(batch.checksTypes ? [] : ["--no-check"]),
      `--config=${batch.root}/deno.json`,
      ...batch.paths,
    ],
    cwd: batch.root,
    env: {
      ...(Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
      POSTERN_SKIPPED_LIST: batch.skippedList,
      ...(batch.scratch === undefined ? {} : { TMPDIR: batch.scratch }),
    },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => {
    console.error(`\ntests still run after ${batch.timeoutMillis / 60_000} minutes: ended`);
    child.kill("SIGKILL");
  }, batch.timeoutMillis);
  const output = await passOn(child.stdout);
  const { success } = await child.status;
  clearTimeout(timer);
  return readCounts(output, success);
}

/** Copies the stream to standard output and keeps its end, where the closing line is. */
async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const keepChars = 65_536;
  const decoder = new TextDecoder();
  let end = "";
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length;) at += await Deno.stdout.write(chunk.subarray(at));
    end = (end + decoder.decode(chunk, { stream: true })).slice(-keepChars);
  }
  return end;
}
