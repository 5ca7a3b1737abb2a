/** The lying edge, for as long as the suite has time; `deno task test:adversary` plays on. */
import { assert, assertEquals } from "../assert.ts";
import { ATTACKS } from "./attacks/all.ts";
import { playInProcesses } from "./processes.ts";

const STEPS = 10_000;
/** How many attacks may end in another typed error than the table names. */
const UNLISTED = 4;

Deno.test("No attack on devices or manager goes unnoticed in 10,000 steps, and no honest step raises an alarm", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  console.log(`seed ${seed}: deno task test:adversary --steps ${STEPS} --seed ${seed}`);
  const { score, byAttack, findings } = await playInProcesses({ steps: STEPS, seed });
  console.log(JSON.stringify(score));
  for (const finding of findings) console.log(finding);
  assertEquals([score.missed, score.falseAlarms], [0, 0]);
  // Bits are flipped at random, and now and then one is refused for a reason that nobody has listed; it is refused all the same.
  assert(score.unlisted <= UNLISTED);
  // Some come to nothing more often than not, so that a few that never came to anything are bad luck; more are a fault of theirs.
  const unplayed = ATTACKS.filter(({ name }) => byAttack[name] === 0).map(({ name }) => name);
  assert(unplayed.length <= 3, unplayed.join());
});
