/**
 * `deno task test:faults`: the crash matrix by itself, as the tests play it; `--all` plays every victim, and every fault
 * of the network and jump of the clock, at every point of every operation, or of the operations named.
 */
import { type Operation, OPERATIONS } from "./operations.ts";
import { everySeries, matrixLine, runMatrix, shortSeries } from "./suite.ts";

const operations: Readonly<Record<string, Operation>> = OPERATIONS;
const names = Deno.args.filter((arg) => arg !== "--all");
/** What a device does, which is no operation of the manager's. */
const DEVICE = "device";
const unknown = names.filter((name) => operations[name] === undefined && name !== DEVICE);
if (unknown.length > 0) {
  console.error(
    `There is no operation ${unknown.join(", ")}; there are ${[...Object.keys(operations), DEVICE].join(", ")}`,
  );
  Deno.exit(64);
}
const chosen = Object.entries(operations)
  .filter(([name]) => names.length === 0 || names.includes(name)).map(([, operation]) => operation);
const tell = (line: string) => console.log(line);
const started = performance.now();
const matrix = Deno.args.includes("--all")
  ? await runMatrix(everySeries(chosen), tell, chosen, names.length === 0 || names.includes(DEVICE))
  : await runMatrix(shortSeries(), tell);
for (const failure of matrix.failures) console.error(failure);
console.log(`${matrixLine(matrix)}, in ${Math.round((performance.now() - started) / 1_000)} s`);
Deno.exit(matrix.failures.length === 0 ? 0 : 1);
