/**
 * Runs the same tests on every kind of database that an edge has: on a file in the fast tests, and on a real libSQL server
 * in `sqld.slow.test.ts`, which loads the same test files once more.
 */
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

/** Where groups of tests run that are registered from now on in this thread. */
let kind: "file" | "sqld" = "file";

/** From now on, groups of tests are registered to run on a real libSQL server. */
export function registerOnSqld(): void {
  kind = "sqld";
}

/** Registers a group of tests, given as steps. */
export function onEveryDatabase(title: string, run: (t: Deno.TestContext, place: Place) => Promise<void>): void {
  if (kind === "sqld") return onSqld(title, run);
  Deno.test(`${title} on an embedded file`, async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      await runAt(`file:${folder}/edge.db`, t, run);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function onSqld(title: string, run: (t: Deno.TestContext, place: Place) => Promise<void>): void {
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
