/** The tests of the edge's store once more, on a real libSQL server. */
import { openDatabase } from "../../../shared/database/open.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";
import { registerOnSqld } from "./databases.ts";
import { checkAgainstModel } from "./model_runs.ts";

registerOnSqld();
await import("./inbox.test.ts");
await import("./push.test.ts");
await import("./push_commit.test.ts");
await import("./quota.test.ts");
await import("./reads.test.ts");
await import("./sweep.test.ts");
await import("./sweep_fairness.test.ts");

needs("sqld").test("PUSH-04, READ-02, READ-03: the store does what its model does, on sqld", async () => {
  const server = await start();
  try {
    await checkAgainstModel(() => openDatabase(server.url, {}), 15);
  } finally {
    await server.stop();
  }
});
