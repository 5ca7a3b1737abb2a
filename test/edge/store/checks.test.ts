import { failedCheck, limitText, refusal } from "../../../edge/store/checks.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assertEquals } from "../../assert.ts";

/** What the database throws when the trigger of `checks` raises a reason. */
const raised = (reason: string) =>
  new PosternError("conflict", "A constraint refuses this", {
    cause: new Error(`SQLITE_CONSTRAINT_TRIGGER: ${reason}`),
  });

Deno.test("failedCheck() knows the reasons that there are, and no other failure", () => {
  assertEquals(failedCheck(raised("inbox_full")), "inbox_full");
  for (const other of [raised("made_up"), new Error("inbox_full"), undefined]) {
    assertEquals(failedCheck(other), undefined);
  }
});

Deno.test("limitText() tells the owner of limits, and of nothing else that a batch is refused for", () => {
  for (const reason of ["inbox_full", "owner_full", "too_many_pushes"] as const) {
    const error = refusal(reason, raised(reason));
    assertEquals(limitText(error), error.message);
  }
  for (const reason of ["unauthorized", "base", "part_missing", "chunk_number"] as const) {
    assertEquals(limitText(refusal(reason, raised(reason))), undefined);
  }
  const others = [new PosternError("too_large", "Too much"), new Error("Too much", { cause: raised("inbox_full") })];
  for (const other of others) assertEquals(limitText(other), undefined);
});
