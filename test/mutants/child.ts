/**
 * The process in which tests run against mutants. It is told what to do in lines of JSON on its standard input, and answers in lines
 * that begin with {@link MARK} on its standard output, where tests may write as well. Whoever started it looks at the time: a mutant
 * can keep it from doing so.
 *
 * Arguments: the mutant that is on from the beginning (0 for none), then the test files to load.
 */
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { TextLineStream } from "../tools/lines.ts";
import { MARK, type Order, type Report } from "./orders.ts";
import { takeMet, turnOn } from "./switch.ts";

type Run = (context: Deno.TestContext) => void | Promise<void>;

const [always = 0, ...files] = [Number(Deno.args[0] ?? 0), ...Deno.args.slice(1)] as [number, ...string[]];
const tests = new Map<string, Run>();

function say(report: Report): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`\n${MARK}${JSON.stringify(report)}\n`));
}

/** Takes the place of `Deno.test`: keeps what is registered. */
function collectAs(file: string): void {
  const collect = (first: unknown, second?: unknown, third?: unknown) => {
    const definition = typeof first === "object" ? first as Deno.TestDefinition : null;
    const name = definition?.name ?? String(first);
    const run = definition?.fn ?? (third ?? second) as Run;
    if (definition?.ignore !== true) {
      tests.set(`${file}: ${name}${tests.has(`${file}: ${name}`) ? ` (${tests.size})` : ""}`, run);
    }
  };
  Object.defineProperty(Deno, "test", {
    value: Object.assign(collect, { ignore: () => {}, only: collect }),
    configurable: true,
  });
}

const context = {
  name: "",
  origin: "",
  async step(first: string | Deno.TestStepDefinition, second?: Run): Promise<boolean> {
    const run = typeof first === "string" ? second : first.fn;
    await run?.(context);
    return true;
  },
} as Deno.TestContext;

/** Whether a test passes. */
async function passes(test: string): Promise<boolean> {
  const run = tests.get(test);
  if (run === undefined) throw new Error(`no test ${test}`);
  try {
    await run(context);
    return true;
  } catch {
    return false;
  }
}

async function measure(): Promise<void> {
  for (const test of tests.keys()) {
    takeMet();
    say({ kind: "begins", test });
    const before = performance.now();
    const isGood = await passes(test);
    say({ kind: "measured", test, isGood, millis: performance.now() - before, met: takeMet() });
  }
}

/** Whether a mutant dies: a test fails twice, and passes when the mutant is off (unless it always is on). */
async function attack(mutant: number, chosen: readonly string[]): Promise<void> {
  for (const test of chosen) {
    const passesWith = async (number: number) => {
      say({ kind: "begins", test });
      turnOn(number);
      try {
        return await passes(test);
      } finally {
        turnOn(always);
      }
    };
    if (await passesWith(mutant)) continue;
    const isFlaky = await passesWith(mutant);
    if (always === 0 && !await passesWith(0)) return say({ kind: "unclear", by: test });
    if (!isFlaky) return say({ kind: "died", by: test });
  }
  say({ kind: "survived" });
}

fc.configureGlobal({ seed: 1, endOnFailure: true });
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
globalThis.addEventListener("error", (event) => event.preventDefault());
turnOn(always);
takeMet();
for (const file of files) {
  collectAs(file);
  await import(pathToFileURL(file).href);
}
say({ kind: "loaded", met: takeMet() });
for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
  const order = JSON.parse(line) as Order;
  if (order.kind === "measure") await measure();
  else await attack(order.mutant, order.tests);
  say({ kind: "done", megabytes: Math.ceil(Deno.memoryUsage().rss / 2 ** 20) });
}
Deno.exit(0);
