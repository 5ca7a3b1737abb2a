/** Mutants that no test can tell from the code, and why. The run says so when one of them dies or is no more. */
import type { MutantName } from "./results.ts";

export interface Survivor extends MutantName {
  readonly reason: string;
}

/** One place in a file of the client, and what makes no difference there. */
function inCopies(file: string, text: string, reason: string, ...changes: string[]): Survivor[] {
  return changes.map((what) => ({ path: `shared/client/${file}.ts`, text, what, nth: 0, reason }));
}

const COPIES: readonly Survivor[] = [
  ...inCopies(
    "copied_contents",
    "if (place !== null) this.#tree.delete(contentLeaf(place.list, place.number, plaintext).key);",
    "a copy that is proven by its contents holds no cover rows, so none is ever removed from it",
    "the condition always holds",
  ),
  ...inCopies(
    "copied_contents",
    "if (batch.push(row) < BATCH) continue;",
    "how many rows are opened at once changes how long it takes, and nothing else",
    ...["the condition never holds", "the condition always holds", "< becomes <="],
  ),
  ...inCopies(
    "copy_carry",
    "tables.devices.requireState(view.head.head.tables.devices);",
    "rows of devices are the manager's by their MACs, and as many and the same by the content root; it keeps what COPY-04 asks for later",
    "the check is taken out",
  ),
  ...inCopies(
    "copy_lists",
    'if (name === undefined || !isCopied(name)) throw new PosternError("tampered", "A change list names another list");',
    "decodeChanges() knows no list of another table",
    ...["the condition never holds", "|| becomes &&"],
  ),
  ...inCopies(
    "copy_lists",
    'if (content.kind === "changes") yield content.changes;',
    "openAsked() lets nothing else stand in that list",
    "the condition always holds",
  ),
  ...inCopies(
    "copy_lists",
    "for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {",
    "asks for nothing once more",
    "< becomes <=",
  ),
];

export const SURVIVORS: readonly Survivor[] = [...COPIES];
