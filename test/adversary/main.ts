/**
 * `deno task test:adversary`: a lying edge against the real manager and devices.
 *
 *   deno task test:adversary --steps 20000 --seed 7
 *   deno task test:adversary --only "a row is dropped"           one attack again and again
 *   deno task test:adversary --steps 1000000 --seed 7 --results FILE   keeps what was played, and goes on where it was
 *
 * The last line is one JSON object; the exit code is 1 when an attack was missed, an alarm was false, or an attack
 * ended in another error than the table names.
 */
import { parseArgs } from "node:util";
import { isPosternError } from "../../shared/errors.ts";
import { withScratchFolder } from "../../scripts/suite/scratch.ts";
import type { Game } from "./play.ts";
import { playAsTold, playInProcesses } from "./processes.ts";
import type { Run } from "./score.ts";

/** Between two lines of progress. */
const TELL_MILLIS = 10_000;

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && text.trim() !== "") return number;
  console.error(`--${name} wants a whole number, not ${text}`);
  Deno.exit(2);
}

function teller(game: Game): (run: Run) => void {
  let told = performance.now();
  return ({ score: { steps, attacks, caught, missed, falseAlarms } }) => {
    if (performance.now() - told < TELL_MILLIS) return;
    told = performance.now();
    const wrong = missed + falseAlarms === 0 ? "" : `; ${missed} MISSED, ${falseAlarms} FALSE ALARMS`;
    console.error(`${steps} of ${game.steps} steps, ${caught} of ${attacks} attacks caught${wrong}`);
  };
}

async function playAndTell(game: Game, results: string | undefined): Promise<boolean> {
  console.log(`seed ${game.seed}; play it again with --steps ${game.steps} --seed ${game.seed}`);
  const started = performance.now();
  const { score, byAttack, findings } = await withScratchFolder((scratch) =>
    playInProcesses(game, { scratch, results, onProgress: teller(game) })
  );
  for (const [name, caught] of Object.entries(byAttack)) console.log(`${String(caught).padStart(7)}  ${name}`);
  for (const finding of findings) console.log(`!! ${finding}`);
  console.log(`${Math.round((performance.now() - started) / 1_000)} s`);
  console.log(JSON.stringify({ ...score, seed: game.seed }));
  return score.missed + score.falseAlarms + score.unlisted === 0;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    steps: { type: "string", default: "10000" },
    seed: { type: "string", default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
    only: { type: "string" },
    results: { type: "string" },
    player: { type: "boolean", default: false },
  },
});
const game: Game = {
  steps: wholeNumber("steps", values.steps),
  seed: wholeNumber("seed", values.seed),
  only: values.only,
};

if (values.player) {
  await playAsTold(game);
} else {
  const isGood = await playAndTell(game, values.results).catch((error) => {
    console.error(isPosternError(error) ? error.message : error);
    Deno.exit(2);
  });
  Deno.exit(isGood ? 0 : 1);
}
