/** Compares what a device shows of its newest head with every head that this manager signed (spec: HEAD-11). */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { isSameHead, type NamedHead, type OtherHead } from "../../shared/protocol/head_code.ts";
import { META, readBytes, readNumber } from "../store/meta.ts";
import { recordFork } from "./forks.ts";
import { findHead, newestHead } from "./repository.ts";

/** What came of a comparison that found nothing wrong. */
export interface Compared {
  /** `another_incarnation`: it is from before a restore, or of a manager that was restored elsewhere. */
  readonly result: "agree" | "another_incarnation";
  readonly own: number;
}

/** The newest head signed in this incarnation, under its name. @throws `not_found` before there is one */
export async function ownNewest(db: Database): Promise<NamedHead> {
  const head = await newestHead(db);
  if (head === null || head.generation <= await readNumber(db, META.generationFloor)) {
    throw new PosternError("not_found", "No head was signed yet: postern sync");
  }
  const [owner, incarnation] = [await readBytes(db, META.owner), await readBytes(db, META.incarnation)];
  return { owner, incarnation, generation: head.generation, hash: head.hash };
}

/**
 * Compares, and notes a fork for every later head to tell if the owner wants that: of a code no more than its generation can be noted.
 *
 * @param raise Millis for the alarm; null for none
 * @throws `forked` for a head of this incarnation that this manager never signed; `usage` for one of another owner's
 */
// spec: HEAD-11
export async function compareHead(db: Database, other: OtherHead, raise: number | null): Promise<Compared> {
  const newest = await ownNewest(db);
  const { owner, incarnation } = newest;
  if (other.kind === "text" && !equalBytes(other.head.owner, owner)) {
    throw new PosternError("usage", "This is a head of another owner's");
  }
  const { generation } = other;
  const own = newest.generation;
  if (other.kind === "text" && !equalBytes(other.head.incarnation, incarnation)) {
    return { result: "another_incarnation", own };
  }
  if (generation <= await readNumber(db, META.generationFloor)) return { result: "another_incarnation", own };
  const signed = await findHead(db, generation);
  if (signed !== null && isSameHead(other, { owner, incarnation, generation, hash: signed.hash })) {
    return { result: "agree", own };
  }
  if (raise !== null) await recordFork(db, { generation, hash: hashOf(other) }, raise);
  const slip = other.kind === "code" ? ", or the code was misheard" : "";
  throw new PosternError(
    "forked",
    `This manager never signed that head of generation ${generation}: a copy of it runs elsewhere, somebody has its key, or this is ` +
      `an old copy${slip}`,
  );
}

/** A code does not tell the hash: none stands for it, which no head has. */
function hashOf(other: OtherHead): NamedHead["hash"] {
  return other.kind === "text" ? other.head.hash : new Uint8Array(0);
}
