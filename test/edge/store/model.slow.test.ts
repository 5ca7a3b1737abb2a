/** The store against its model, longer than the fast tests have time for, and on a real libSQL server. */
import { openDatabase } from "../../../shared/database/open.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";
import { checkAgainstModel } from "./model_runs.ts";

Deno.test("PUSH-04, READ-02, READ-03: the store does what its model does, in many runs on an embedded database", async () => {
  await checkAgainstModel(() => openDatabase(":memory:", {}), 150);
});

needs("sqld").test("PUSH-04, READ-02, READ-03: the store does what its model does, on sqld", async () => {
  const server = await start();
  try {
    await checkAgainstModel(() => openDatabase(server.url, {}), 15);
  } finally {
    await server.stop();
  }
});
