/** What came of each episode, in a file to which a line is added at once: a long game that is interrupted goes on where it was. */
import * as v from "valibot";
import { episodeCount, type Game } from "./play.ts";
import { type Run, runShape } from "./score.ts";

const lineShape = v.strictObject({
  /** All that an episode follows from, but for the code. */
  game: v.strictObject({ seed: v.number(), steps: v.number(), only: v.nullable(v.string()) }),
  episode: v.number(),
  run: runShape,
});

/** Episodes of this game that were played to their end. @param file none yet if it is not there */
export async function readPlayed(file: string, game: Game): Promise<Map<number, Run>> {
  const played = new Map<number, Run>();
  for (const line of (await textOf(file)).split("\n")) {
    const read = v.safeParse(v.pipe(v.string(), v.parseJson(), lineShape), line);
    // The last line may have been cut off; its episode is played again.
    if (!read.success) continue;
    const { episode, run } = read.output;
    if (JSON.stringify(read.output.game) === keyOf(game) && episode < episodeCount(game)) played.set(episode, run);
  }
  return played;
}

/** Begins a line of its own, whatever was written before. */
export async function notePlayed(file: string, game: Game, episode: number, run: Run): Promise<void> {
  await Deno.writeTextFile(file, `\n{"game":${keyOf(game)},"episode":${episode},"run":${JSON.stringify(run)}}`, {
    append: true,
  });
}

function keyOf({ seed, steps, only }: Game): string {
  return JSON.stringify({ seed, steps, only: only ?? null });
}

async function textOf(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
