/**
 * Runs the test vectors of C2SP Wycheproof through our own functions.
 *
 * The vectors are data that is not part of the repository; where they are absent, the tests that need them are skipped and say so.
 * A file is understood completely or not at all: an unknown field, group type or result fails, and so does a file of which no
 * vector applies, because a loader that skips what it does not know passes on everything.
 */
import * as v from "valibot";
import { assert, assertEquals } from "../../assert.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { needsShared } from "../../tools/needs.ts";

/** The folder with the files, and tests that need it. */
export const wycheproofFolder = needsShared("data/wycheproof");

/** Bytes in hex, as nearly every field is. */
export const hexBytes = v.pipe(v.string(), v.transform(fromHex));

/** Fields of every vector; each file's own are added to them. */
const vectorBase = {
  tcId: v.number(),
  comment: v.string(),
  flags: v.array(v.string()),
  result: v.picklist(["valid", "invalid", "acceptable"]),
};

/** Fields of every group besides its vectors. */
const groupBase = { source: v.strictObject({ name: v.string(), version: v.string() }) };

const NOTE = v.strictObject({
  bugType: v.string(),
  description: v.optional(v.string()),
  effect: v.optional(v.string()),
  links: v.optional(v.array(v.string())),
  cves: v.optional(v.array(v.string())),
});

type Entries = v.ObjectEntries;
type Output<E extends Entries> = v.InferOutput<v.StrictObjectSchema<E, undefined>>;
type Vector<T extends Entries> = Output<T> & Output<typeof vectorBase>;

/** A file that the schema has passed; written out because TypeScript does not see through the spread of a generic. */
interface VectorFile<G extends Entries, T extends Entries> {
  readonly numberOfTests: number;
  readonly testGroups: readonly (Output<G> & { readonly tests: readonly Vector<T>[] })[];
}

/** What a vector came to: the bytes (or true) that our function gave, or the code of the error that it threw. */
export type Outcome = { readonly gave: Bytes | boolean } | { readonly threw: ErrorCode };

/** What must come out of a vector: one outcome, or for some refusals one of several. */
export type Expected = Outcome | { readonly oneOf: readonly Outcome[] } | { readonly excluded: true };

/** One file: what is in it, how it runs, and what must come of each vector. */
export interface Suite<G extends Entries, T extends Entries> {
  readonly file: string;
  readonly group: G;
  readonly vector: T;
  run(group: Output<G>, vector: Vector<T>): Promise<Bytes | boolean>;
  /** `excluded` where the design has no place for the sizes of a vector: that must give `unsupported`. */
  expected(group: Output<G>, vector: Vector<T>): Expected;
}

/** Defines the test of one file. */
export function wycheproof<G extends Entries, T extends Entries>(suite: Suite<G, T>): void {
  wycheproofFolder.test(`every vector of Wycheproof's ${suite.file} gives what it must`, () => runFile(suite));
}

async function runFile<G extends Entries, T extends Entries>(suite: Suite<G, T>): Promise<void> {
  await runVectors(suite, JSON.parse(await Deno.readTextFile(`${wycheproofFolder.path}/${suite.file}`)));
}

/** Runs the vectors of a parsed file. Fails at the first that does not give what it must, and at anything not understood. */
export async function runVectors<G extends Entries, T extends Entries>(
  suite: Suite<G, T>,
  file: unknown,
): Promise<void> {
  const vector = v.strictObject({ ...vectorBase, ...suite.vector });
  const schema = v.strictObject({
    algorithm: v.string(),
    schema: v.string(),
    numberOfTests: v.number(),
    header: v.array(v.string()),
    notes: v.record(v.string(), NOTE),
    testGroups: v.array(v.strictObject({ ...groupBase, ...suite.group, tests: v.array(vector) })),
  });
  const { numberOfTests, testGroups } = v.parse(schema, file) as unknown as VectorFile<G, T>;
  const counts = { gave: 0, refused: 0, excluded: 0 };
  for (const group of testGroups) {
    for (const each of group.tests) {
      const expected = suite.expected(group, each);
      const outcome = await outcomeOf(() => suite.run(group, each));
      const wanted = "excluded" in expected ? [UNSUPPORTED] : "oneOf" in expected ? expected.oneOf : [expected];
      const name = `${suite.file} ${each.tcId} (${each.result}, ${each.flags.join(" ")}) ${each.comment}`;
      const shown = wanted.map(show).join(" or ");
      assert(wanted.some((one) => same(outcome, one)), `${name}: expected ${shown}, got ${show(outcome)}`);
      counts["excluded" in expected ? "excluded" : "gave" in outcome && outcome.gave !== false ? "gave" : "refused"]++;
    }
  }
  const { gave, refused, excluded } = counts;
  assertEquals(gave + refused + excluded, numberOfTests);
  assert(gave > 0, `${suite.file} has no vector that applies`);
  console.log(`${suite.file}: ${gave} accepted, ${refused} refused, ${excluded} outside of the design`);
}

const UNSUPPORTED: Outcome = { threw: "unsupported" };

async function outcomeOf(run: () => Promise<Bytes | boolean>): Promise<Outcome> {
  try {
    return { gave: await run() };
  } catch (error) {
    if (isPosternError(error)) return { threw: error.code };
    throw error;
  }
}

function same(a: Outcome, b: Outcome): boolean {
  if ("threw" in a || "threw" in b) return "threw" in a && "threw" in b && a.threw === b.threw;
  if (typeof a.gave === "boolean" || typeof b.gave === "boolean") return a.gave === b.gave;
  return equalBytes(a.gave, b.gave);
}

function show(outcome: Outcome): string {
  if ("threw" in outcome) return `the error '${outcome.threw}'`;
  return typeof outcome.gave === "boolean" ? String(outcome.gave) : `${outcome.gave.length} bytes`;
}
