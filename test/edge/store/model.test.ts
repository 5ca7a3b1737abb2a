/** The store against its model on an embedded database; `model.slow.test.ts` has more runs, and a real server. */
import { openDatabase } from "../../../shared/database/open.ts";
import { checkAgainstModel } from "./model_runs.ts";

Deno.test("PUSH-04, READ-02, READ-03: the store does what its model does, on an embedded database", async () => {
  await checkAgainstModel(() => openDatabase(":memory:", {}), 25);
});
