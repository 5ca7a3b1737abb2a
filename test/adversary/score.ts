/** What came of a game, or of a part of one, and how parts are added up. Pure. */
import * as v from "valibot";

const scoreShape = v.strictObject({
  steps: v.number(),
  /** Attacks in which something untrue was said or done. */
  attacks: v.number(),
  caught: v.number(),
  /** Of the caught, those that ended in another typed error than the table of attacks names. */
  unlisted: v.number(),
  /** Divergences that nobody noticed. */
  missed: v.number(),
  /** Alarms where nobody lied. */
  falseAlarms: v.number(),
});

/** As a process tells it, and as it is kept. */
export const runShape = v.strictObject({
  score: scoreShape,
  /** How often each attack was caught, by its name. */
  byAttack: v.record(v.string(), v.number()),
  /** What was missed, unlisted, or a false alarm, with the step at which it was. */
  findings: v.array(v.string()),
});

export type Score = v.InferOutput<typeof scoreShape>;
export type Run = v.InferOutput<typeof runShape>;

export function emptyScore(): Score {
  return { steps: 0, attacks: 0, caught: 0, unlisted: 0, missed: 0, falseAlarms: 0 };
}

/** A whole of its parts. */
export function addUp(runs: Iterable<Run>): Run {
  const whole: Run = { score: emptyScore(), byAttack: {}, findings: [] };
  for (const { score, byAttack, findings } of runs) {
    for (const name of Object.keys(scoreShape.entries) as (keyof Score)[]) whole.score[name] += score[name];
    for (const [name, caught] of Object.entries(byAttack)) whole.byAttack[name] = (whole.byAttack[name] ?? 0) + caught;
    whole.findings.push(...findings);
  }
  return whole;
}
