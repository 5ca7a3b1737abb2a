import * as v from "valibot";
import { assert, assertEquals } from "../../assert.ts";
import { runVectors, type Suite } from "./wycheproof.ts";

const group = { type: v.literal("EchoTest"), size: v.number() };
const vector = { msg: v.string() };

/** Accepts what says so in its message, and has no place for groups of size 0. */
const suite: Suite<typeof group, typeof vector> = {
  file: "echo_test.json",
  group,
  vector,
  run: (_group, { msg }) => Promise.resolve(msg === "good"),
  expected: ({ size }, { result }) => size === 0 ? { excluded: true } : { gave: result === "valid" },
};

const test = { tcId: 1, comment: "", flags: [], result: "valid", msg: "good" };
const testGroup = { source: { name: "", version: "" }, type: "EchoTest", size: 1, tests: [test] };
const file = { algorithm: "", schema: "", numberOfTests: 1, header: [], notes: {}, testGroups: [testGroup] };

async function failure(content: unknown): Promise<string> {
  try {
    await runVectors(suite, content);
  } catch (error) {
    assert(error instanceof Error);
    return error.name;
  }
  return "none";
}

Deno.test("runVectors() passes a file whose vectors all give what they must", async () => {
  assertEquals(await failure(file), "none");
  const invalid = { ...test, tcId: 2, result: "invalid", msg: "bad" };
  assertEquals(
    await failure({ ...file, numberOfTests: 2, testGroups: [{ ...testGroup, tests: [test, invalid] }] }),
    "none",
  );
});

Deno.test("runVectors() fails on everything that it does not understand", async () => {
  const unknown = [
    { ...file, extra: 1 },
    { ...file, notes: { a: { bugType: "", surprise: "" } } },
    { ...file, testGroups: [{ ...testGroup, extra: 1 }] },
    { ...file, testGroups: [{ ...testGroup, type: "OtherTest" }] },
    { ...file, testGroups: [{ ...testGroup, tests: [{ ...test, extra: 1 }] }] },
    { ...file, testGroups: [{ ...testGroup, tests: [{ ...test, result: "perhaps" }] }] },
    { ...file, testGroups: [{ ...testGroup, tests: [{ ...test, msg: undefined }] }] },
  ];
  for (const content of unknown) assertEquals(await failure(content), "ValiError");
});

Deno.test("runVectors() fails on wrong outcomes, wrong counts, and files of which nothing applies", async () => {
  const wrong = [
    { ...file, testGroups: [{ ...testGroup, tests: [{ ...test, msg: "bad" }] }] },
    { ...file, testGroups: [{ ...testGroup, tests: [{ ...test, result: "invalid" }] }] },
    { ...file, numberOfTests: 2 },
    { ...file, numberOfTests: 0, testGroups: [] },
    { ...file, testGroups: [{ ...testGroup, size: 0 }] },
  ];
  for (const content of wrong) assertEquals(await failure(content), "AssertionError");
});
