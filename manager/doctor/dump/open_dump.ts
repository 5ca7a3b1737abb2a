/** Opens a copy of an edge's database as evidence: the file belongs to the adversary, and stays as it is. */
import { join } from "node:path";
import type { Database, Result, Statement } from "../../../shared/database/database.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { fromOsError } from "../../files/os_error.ts";
import { requireSchema } from "./schema.ts";

/** Reads of a dump. Whatever the file does wrong is `malformed`. */
export interface Dump extends AsyncDisposable {
  execute<R>(statement: Statement<R>): Promise<Result<R>>;
}

/**
 * Opens the database file of an edge, by a copy that nobody else has: SQLite would write beside the file otherwise, and what changes
 * while it is read proves nothing. A write-ahead log beside it (`-wal`) belongs to it.
 *
 * @param folder where the copy may lie meanwhile, private
 * @throws `not_found`, `too_large`, `storage`; `malformed` for what is no database, or not an edge's; `unsupported` for another version
 */
// spec: STORE-04
export async function openDump(path: string, folder: string): Promise<Dump> {
  const place = await Deno.makeTempDir({ dir: folder, prefix: "verify-" }).catch((error) => {
    throw fromOsError(error, `make a folder in ${folder}`);
  });
  let database: Database | null = null;
  const close = async () => {
    await database?.close();
    await Deno.remove(place, { recursive: true });
  };
  try {
    const file = join(place, "edge.db");
    await copyBounded(path, file, true);
    await copyBounded(`${path}-wal`, `${file}-wal`, false);
    database = await orMalformed(path, () => openDatabase(`file:${file}`));
    const dump = new PrivateCopy(database, path, close);
    await dump.execute({ sql: "PRAGMA query_only = ON", params: [] });
    await requireSchema(dump);
    return dump;
  } catch (error) {
    await close();
    throw error;
  }
}

class PrivateCopy implements Dump {
  readonly #database: Database;
  readonly #path: string;
  readonly #close: () => Promise<void>;

  constructor(database: Database, path: string, close: () => Promise<void>) {
    this.#database = database;
    this.#path = path;
    this.#close = close;
  }

  execute<R>(statement: Statement<R>): Promise<Result<R>> {
    return orMalformed(this.#path, () => this.#database.execute(statement));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** The copy is new and nobody else's: what its database reports is the file's fault. */
async function orMalformed<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!isPosternError(cause)) throw cause;
    throw new PosternError("malformed", `${path} is not the database of an edge, or it is damaged: make a new dump`, {
      cause,
    });
  }
}

async function copyBounded(from: string, to: string, isNeeded: boolean): Promise<void> {
  try {
    const { isFile, size } = await Deno.stat(from);
    if (!isFile) throw new PosternError("malformed", `${from} is not a regular file`);
    if (size > LIMITS.maxDumpBytes) {
      throw new PosternError("too_large", `${from} has ${size} bytes; a dump has at most ${LIMITS.maxDumpBytes}`);
    }
    await Deno.copyFile(from, to);
    await Deno.chmod(to, 0o600);
  } catch (error) {
    if (!isNeeded && error instanceof Deno.errors.NotFound) return;
    throw fromOsError(error, `copy ${from}`);
  }
}
