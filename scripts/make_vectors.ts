/**
 * The worked examples of the specification, byte for byte, made by this code from fixed keys and randomness.
 *
 *   deno task vectors           checks that making them again gives the same bytes
 *   deno task vectors --write   writes them
 */
import { PROJECT_ROOT } from "./files.ts";
import { cmsExample } from "./vectors/cms.ts";
import { coverExample } from "./vectors/cover.ts";
import { headExample, statementExample } from "./vectors/heads.ts";
import { makeHousehold } from "./vectors/household.ts";
import { inboxExample } from "./vectors/inbox.ts";
import { keysExample, wrappingExample } from "./vectors/keys.ts";
import { manifestExample } from "./vectors/manifest.ts";
import { namesExample } from "./vectors/names.ts";
import { pairingExample } from "./vectors/pairing.ts";
import { rowsExample } from "./vectors/rows.ts";
import { sessionExample } from "./vectors/session.ts";
import { treesExample } from "./vectors/trees.ts";
import { writeExample } from "./vectors/vector.ts";

/** Where the files lie, relative to the project. */
export const VECTORS_FOLDER = "shared/spec/vectors";

/** All files by name. */
export async function makeVectors(): Promise<ReadonlyMap<string, string>> {
  const household = await makeHousehold();
  const examples = {
    keys: keysExample(household),
    wrapping: await wrappingExample(household),
    rows: await rowsExample(household),
    names: namesExample(),
    tree: await treesExample(household),
    statement: statementExample(household),
    head: await headExample(household),
    session: await sessionExample(household),
    inbox: await inboxExample(household),
    pairing: await pairingExample(household),
    cover: coverExample(),
    manifest: await manifestExample(),
    cms: await cmsExample(),
  };
  return new Map(Object.entries(examples).map(([name, example]) => [`${name}.json`, writeExample(example)]));
}

/** What is wrong with the files in a folder: others than these, missing ones, surplus ones. */
export function compareVectors(root: string, made: ReadonlyMap<string, string>): string[] {
  const folder = `${root}/${VECTORS_FOLDER}`;
  const found = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  const surplus = [...found].filter((name) => !made.has(name)).map((name) => `${name} is made by nothing`);
  const wrong = [...made].flatMap(([name, text]) => {
    if (!found.has(name)) return [`${name} is missing`];
    return Deno.readTextFileSync(`${folder}/${name}`) === text ? [] : [`${name} is not what this code makes`];
  });
  return [...surplus, ...wrong];
}

if (import.meta.main) {
  const made = await makeVectors();
  if (Deno.args.includes("--write")) {
    Deno.mkdirSync(`${PROJECT_ROOT}/${VECTORS_FOLDER}`, { recursive: true });
    for (const [name, text] of made) Deno.writeTextFileSync(`${PROJECT_ROOT}/${VECTORS_FOLDER}/${name}`, text);
    console.log(`${made.size} examples written to ${VECTORS_FOLDER}`);
  } else {
    const problems = compareVectors(PROJECT_ROOT, made);
    for (const problem of problems) console.error(`${VECTORS_FOLDER}: ${problem}`);
    if (problems.length > 0) Deno.exit(1);
    console.log(`${made.size} examples are what this code makes`);
  }
}
