/**
 * `deno task test:faults`: the crash matrix by itself, as the tests play it; `--all` plays every victim at every point of every operation,
 * or of the operations named.
 */
import { type Operation, OPERATIONS } from "./operations.ts";
import { everySeries, matrixLine, runMatrix, shortSeries } from "./suite.ts";

const operations: Readonly<Record<string, Operation>> = OPERATIONS;
const names = Deno.args.filter((arg) => arg !== "--all");
const unknown = names.filter((name) => operations[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no operation ${unknown.join(", ")}; there are ${Object.keys(operations).join(", ")}`);
  Deno.exit(64);
}
const chosen = Object.entries(operations).filter(([name]) => names.length === 0 || names.includes(name));
const started = performance.now();
const matrix = await runMatrix(
  Deno.args.includes("--all") ? everySeries(chosen.map(([, operation]) => operation)) : shortSeries(),
  (line) => console.log(line),
);
for (const failure of matrix.failures) console.error(failure);
console.log(`${matrixLine(matrix)}, in ${Math.round((performance.now() - started) / 1_000)} s`);
Deno.exit(matrix.failures.length === 0 ? 0 : 1);
