/** Signs the head of a push, stores it, commits, and settles what is placed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Head } from "../../shared/protocol/head.ts";
import type { EdgeLink } from "../edge/link.ts";
import { headsAfter, newestHead } from "../heads/repository.ts";
import { findStatement } from "../owner/statement.ts";
import type { HeadsTable, PushesTable } from "../store/schema_push.ts";
import { isWrappedForAll, type OpenEpoch } from "./epoch.ts";
import { prepareHead } from "./head.ts";
import { recordSigned, settlePush } from "./records.ts";
import type { StateRoots } from "./trees/roots.ts";

/** What is committed. */
export interface Commit {
  readonly push: PushesTable;
  readonly epoch: OpenEpoch;
  readonly roots: StateRoots;
  /** Number of the newest owner statement that the edge holds, 0 if none. */
  readonly heldStatement: number;
  /** How many bodies of nodes there are. */
  readonly nodes: number;
}

/**
 * Commits what was uploaded.
 *
 * @param now Millis
 * @throws `conflict` when a device came or went meanwhile: an epoch is signed only for the devices that there are
 */
export async function commit(
  db: Database,
  link: EdgeLink,
  { push, epoch, roots, heldStatement, nodes }: Commit,
  now: number,
  random: RandomBytes,
): Promise<Head> {
  if (!await isWrappedForAll(db, epoch)) {
    throw new PosternError("conflict", "The devices changed while the push was being made; it starts anew");
  }
  const { decoded, statements } = await prepareHead(db, epoch, roots, link.statement, now, random);
  const { head } = decoded;
  await db.batch([...statements, ...recordSigned(push, head.generation)]);
  const heads = await carriedHeads(db, push.base);
  const named = await namedStatements(db, heads, heldStatement);
  const generation = await link.commit(push.id, heads.map(({ signed }) => signed), named, nodes);
  if (generation !== head.generation) {
    throw new PosternError(
      "tampered",
      `The edge confirms generation ${generation}, when ${head.generation} was committed`,
    );
  }
  await settlePush(db, push, generation);
  return head;
}

/** All heads since the edge's base; an edge that holds none takes the newest as its first (spec: PUSH-05). */
async function carriedHeads(db: Database, base: number): Promise<readonly HeadsTable[]> {
  if (base > 0) return await headsAfter(db, base, LIMITS.maxCommitHeads);
  const newest = await newestHead(db);
  return newest === null ? [] : [newest];
}

/** The statements that heads name and the edge does not hold, each once, oldest first. */
async function namedStatements(db: Database, heads: readonly HeadsTable[], held: number): Promise<Bytes[]> {
  const numbers = [...new Set(heads.map(({ statement }) => statement))].filter((number) => number > held);
  const found: Bytes[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const statement = await findStatement(db, number);
    if (statement === null) throw new PosternError("storage", "A head names an owner statement that is missing");
    found.push(statement.signed);
  }
  return found;
}
