/** Plays a game in several processes at once: episodes know nothing of each other. */
import * as v from "valibot";
import { type Game, play, type Run, type Score } from "./play.ts";

const runShape = v.strictObject({
  score: v.strictObject({
    ...{ steps: v.number(), attacks: v.number(), caught: v.number(), unlisted: v.number() },
    ...{ missed: v.number(), falseAlarms: v.number() },
  }),
  byAttack: v.record(v.string(), v.number()),
  findings: v.array(v.string()),
});

/** The argument by which a process knows its share, as in `--share 0/2`. */
export const SHARE = "--share";

/**
 * Plays in a process for each processor and adds up what came of it.
 *
 * @param scratch where databases lie meanwhile; the usual place for temporary files if absent
 */
export async function playInProcesses(game: Game, scratch?: string): Promise<Run> {
  const processes = navigator.hardwareConcurrency;
  const shares = Array.from({ length: processes }, (_, index) => `${index}/${processes}`);
  const runs = await Promise.all(shares.map((share) => playShare(game, share, scratch)));
  const score: Score = { steps: 0, attacks: 0, caught: 0, unlisted: 0, missed: 0, falseAlarms: 0 };
  const byAttack: Record<string, number> = {};
  for (const run of runs) {
    for (const name of ["steps", "attacks", "caught", "unlisted", "missed", "falseAlarms"] as const) {
      score[name] += run.score[name];
    }
    for (const [name, caught] of Object.entries(run.byAttack)) byAttack[name] = (byAttack[name] ?? 0) + caught;
  }
  return { score, byAttack, findings: runs.flatMap(({ findings }) => findings) };
}

async function playShare({ steps, seed, only }: Game, share: string, scratch?: string): Promise<Run> {
  const main = new URL("main.ts", import.meta.url).pathname;
  const chosen = ["--steps", String(steps), "--seed", String(seed), ...only === undefined ? [] : ["--only", only]];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...chosen, SHARE, share],
    ...(scratch === undefined ? {} : { env: { TMPDIR: scratch } }),
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`The process that played share ${share} ended with ${code}`);
  return v.parse(runShape, JSON.parse(new TextDecoder().decode(stdout)));
}

/** What such a process does: plays its share and prints what came of it. @param share as in `0/2` */
export async function playAsShare(game: Game, share: string): Promise<void> {
  const [index = 0, of = 1] = share.split("/").map(Number);
  const started = performance.now();
  let told = started;
  const run = await play({ ...game, share: { index, of } }, ({ steps, attacks, caught }) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    console.error(`share ${share}: ${steps} steps, ${caught} of ${attacks} attacks caught`);
  });
  console.log(JSON.stringify(run));
}
