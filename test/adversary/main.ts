/**
 * `deno task test:adversary`: a lying edge against the real manager and devices.
 *
 *   deno task test:adversary --steps 20000 --seed 7
 *   deno task test:adversary --only "a row is dropped"     one attack again and again
 *
 * The last line is one JSON object; the exit code is 1 when an attack was missed, an alarm was false, or an attack
 * ended in another error than the table names.
 */
import { parseArgs } from "node:util";
import { isPosternError } from "../../shared/errors.ts";
import { withScratchFolder } from "../../scripts/suite/scratch.ts";
import { playAsShare, playInProcesses } from "./processes.ts";

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && text.trim() !== "") return number;
  console.error(`--${name} wants a whole number, not ${text}`);
  Deno.exit(2);
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    steps: { type: "string", default: "10000" },
    seed: { type: "string", default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
    only: { type: "string" },
    share: { type: "string" },
  },
});
const game = {
  steps: wholeNumber("steps", values.steps),
  seed: wholeNumber("seed", values.seed),
  only: values.only,
};

if (values.share !== undefined) {
  await playAsShare(game, values.share);
} else {
  console.log(`seed ${game.seed}; play it again with --steps ${game.steps} --seed ${game.seed}`);
  const started = performance.now();
  const playing = withScratchFolder((folder) => playInProcesses(game, folder));
  const { score, byAttack, findings } = await playing.catch((error) => {
    console.error(isPosternError(error) ? error.message : error);
    Deno.exit(2);
  });
  for (const [name, caught] of Object.entries(byAttack)) console.log(`${String(caught).padStart(7)}  ${name}`);
  for (const finding of findings) console.log(`!! ${finding}`);
  console.log(`${Math.round((performance.now() - started) / 1_000)} s`);
  console.log(JSON.stringify({ ...score, seed: game.seed }));
  Deno.exit(score.missed + score.falseAlarms + score.unlisted === 0 ? 0 : 1);
}
