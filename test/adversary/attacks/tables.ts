/** Lies about whole tables, towards devices and towards the manager that reads back. */
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Dice } from "../dice.ts";
import type { Answer, Asked } from "../liar.ts";
import { type Attack, changed, flipped, swapped, twisting, without } from "./attack.ts";

type Lie<A> = (answer: A, dice: Dice) => A;

/** The same lie told to devices that fetch tables, and to the manager that reads back what it pushed. */
function onTable(name: string, codes: readonly ErrorCode[], lie: Lie<Answer<"table">>): Attack[] {
  const told = (isManager: boolean) => (dice: Dice) => ({
    table: (answer: Answer<"table">, [principal]: Asked<"table">) =>
      principal.manager === isManager ? lie(answer, dice) : answer,
  });
  return [
    twisting(name, "table", codes, (_scene, dice) => told(false)(dice)),
    twisting(`${name}, to the manager`, "turn", codes, (_scene, dice) => told(true)(dice)),
  ];
}

/** Told to the manager that reads back a delta. */
function onChanges(name: string, codes: readonly ErrorCode[], lie: Lie<Answer<"changes">>): Attack {
  return twisting(name, "turn", codes, (_scene, dice) => ({ changes: (answer) => lie(answer, dice) }));
}

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
