/** Answers that must not tell one cause from another. */
import { assert, assertEquals } from "../../assert.ts";
import { type Answer, codeOf } from "./client.ts";

/** Everything of an answer that a caller sees, but the time of day. */
export function visible({ status, headers, body }: Answer): string {
  const shown = [...headers].filter(([name]) => name !== "date").sort();
  return JSON.stringify([status, shown, new TextDecoder().decode(body)]);
}

/** Fails unless all of these are the one 401 that says nothing (CONV-10). */
export function assertAlike(answers: Readonly<Record<string, Answer>>): void {
  const entries = Object.entries(answers);
  assert(entries.length > 1);
  const [, first] = entries[0] ?? [];
  assert(first !== undefined);
  for (const [cause, answer] of entries) {
    assertEquals([answer.status, codeOf(answer)], [401, "unauthorized"], cause);
    assertEquals(visible(answer), visible(first), cause);
  }
}
