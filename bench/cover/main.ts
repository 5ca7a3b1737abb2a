/**
 * Seals a release to a tree with so many leaves, and opens it as one of them and as each revoked one.
 *
 *   deno task bench:cover [--leaves N] [--revoked R] [--json]
 */
import { parseCoverArgs } from "./args.ts";
import { measureCover } from "./measure.ts";

const USAGE = `deno task bench:cover [--leaves N] [--revoked R] [--json]

  --leaves N     places for instances, a power of two up to 2^32 (2^32), such as 1048576 or 2^20
  --revoked R    how many of them are revoked, drawn at random (100)
  --json         print one object`;

async function main(): Promise<number> {
  const args = parseCoverArgs(Deno.args);
  if (typeof args === "string") {
    console.error(`${args}\n\n${USAGE}`);
    return 2;
  }
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  const figures = await measureCover(args.depth, args.revoked);
  if (args.json) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(18)}  ${value}`);
  return figures.opened && figures.revokedRefused === figures.revoked ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
