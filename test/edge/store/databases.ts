/** Runs the same tests on every kind of database that an edge has: a file, and a real libSQL server. */
import type { Database } from "../../../shared/database/database.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";

/** A database for a group of tests; each has owners of its own, so none sees what another left. */
export interface Place {
  readonly database: Database;
  /** Another connection to it, closed by the caller. */
  open(): Promise<Database>;
}

/** Registers a group of tests, given as steps, once for each kind of database. */
export function onEveryDatabase(title: string, run: (t: Deno.TestContext, place: Place) => Promise<void>): void {
  Deno.test(`${title} on an embedded file`, async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      await runAt(`file:${folder}/edge.db`, t, run);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
  needs("sqld").test(`${title} on sqld`, async (t) => {
    const server = await start();
    try {
      await runAt(server.url, t, run);
    } finally {
      await server.stop();
    }
  });
}

async function runAt(
  url: string,
  t: Deno.TestContext,
  run: (t: Deno.TestContext, place: Place) => Promise<void>,
): Promise<void> {
  const open = () => openDatabase(url, {});
  const database = await open();
  try {
    await run(t, { database, open });
  } finally {
    await database.close();
  }
}
