/** Lies about single answers: rows of a list, and their proofs. */
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Dice } from "../dice.ts";
import type { Answer, Asked } from "../liar.ts";
import { CHANNELS, type Scene } from "../scene.ts";
import { type Attack, changed, flipped, swapped, twisting, without } from "./attack.ts";

type Rows = Answer<"proven">;
type Question = Asked<"proven">;

/** A lie told to devices in answer to a lookup. */
function onRows(
  name: string,
  codes: readonly ErrorCode[],
  lie: (answer: Rows, asked: Question, scene: Scene, dice: Dice) => Rows,
): Attack {
  return twisting(name, "lookup", codes, (scene, dice) => ({
    proven: (answer, asked) => asked[0].manager ? answer : lie(answer, asked, scene, dice),
  }));
}

const someOf = ({ rows }: Rows, least = 1) => rows.length >= least;
const isSameList = (one: Question, other: Question) =>
  one[1].table === other[1].table && equalBytes(one[1].token, other[1].token);

/** Answers that were given to the owner's devices before and are not this one. */
function others(scene: Scene, asked: Question, isWanted: (past: Question, answer: Rows) => boolean): readonly Rows[] {
  return scene.liar.past("proven")
    .filter((past) => equalBytes(past.asked[0].owner, asked[0].owner) && isWanted(past.asked, past.answer))
    .map(({ answer }) => answer);
}

/** Answers about the same list as it was in earlier generations, and is not any more. */
function othersThen(scene: Scene, asked: Question, now: Rows): readonly Rows[] {
  return others(
    scene,
    asked,
    (past, { generation, rows }) => isSameList(past, asked) && generation < now.generation && differ(rows, now.rows),
  );
}

/** The same, once there are answers of before about lists that are different now. */
function withPast(attack: Attack): Attack {
  return {
    ...attack,
    async begin(scene, player, dice) {
      for (const channel of CHANNELS) {
        player.newest = (await player.client.messages.list(channel, { limit: 2 })).asOf.generation;
        await scene.manager.receive(channel, scene.mail("after it was read"));
      }
      await scene.sync();
      return await attack.begin(scene, player, dice);
    },
  };
}

export const ROW_ATTACKS: readonly Attack[] = [
  onRows(
    "a row is dropped",
    ["withheld", "tampered"],
    (answer, _asked, _scene, dice) => someOf(answer) ? { ...answer, rows: without(answer.rows, dice) } : answer,
  ),
  onRows(
    "what is there is said not to be",
    ["withheld", "tampered"],
    (answer) => someOf(answer) ? { ...answer, rows: [], more: false } : answer,
  ),
  onRows(
    "the newest message is hidden",
    ["withheld", "tampered"],
    (answer) => someOf(answer) ? { ...answer, rows: answer.rows.slice(1) } : answer,
  ),
  onRows(
    "an answer is cut short",
    ["withheld", "tampered"],
    (answer) => someOf(answer, 2) ? { ...answer, rows: answer.rows.slice(0, -1), more: false } : answer,
  ),
  onRows(
    "an answer is cut short, and said to go on",
    ["withheld", "tampered"],
    (answer) => someOf(answer, 2) ? { ...answer, rows: answer.rows.slice(0, -1), more: true } : answer,
  ),
  onRows(
    "an end is said not to be one, or the reverse",
    ["withheld", "tampered"],
    (answer) => ({ ...answer, more: !answer.more }),
  ),
  onRows(
    "a row comes twice",
    ["tampered"],
    (answer, _asked, _scene, dice) =>
      someOf(answer)
        ? { ...answer, rows: [...answer.rows, ...answer.rows.slice(dice.below(answer.rows.length))] }
        : answer,
  ),
  onRows(
    "two rows change places",
    ["tampered"],
    (answer, _asked, _scene, dice) => someOf(answer, 2) ? { ...answer, rows: swapped(answer.rows, dice) } : answer,
  ),
  onRows(
    "a bit of a row is changed",
    ["tampered"],
    (answer, _asked, _scene, dice) =>
      someOf(answer) ? { ...answer, rows: changed(answer.rows, dice, (row) => flipped(row, dice)) } : answer,
  ),
  onRows("no proof is given", ["withheld"], (answer) => answer.proof === null ? answer : { ...answer, proof: null }),
  onRows("a bit of a proof is changed", ["tampered", "withheld"], (answer, _asked, _scene, dice) => {
    if (answer.proof === null || answer.proof.length === 0) return answer;
    const proof = changed(
      answer.proof,
      dice,
      (node) => node === null ? 7 : typeof node === "number" ? node ^ (1 << dice.below(9)) : flipped(node, dice),
    );
    return { ...answer, proof };
  }),
  onRows(
    "a node of a proof is dropped",
    ["tampered", "withheld"],
    (answer, _asked, _scene, dice) =>
      answer.proof === null || answer.proof.length === 0 ? answer : { ...answer, proof: without(answer.proof, dice) },
  ),
  onRows("two nodes of a proof change places", ["tampered", "withheld"], (answer, _asked, _scene, dice) => {
    if (answer.proof === null || answer.proof.length < 2) return answer;
    const proof = swapped(answer.proof, dice);
    return JSON.stringify(proof) === JSON.stringify(answer.proof) ? answer : { ...answer, proof };
  }),
  onRows("another list's answer is given", ["tampered", "withheld"], (answer, asked, scene, dice) => {
    const other = dice.of(others(scene, asked, (past) => past[1].table === asked[1].table && !isSameList(past, asked)));
    if (other === undefined || (other.rows.length === 0 && answer.rows.length === 0)) return answer;
    return { ...answer, rows: other.rows, proof: other.proof, more: other.more };
  }),
  onRows("another list's proof is given", ["tampered", "withheld"], (answer, asked, scene, dice) => {
    const other = dice.of(others(scene, asked, (past, { rows }) => !isSameList(past, asked) && rows.length > 0));
    return other === undefined || answer.rows.length === 0 ? answer : { ...answer, proof: other.proof };
  }),
  withPast(
    onRows("an earlier answer is given as one of now", ["tampered", "withheld"], (answer, asked, scene, dice) => {
      const other = dice.of(othersThen(scene, asked, answer));
      return other === undefined ? answer : { ...other, generation: answer.generation, epoch: answer.epoch };
    }),
  ),
  onRows("an earlier answer is given", ["rolled_back", "tampered", "withheld"], (answer, asked, scene, dice) => {
    const other = dice.of(
      others(scene, asked, (past, { generation }) => isSameList(past, asked) && generation < answer.generation),
    );
    return other ?? answer;
  }),
  withPast(
    onRows("earlier rows are given with the proof of now", ["tampered", "withheld"], (answer, asked, scene, dice) => {
      const other = dice.of(othersThen(scene, asked, answer));
      return other === undefined ? answer : { ...answer, rows: other.rows };
    }),
  ),
  onRows(
    "an answer is said to be of a later generation",
    ["tampered", "withheld", "rolled_back"],
    (answer) => ({ ...answer, generation: answer.generation + 1 }),
  ),
  onRows(
    "an answer is said to be of an earlier generation",
    ["rolled_back", "tampered", "withheld"],
    (answer) => ({ ...answer, generation: answer.generation - 1 }),
  ),
  onRows(
    "an answer is said to be of another epoch",
    ["tampered", "withheld", "rolled_back"],
    (answer, _a, _s, dice) => ({ ...answer, epoch: answer.epoch + (dice.once(2) ? 1 : -1) }),
  ),
  onRows("another owner's answer is given", ["tampered", "withheld", "rolled_back"], (answer, asked, scene, dice) => {
    const other = dice.of(
      scene.liar.past("proven").filter((past) =>
        !equalBytes(past.asked[0].owner, asked[0].owner) && someOf(past.answer)
      ),
    );
    return other === undefined ? answer : { ...other.answer, generation: answer.generation, epoch: answer.epoch };
  }),
  onRows(
    "an answer without end is begun",
    ["too_large", "malformed", "network", "tampered"],
    (answer) => ({ ...answer, rows: Array.from({ length: 3 }, () => new Uint8Array(700_000)) }),
  ),
];

function differ(one: Rows["rows"], other: Rows["rows"]): boolean {
  return one.length !== other.length || one.some((row, index) => !equalBytes(row, other[index] ?? row.subarray(0, 0)));
}
