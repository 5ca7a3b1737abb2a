/** Lies about whole tables, towards devices and towards the manager that reads back. */
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Dice } from "../dice.ts";
import type { Answer, Asked, Past } from "../liar.ts";
import { CHANNELS } from "../scene.ts";
import { type Attack, changed, changeSomething, flipped, swapped, twisting, without } from "./attack.ts";

type Lie<A> = (answer: A, dice: Dice) => A;
/** What both whole tables and those of an open push are answered with. */
type Page = Pick<Answer<"table">, "rows" | "next">;
type PageLie = <P extends Page>(answer: P, dice: Dice) => P;

/** The same lie told to devices that fetch tables, and to the manager that reads back what it pushes. */
function onTable(name: string, codes: readonly ErrorCode[], lie: PageLie): Attack[] {
  return [
    twisting(name, "table", codes, (_scene, dice) => ({
      table: (answer, [principal]) => principal.manager ? answer : lie(answer, dice),
    })),
    twisting(`${name}, to the manager`, "turn", codes, (_scene, dice) => ({
      table: (answer, [principal]) => principal.manager ? lie(answer, dice) : answer,
      pushed: (answer) => lie(answer, dice),
    })),
  ];
}

/** Told to the manager that reads back a delta, in which something comes and something goes. */
function onChanges(name: string, codes: readonly ErrorCode[], lie: Lie<Answer<"changes">>): Attack {
  const twisted = twisting(name, "turn", codes, (_scene, dice) => ({
    changes: (answer, [principal]) => principal.manager ? lie(answer, dice) : answer,
  }));
  return {
    ...twisted,
    async begin(scene, player, dice) {
      await (await changeSomething(scene, dice))();
      return await twisted.begin(scene, player, dice);
    },
  };
}

/** A whole table that was true once, or elsewhere. */
function onWholeTable(
  name: string,
  codes: readonly ErrorCode[],
  isWanted: (past: Past<"table">, asked: Asked<"table">) => boolean,
): Attack {
  const twisted = twisting(name, "table", codes, (scene, dice) => ({
    table: (answer, asked) => {
      if (asked[0].manager || asked[1].after !== null) return answer;
      const other = dice.of(
        scene.liar.past("table").filter((past) =>
          past.asked[1].table === asked[1].table && past.asked[1].after === null && isWanted(past, asked) &&
          JSON.stringify(past.answer.rows) !== JSON.stringify(answer.rows)
        ),
      );
      return other === undefined ? answer : { ...answer, rows: other.answer.rows, next: other.answer.next };
    },
  }));
  return {
    ...twisted,
    async begin(scene, player, dice) {
      // There is a state before, which somebody has asked for.
      player.newest = (await player.client.verifyAll()).asOf.generation;
      await scene.manager.receive(dice.of(CHANNELS) ?? "mail", scene.mail("after the table"));
      await scene.sync();
      return await twisted.begin(scene, player, dice);
    },
  };
}

const isSameOwner = (past: Past<"table">, asked: Asked<"table">) => equalBytes(past.asked[0].owner, asked[0].owner);

export const TABLE_ATTACKS: readonly Attack[] = [
  ...onTable(
    "a row of a table is left out",
    ["withheld", "tampered"],
    (answer, dice) => answer.rows.length === 0 ? answer : { ...answer, rows: without(answer.rows, dice) },
  ),
  ...onTable(
    "a row of a table comes twice",
    ["tampered"],
    (answer, dice) =>
      answer.rows.length === 0
        ? answer
        : { ...answer, rows: [...answer.rows, ...answer.rows.slice(dice.below(answer.rows.length))] },
  ),
  ...onTable(
    "two rows of a table change places",
    ["tampered"],
    (answer, dice) => answer.rows.length < 2 ? answer : { ...answer, rows: swapped(answer.rows, dice) },
  ),
  ...onTable(
    "a bit of a table's row is changed",
    ["tampered"],
    (answer, dice) =>
      answer.rows.length === 0 ? answer : { ...answer, rows: changed(answer.rows, dice, (row) => flipped(row, dice)) },
  ),
  ...onTable(
    "a table is said to be empty",
    ["withheld"],
    (answer) => answer.rows.length === 0 ? answer : { ...answer, rows: [], next: null },
  ),
  ...onTable(
    "a table is said to go on",
    ["tampered", "withheld"],
    (answer) => answer.next !== null ? answer : { ...answer, next: new Uint8Array(40).fill(0xff) },
  ),
  onWholeTable(
    "a table is given as it was",
    ["tampered", "withheld"],
    (past, asked) => isSameOwner(past, asked) && past.asked[1].epoch === asked[1].epoch,
  ),
  onWholeTable(
    "a table is given as it was in another epoch",
    ["tampered", "withheld"],
    (past, asked) => isSameOwner(past, asked) && past.asked[1].epoch !== asked[1].epoch,
  ),
  onWholeTable(
    "another owner's table is given",
    ["tampered", "withheld"],
    (past, asked) => !isSameOwner(past, asked),
  ),
  onChanges(
    "a change is left out",
    ["withheld", "tampered"],
    (answer, dice) => answer.rows.length === 0 ? answer : { ...answer, rows: without(answer.rows, dice) },
  ),
  onChanges(
    "a removal is left out",
    ["withheld", "tampered"],
    (answer, dice) => answer.removed.length === 0 ? answer : { ...answer, removed: without(answer.removed, dice) },
  ),
  onChanges(
    "a bit of a change is changed",
    ["tampered", "withheld"],
    (answer, dice) =>
      answer.rows.length === 0 ? answer : { ...answer, rows: changed(answer.rows, dice, (row) => flipped(row, dice)) },
  ),
];
