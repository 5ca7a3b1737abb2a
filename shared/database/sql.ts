/** What a driver must know about an SQL text before it runs it, found by one pass over its tokens. */
import { PosternError } from "../errors.ts";

/**
 * - `read` changes nothing and needs no write lock;
 * - `write` changes rows;
 * - `schema` changes tables, so that prepared statements age;
 * - `alone` cannot run inside of a transaction, or silently does nothing there (VACUUM, many PRAGMAs).
 */
export type StatementKind = "read" | "write" | "schema" | "alone";

/** The result of {@link inspect}. */
export interface Inspection {
  readonly kind: StatementKind;
  /** How many parameters must be bound. */
  readonly parameters: number;
}

const KINDS: ReadonlyMap<string, StatementKind> = new Map([
  ["SELECT", "read"],
  ["VALUES", "read"],
  ["EXPLAIN", "read"],
  ["WITH", "read"],
  ["INSERT", "write"],
  ["UPDATE", "write"],
  ["DELETE", "write"],
  ["REPLACE", "write"],
  ["CREATE", "schema"],
  ["ALTER", "schema"],
  ["DROP", "schema"],
  ["REINDEX", "schema"],
  ["ANALYZE", "schema"],
  ["PRAGMA", "alone"],
  ["VACUUM", "alone"],
]);

const CHANGING = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);

// Strings, quoted names and comments first, so that nothing inside of them counts.
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\?\d*|[:@$][A-Za-z_][\w$]*|;|[A-Za-z_][\w$]*|[^\s]/g;

/**
 * Says what kind of statement a text is and how many parameters it takes.
 *
 * Throws `usage` for what no driver of ours can run as one statement: transaction control (a batch is the transaction), a second
 * statement (libSQL would drop it without a word), named or numbered parameters (a missing one would be NULL), an unknown verb.
 */
export function inspect(sql: string): Inspection {
  let verb = "";
  let kind: StatementKind | undefined;
  let parameters = 0;
  let ended = false;
  let trigger = false;
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token.startsWith("--") || token.startsWith("/*")) continue;
    if (ended && !trigger) throw refused(sql, "holds a second statement; send them as a batch");
    if (token === ";") {
      ended = true;
    } else if (token === "?") {
      parameters++;
    } else if (/^[?:@$]./.test(token)) {
      throw refused(sql, "has a named or numbered parameter; use a plain ?");
    } else if (/^[A-Za-z_]/.test(token)) {
      const word = token.toUpperCase();
      if (kind === undefined) {
        verb = word;
        kind = KINDS.get(word);
        if (kind === undefined) throw refused(sql, `starts with ${word}, which is not run; a transaction is a batch`);
      } else if (verb === "WITH" && CHANGING.has(word)) {
        // `replace` may also be the function: then a read takes the way of a write, which is slower and not wrong.
        kind = "write";
      } else if (verb === "CREATE" && word === "TRIGGER") {
        trigger = true;
      }
    }
  }
  if (kind === undefined) throw refused(sql, "holds no statement");
  return { kind, parameters };
}

/** What a batch of these needs: `read`, or `write` if any changes something. Throws `usage` for what cannot be part of a batch. */
export function batchKind(inspections: readonly Inspection[]): "read" | "write" {
  if (inspections.some(({ kind }) => kind === "alone")) {
    throw new PosternError("usage", "PRAGMA and VACUUM cannot be part of a batch; execute them by themselves.");
  }
  return inspections.every(({ kind }) => kind === "read") ? "read" : "write";
}

function refused(sql: string, why: string): PosternError {
  return new PosternError("usage", `The SQL statement ${excerpt(sql)} ${why}.`);
}

/** The beginning of a statement, for messages. Parameters are never part of its text. */
export function excerpt(sql: string): string {
  const line = sql.replaceAll(/\s+/g, " ").trim();
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 117)}...` : line);
}
