/** Holds heads that devices show against all that the backup and the edge show of the manager's lives (spec: BACKUP-19). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { isSameHead, type NamedHead, type OtherHead } from "../../shared/protocol/head_code.ts";
import { judgeHistory } from "../../shared/protocol/judge_history.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { allStatements, findStatement } from "../owner/statement.ts";
import { META, readBytes } from "../store/meta.ts";
import type { EdgeLook } from "./look.ts";

/** A head that a device showed, and what is known of it. */
export interface SeenHead {
  readonly generation: number;
  /** Null for a code, which does not tell it. */
  readonly incarnation: Bytes | null;
  /**
   * - `agree`: the backup or the edge shows it, or a head that builds on it.
   * - `beyond`: it is later than all that they show. What came in between is lost.
   * - `another_life`: it is of an incarnation that they know nothing of. That life is lost.
   * - `left`: nothing can be told.
   */
  readonly result: "agree" | "beyond" | "another_life" | "left";
}

/** What devices saw of the manager that was lost. */
export interface SeenHeads {
  readonly heads: readonly SeenHead[];
  /** The newest generation that the backup or the edge shows, 0 if none. */
  readonly shown: number;
  /** By how much the newest that a device saw is above that (spec: BACKUP-20). */
  readonly lead: number;
}

/**
 * @param look null when the edge was not asked, or knows nothing
 * @throws `forked` for a head beside those that backup and edge show; `withheld` when the edge does not prove how its head builds on it;
 * `usage` for another owner's, and for a generation that is too far ahead
 */
// spec: BACKUP-19
export async function judgeSeenHeads(
  db: Database,
  others: readonly OtherHead[],
  look: EdgeLook | null,
): Promise<SeenHeads> {
  const shown = Math.max((await newestHead(db))?.generation ?? 0, look?.head?.head.generation ?? 0);
  const heads: SeenHead[] = [];
  for (const other of others) {
    const result = await judge(db, other, look, shown);
    heads.push({ generation: other.generation, incarnation: incarnationOf(other), result });
  }
  const newest = Math.max(shown, ...heads.map(({ generation }) => generation));
  if (newest - shown > LIMITS.maxSeenLead) {
    throw new PosternError(
      "usage",
      `No device can have seen generation ${newest}, when ${shown} was shown: read it again`,
    );
  }
  return { heads, shown, lead: newest - shown };
}

/** Those of which neither the backup nor the edge shows anything. */
export function lostHeads({ heads }: SeenHeads): readonly SeenHead[] {
  return heads.filter(({ result }) => result === "beyond" || result === "another_life");
}

async function judge(
  db: Database,
  other: OtherHead,
  look: EdgeLook | null,
  shown: number,
): Promise<SeenHead["result"]> {
  const { generation } = other;
  if (other.kind === "text") {
    if (!equalBytes(other.head.owner, await readBytes(db, META.owner))) {
      throw new PosternError("usage", `This is a head of another owner's, of generation ${generation}`);
    }
    if (!await isKnownLife(db, other.head.incarnation, look)) return "another_life";
  }
  if (generation > shown) return "beyond";
  const known = await headOf(db, generation, look);
  if (known !== null && isComparable(other, known.incarnation)) {
    if (isSameHead(other, known)) return "agree";
    throw forked(other);
  }
  const head = look?.head?.head ?? null;
  if (other.kind === "code" || look === null || head === null || !isComparable(other, head.incarnation)) return "left";
  if (generation >= head.generation) return "left";
  judgeHistory({ head }, other.head, await look.pathFrom(generation));
  return "agree";
}

function incarnationOf(other: OtherHead): Bytes | null {
  return other.kind === "text" ? other.head.incarnation : null;
}

/** A code does not tell of which life it is. */
function isComparable(other: OtherHead, incarnation: Bytes): boolean {
  return other.kind === "code" || equalBytes(other.head.incarnation, incarnation);
}

async function isKnownLife(db: Database, incarnation: Bytes, look: EdgeLook | null): Promise<boolean> {
  const statements = [...await allStatements(db), ...(look === null ? [] : [look.statement])];
  return statements.some((statement) => equalBytes(statement.incarnation, incarnation));
}

/** The head of a generation that the edge shows as its newest, or the backup holds. */
async function headOf(db: Database, generation: number, look: EdgeLook | null): Promise<NamedHead | null> {
  const edge = look?.head ?? null;
  if (edge !== null && edge.head.generation === generation) {
    return { ...edge.head, hash: edge.hash };
  }
  const held = await findHead(db, generation);
  const statement = held === null ? null : await findStatement(db, held.statement);
  if (held === null || statement === null) return null;
  return { owner: statement.owner, incarnation: statement.incarnation, generation, hash: held.hash };
}

function forked({ kind, generation }: OtherHead): PosternError {
  const slip = kind === "code" ? ", or the code was misheard" : "";
  return new PosternError(
    "forked",
    `A device was shown another head of generation ${generation}: a copy of the manager ran elsewhere, or somebody has its key${slip}. ` +
      "Leave this head out to go on all the same",
  );
}
