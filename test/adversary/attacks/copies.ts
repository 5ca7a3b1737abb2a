/** Lies to a device whose local copy follows what changed: within an epoch, and by change lists from one epoch to another. */
import { compareBytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { decodeRow } from "../../../shared/protocol/row.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import type { Dice } from "../dice.ts";
import type { Answer, Asked, Twists } from "../liar.ts";
import type { Scene } from "../scene.ts";
import { type Attack, changed, changeSomething, flipped, twisting, without } from "./attack.ts";

/** Told to a device whose copy is of a generation before something came and something went. */
function onCopy(
  name: string,
  codes: readonly ErrorCode[],
  rotate: boolean,
  twists: (scene: Scene, dice: Dice) => Twists,
): Attack {
  const twisted = twisting(name, "copy", codes, twists);
  return {
    ...twisted,
    async begin(scene, player, dice) {
      const change = await changeSomething(scene, dice);
      const copied = await player.client.copy?.sync();
      player.newest = copied?.asOf.generation ?? player.newest;
      await change();
      await scene.sync({ rotate });
      return await twisted.begin(scene, player, dice);
    },
  };
}

/** Told to a device that asks what came since a generation of the same epoch. */
function onCopied(
  name: string,
  codes: readonly ErrorCode[],
  lie: (answer: Answer<"changes">, dice: Dice, scene: Scene, asked: Asked<"changes">) => Answer<"changes">,
): Attack {
  return onCopy(name, codes, false, (scene, dice) => ({
    changes: (answer, asked) => asked[0].manager ? answer : lie(answer, dice, scene, asked),
  }));
}

/** Told to a device that follows the change lists into a new epoch. */
function onCarried(
  name: string,
  lie: (answer: Answer<"proven">, dice: Dice, scene: Scene, asked: Asked<"proven">) => Answer<"proven">,
  isAbout: (table: number) => boolean = (table) => table === TABLES.changes,
): Attack {
  return onCopy(name, ["withheld", "tampered"], true, (scene, dice) => ({
    proven: (answer, asked) =>
      asked[0].manager || !isAbout(asked[1].table) || answer.rows.length === 0
        ? answer
        : lie(answer, dice, scene, asked),
  }));
}

export const COPY_ATTACKS: readonly Attack[] = [
  onCopied(
    "a change is kept from a copy",
    ["withheld", "tampered"],
    (answer, dice) => answer.rows.length === 0 ? answer : { ...answer, rows: without(answer.rows, dice) },
  ),
  onCopied(
    "a removal is kept from a copy",
    ["withheld", "tampered"],
    (answer, dice) => answer.removed.length === 0 ? answer : { ...answer, removed: without(answer.removed, dice) },
  ),
  onCopied(
    "all changes are kept from a copy",
    ["withheld", "tampered"],
    (answer) =>
      answer.rows.length + answer.removed.length === 0 ? answer : { ...answer, rows: [], removed: [], next: null },
  ),
  onCopied(
    "a copy is to remove what is still there",
    ["tampered", "withheld"],
    (answer, dice, scene, [, { table, epoch }]) => {
      const rows = scene.liar.past("table").filter(({ asked: [, past] }) =>
        past.table === table && past.epoch === epoch
      )
        .flatMap(({ answer }) => answer.rows);
      const row = dice.of(rows);
      if (row === undefined) return answer;
      const { token, number } = decodeRow(row);
      const removed = [...answer.removed, [token, number] as const];
      return { ...answer, removed: removed.sort(([one, a], [other, b]) => compareBytes(one, other) || a - b) };
    },
  ),
  onCopied(
    "a bit of a change is changed for a copy",
    ["tampered"],
    (answer, dice) =>
      answer.rows.length === 0 ? answer : { ...answer, rows: changed(answer.rows, dice, (row) => flipped(row, dice)) },
  ),
  onCarried(
    "a change list is kept from a copy",
    (answer, dice) => ({ ...answer, rows: without(answer.rows, dice) }),
  ),
  onCarried(
    "a row that a change list names is kept from a copy",
    (answer, dice) => ({ ...answer, rows: without(answer.rows, dice) }),
    (table) => table !== TABLES.changes,
  ),
  onCarried(
    "a copy is told that there are no more change lists",
    (answer) => ({ ...answer, rows: [], more: false }),
  ),
  onCarried(
    "a bit of a change list is changed",
    (answer, dice) => ({ ...answer, rows: changed(answer.rows, dice, (row) => flipped(row, dice)) }),
  ),
  onCarried(
    "change lists of before are shown to a copy",
    (answer, dice, scene, [{ owner }]) => {
      const other = dice.of(
        scene.liar.past("proven").filter(({ asked: [principal, { table }], answer: { rows } }) =>
          table === TABLES.changes && rows.length > 0 && equalBytes(principal.owner, owner)
        ),
      );
      return other === undefined ? answer : { ...answer, rows: other.answer.rows, proof: other.answer.proof };
    },
  ),
];
