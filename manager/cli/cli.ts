/** What each command is handed: its surroundings, and the choices that hold for every command. */
import type { Database } from "../../shared/database/database.ts";
import { isPosternError } from "../../shared/errors.ts";
import { chainEvents } from "../audit/chain.ts";
import type { KekRegistry } from "../keys/provider.ts";
import { readSettings } from "../store/folder.ts";
import { openManager } from "../store/open.ts";
import { dataFolder } from "./folder_choice.ts";
import { type KekOptions, kekRegistry } from "./secrets/kek_choice.ts";
import { type Progress, startProgress } from "./progress.ts";
import type { CliSurroundings } from "./surroundings.ts";

/** Options that every command takes. */
export interface GlobalOptions extends KekOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export interface Cli {
  readonly s: CliSurroundings;
  readonly options: GlobalOptions;
  /** Data folder, absolute. */
  readonly folder: string;
  /** A line for the person, on standard error. */
  say(line: string): void;
  progress(label: string): Progress;
}

/** @throws `configuration` when there is no data folder to be found */
export function createCli(s: CliSurroundings, options: GlobalOptions): Cli {
  return {
    s,
    options,
    get folder() {
      return dataFolder(options.data, s);
    },
    say: (line) => s.err(`${line}\n`),
    progress: (label) => startProgress({ label, isShown: s.isTerminal.err, write: s.err, now: s.network.monotonic }),
  };
}

/** The KEKs that may open this folder's key. */
export async function kekOf(cli: Cli): Promise<KekRegistry> {
  const { kek, kekBefore } = await readSettings(cli.folder);
  return kekRegistry(cli.options, [kek, ...(kekBefore === undefined ? [] : [kekBefore])], cli.s);
}

/** Runs with the manager's database open. Others may have it open too. */
export async function withManager<T>(cli: Cli, use: (db: Database) => Promise<T>): Promise<T> {
  const db = await openManager({ folder: cli.folder, kek: () => kekOf(cli) });
  try {
    const result = await use(db);
    await chainIfPossible(db);
    return result;
  } finally {
    await db.close();
  }
}

/** What a full disk keeps from being chained now is chained by a later command; the events themselves are written. */
async function chainIfPossible(db: Database): Promise<void> {
  try {
    await chainEvents(db);
  } catch (error) {
    if (!isPosternError(error, "storage")) throw error;
  }
}
