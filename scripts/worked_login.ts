/**
 * The worked login in docs/clients.md, value by value, made by this code from the keys of the specification's examples.
 *
 *   deno run -A scripts/worked_login.ts           checks that making it again gives the same page
 *   deno run -A scripts/worked_login.ts --write   writes it
 */
import { PROJECT_ROOT } from "./files.ts";
import { makeHousehold } from "./vectors/household.ts";
import { type Blocks, fill } from "./worked_login/blocks.ts";
import { workedLogin } from "./worked_login/login.ts";
import { workedRead } from "./worked_login/read.ts";

/** The page, relative to the project. */
export const CLIENTS_PAGE = "docs/clients.md";

/** All blocks of values of the page. */
export async function makeBlocks(): Promise<Blocks> {
  const household = await makeHousehold();
  const login = await workedLogin(household);
  return new Map([...login.blocks, ...await workedRead(household, login)]);
}

if (import.meta.main) {
  const path = `${PROJECT_ROOT}/${CLIENTS_PAGE}`;
  const page = Deno.readTextFileSync(path);
  const filled = fill(page, await makeBlocks());
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(path, filled);
    console.log(`${CLIENTS_PAGE} is written`);
  } else if (filled !== page) {
    console.error(`${CLIENTS_PAGE} is not what this code makes: deno run -A scripts/worked_login.ts --write`);
    Deno.exit(1);
  } else {
    console.log(`${CLIENTS_PAGE} is what this code makes`);
  }
}
