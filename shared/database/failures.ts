/** Turns what SQLite and libSQL report into our errors, with a message that says what a person can do about it. */
import { PosternError } from "../errors.ts";

/** Where a failure happened, for the message and for telling a wrong key from a damaged file. */
export interface FailureContext {
  /** The file's path or the server's address, without any secret. */
  readonly place: string;
  /** A key or a token is in use. */
  readonly keyed: boolean;
}

/**
 * The error for a code of SQLite (`SQLITE_BUSY`, or an extended one as `SQLITE_CONSTRAINT_UNIQUE`) and its message, which names
 * tables and columns and never a value.
 */
export function sqliteError(sqlite: string, message: string, context: FailureContext, cause: unknown): PosternError {
  const where = `the database ${context.place}`;
  const error = (code: ConstructorParameters<typeof PosternError>[0], text: string) =>
    new PosternError(code, text, { cause });
  const primary = sqlite.split("_")[1] ?? "";
  switch (primary) {
    case "CONSTRAINT":
      return error("conflict", `A constraint of ${where} refuses this: ${message}.`);
    case "BUSY":
    case "LOCKED":
    case "PROTOCOL":
      return error("storage", `Another process keeps ${where} locked (${message}); stop it, or try again later.`);
    case "FULL":
      return error("storage", `The disk of ${where} is full; nothing was changed. Free some space and try again.`);
    case "CORRUPT":
      return error("storage", `A part of ${where} is damaged (${message}); stop, and restore it from a backup.`);
    case "NOTADB":
      return context.keyed
        ? error(
          "wrong_key",
          `The key does not open ${where}, or it is no encrypted database; give the key it was made with.`,
        )
        : error(
          "storage",
          `The file of ${where} is no database, or an encrypted one; check the path, or give its key.`,
        );
    case "CANTOPEN":
      return error(
        "storage",
        `Cannot open ${where}; check that its folder exists and may be read and written, or free some space if the disk is full.`,
      );
    case "READONLY":
    case "PERM":
      return error(
        "storage",
        `Cannot write to ${where} (${message}); check the owner and the permissions of its file and folder.`,
      );
    case "IOERR":
      return error(
        "storage",
        `The disk of ${where} fails (${message}); free some space if it is full, or check it and that the file is still there.`,
      );
    case "TOOBIG":
      return error("too_large", `A value or statement is too large for ${where}.`);
    case "AUTH":
      return error("forbidden", `Not allowed on ${where}: ${message}.`);
    case "NOMEM":
    case "INTERRUPT":
    case "ABORT":
      return error("storage", `The statement was given up by ${where} (${message}); try again.`);
    default:
      return /no such (?:table|column|index)/.test(message)
        ? error(
          "storage",
          `The tables of ${where} are not those of this program (${message}); run its migrations first.`,
        )
        : error("usage", `The SQL statement does not run on ${where}: ${message}.`);
  }
}

/** By primary result code (https://sqlite.org/rescode.html). */
const NAMES: Readonly<Record<number, string>> = {
  3: "PERM",
  4: "ABORT",
  5: "BUSY",
  6: "LOCKED",
  7: "NOMEM",
  8: "READONLY",
  9: "INTERRUPT",
  10: "IOERR",
  11: "CORRUPT",
  13: "FULL",
  14: "CANTOPEN",
  15: "PROTOCOL",
  18: "TOOBIG",
  19: "CONSTRAINT",
  23: "AUTH",
  26: "NOTADB",
};

/** The name of a result code given as its number, extended or not: the lower byte is the primary code. */
export function sqliteName(result: number): string {
  return `SQLITE_${NAMES[result & 0xff] ?? "ERROR"}`;
}

/** True for the SQLite codes of a lock that another connection holds and will let go of. */
export function isBusy(sqlite: string): boolean {
  return /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/.test(sqlite);
}

/** A constraint that refused a statement. */
export interface FailedConstraint {
  /** `raised`: by a trigger's RAISE; `datatype`: by the column types of a STRICT table. */
  readonly kind: "unique" | "check" | "not_null" | "foreign_key" | "datatype" | "raised";
  /** `table.column, ...` of a unique or not null one, the name of a check (or its text), the message raised; else empty. */
  readonly name: string;
}

const KINDS = { UNIQUE: "unique", CHECK: "check", "NOT NULL": "not_null", "FOREIGN KEY": "foreign_key" } as const;

/**
 * Which constraint a `conflict` of a database comes from; undefined for any other error. A batch states its preconditions as
 * named CHECK constraints or triggers, and reads here which one failed.
 */
export function failedConstraint(error: unknown): FailedConstraint | undefined {
  if (!(error instanceof PosternError) || error.code !== "conflict" || !(error.cause instanceof Error)) {
    return undefined;
  }
  const message = plainMessage(error.cause.message);
  const [, kind, name] = /(UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed(?:: (.*))?$/.exec(message) ?? [];
  if (kind === "UNIQUE" || kind === "CHECK" || kind === "NOT NULL" || kind === "FOREIGN KEY") {
    return { kind: KINDS[kind], name: name ?? "" };
  }
  return { kind: message.startsWith("cannot store ") ? "datatype" : "raised", name: message };
}

/** SQLite's own words in a message, without the codes that native package, server and client put before them. */
export function plainMessage(message: string): string {
  return message.replace(/^(?:SQLITE_[A-Z_]+: |SQL_[A-Z_]+: |ARGS_[A-Z_]+: |SQLite (?:error|failure): )+/, "");
}
