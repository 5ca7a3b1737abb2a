/** A long game that is interrupted goes on where it was. */
import { join } from "node:path";
import { assertEquals } from "../assert.ts";
import { notePlayed, readPlayed } from "./played.ts";
import { addUp, emptyScore, type Run } from "./score.ts";

const game = { steps: 1_000, seed: 7 };

function runOf(steps: number): Run {
  return { score: { ...emptyScore(), steps }, byAttack: { "a row is dropped": 1 }, findings: [`${steps} steps`] };
}

Deno.test("What came of an episode is read again, also after a line that was cut off", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "results");
    assertEquals((await readPlayed(file, game)).size, 0);
    await notePlayed(file, game, 0, runOf(250));
    await notePlayed(file, game, 1, runOf(250));
    const whole = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, whole.slice(0, -5));
    assertEquals([...(await readPlayed(file, game)).keys()], [0]);
    await notePlayed(file, game, 2, runOf(100));
    const played = await readPlayed(file, game);
    assertEquals([...played.keys()], [0, 2]);
    assertEquals(addUp(played.values()), {
      score: { ...emptyScore(), steps: 350 },
      byAttack: { "a row is dropped": 2 },
      findings: ["250 steps", "100 steps"],
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("What came of another game is not taken for this one's", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "results");
    for (const other of [{ ...game, seed: 8 }, { ...game, steps: 999 }, { ...game, only: "a row is dropped" }]) {
      await notePlayed(file, other, 0, runOf(250));
    }
    // There is no such episode.
    await notePlayed(file, game, 4, runOf(250));
    assertEquals((await readPlayed(file, game)).size, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
