/** Plays a game in several processes at once, each of which asks for one episode after the other. */
import * as v from "valibot";
import { TextLineStream } from "../tools/lines.ts";
import { attacksOf, episodeCount, type Game, playEpisode } from "./play.ts";
import { notePlayed, readPlayed } from "./played.ts";
import { addUp, type Run, runShape } from "./score.ts";

/** The argument by which a process knows that it is to play what it is told. */
const PLAYER = "--player";

export interface PlayOptions {
  /** Where databases lie meanwhile; the usual place for temporary files if absent. */
  readonly scratch?: string;
  /** Keeps what came of each episode, and what it tells of this game is not played again; nothing is kept if absent. */
  readonly results?: string | undefined;
  /** Called after each episode with what came of all so far. */
  readonly onProgress?: (run: Run) => void;
}

/**
 * Plays in some processes and adds up what came of it.
 *
 * @throws `usage` for an attack that there is not; when a process ends before its time
 */
export async function playInProcesses(game: Game, options: PlayOptions = {}): Promise<Run> {
  const { scratch, results, onProgress = () => {} } = options;
  attacksOf(game);
  const played = results === undefined ? new Map<number, Run>() : await readPlayed(results, game);
  const waiting = Array.from({ length: episodeCount(game) }, (_, episode) => episode)
    .filter((episode) => !played.has(episode));
  // One more than there are processors: each rests now and then, as where an edge pauses while it sweeps.
  await Promise.all(Array.from({ length: Math.min(navigator.hardwareConcurrency + 1, waiting.length) }, async () => {
    await using player = new Player(game, scratch);
    for (let episode = waiting.shift(); episode !== undefined; episode = waiting.shift()) {
      const run = await player.play(episode);
      if (results !== undefined) await notePlayed(results, game, episode, run);
      played.set(episode, run);
      onProgress(addUp(played.values()));
    }
  }));
  return addUp([...played].sort(([a], [b]) => a - b).map(([, run]) => run));
}

/** A process that plays. */
class Player implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #asked: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #told: ReadableStreamDefaultReader<string>;

  constructor({ steps, seed, only }: Game, scratch?: string) {
    const main = new URL("main.ts", import.meta.url).pathname;
    const chosen = ["--steps", String(steps), "--seed", String(seed), ...only === undefined ? [] : ["--only", only]];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", main, ...chosen, PLAYER],
      ...(scratch === undefined ? {} : { env: { TMPDIR: scratch } }),
      ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
    }).spawn();
    this.#asked = this.#process.stdin.getWriter();
    this.#told = linesOf(this.#process.stdout).getReader();
  }

  /** @throws when the process ends instead */
  async play(episode: number): Promise<Run> {
    await this.#asked.write(new TextEncoder().encode(`${episode}\n`));
    const { value } = await this.#told.read();
    if (value !== undefined) return v.parse(v.pipe(v.string(), v.parseJson(), runShape), value);
    const { code } = await this.#process.status;
    throw new Error(`The process that played episode ${episode} ended with ${code}`);
  }

  /** What it is asked ends, and so it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asked.close().catch(() => {});
    await this.#told.cancel();
    await this.#process.status;
  }
}

/** What such a process does: plays the episodes that it reads the numbers of, and prints what came of each. */
export async function playAsTold(game: Game): Promise<void> {
  for await (const line of linesOf(Deno.stdin.readable)) {
    console.log(JSON.stringify(await playEpisode(game, Number(line))));
  }
}

function linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}
