/** Processes that die: whatever is killed, wherever it is killed, the next turn goes on, and nothing is lost or done twice. */
import { assertEquals } from "../assert.ts";
import { needs } from "../tools/needs.ts";
import { matrixLine, runMatrix, shortSeries } from "./suite.ts";

needs("sqld").test("manager, edge and sqld killed at their writes and requests are recovered from", async () => {
  const matrix = await runMatrix(shortSeries(), () => {});
  console.log(matrixLine(matrix));
  assertEquals(matrix.failures, []);
});
