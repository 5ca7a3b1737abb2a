/**
 * `deno task test:adversary`: a lying edge against the real manager and devices.
 *
 *   deno task test:adversary --steps 20000 --seed 7
 *   deno task test:adversary --only "a row is dropped"     one attack again and again
 *
 * The last line is one JSON object; the exit code is 1 when an attack was missed or an alarm was false.
 */
import { play } from "./play.ts";

function valueOf(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

function numberOf(name: string, otherwise: number): number {
  const text = valueOf(name);
  const number = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(number) || number < 0) {
    console.error(`${name} wants a whole number, not ${text}`);
    Deno.exit(2);
  }
  return number;
}

const steps = numberOf("--steps", 10_000);
const seed = numberOf("--seed", crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
const only = valueOf("--only");
console.log(`seed ${seed}; play it again with --steps ${steps} --seed ${seed}`);
const started = performance.now();
let told = started;
const { score, byAttack, findings } = await play({ steps, seed, ...(only === undefined ? {} : { only }) }, (so) => {
  if (performance.now() - told < 5_000) return;
  told = performance.now();
  console.error(`${so.steps} of ${steps} steps, ${so.caught} of ${so.attacks} attacks caught`);
});
for (const [name, caught] of byAttack) console.log(`${String(caught).padStart(7)}  ${name}`);
for (const finding of findings.slice(0, 50)) console.log(`!! ${finding}`);
console.log(`${Math.round((performance.now() - started) / 1_000)} s`);
console.log(JSON.stringify({ ...score, seed }));
Deno.exit(score.missed + score.falseAlarms === 0 ? 0 : 1);
