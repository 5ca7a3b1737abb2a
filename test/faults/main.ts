/**
 * `deno task test:faults`: the crash matrix by itself, as the tests play it; `--all` plays every victim at every point of every operation.
 */
import { everySeries, matrixLine, runMatrix, shortSeries } from "./suite.ts";

const started = performance.now();
const matrix = await runMatrix(
  Deno.args.includes("--all") ? everySeries() : shortSeries(),
  (line) => console.log(line),
);
for (const failure of matrix.failures) console.error(failure);
console.log(`${matrixLine(matrix)}, in ${Math.round((performance.now() - started) / 1_000)} s`);
Deno.exit(matrix.failures.length === 0 ? 0 : 1);
