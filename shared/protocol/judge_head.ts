/** How a device judges a head against what it remembers: pure, so that every case can be tested (spec: HEAD-02 to HEAD-04). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { SignedHead } from "./head.ts";
import { type EdgeName, namesEdge, type OwnerStatement, type VerifiedStatement } from "./statement.ts";

/** What a device remembers of the newest head it verified. */
export interface HeadMemory {
  readonly statement: number;
  readonly epoch: number;
  readonly generation: number;
  readonly hash: Bytes;
  readonly time: number;
}

/** What a device remembers of the newest statement it verified. */
export interface StatementMemory {
  readonly number: number;
  readonly bytes: Bytes;
  readonly incarnation: Bytes;
}

/**
 * Judges a verified statement against the one remembered (spec: STMT-02, STMT-03).
 *
 * @returns what to remember from now on
 * @throws `rolled_back`, `forked`, or `restored` until the user has confirmed the new incarnation
 */
export function judgeStatement(
  statement: OwnerStatement & { bytes: Bytes },
  memory: StatementMemory | null,
  confirmed: Bytes | null,
): StatementMemory {
  const now = { number: statement.number, bytes: statement.bytes, incarnation: statement.incarnation };
  if (memory === null) return now;
  if (statement.number < memory.number) {
    throw new PosternError(
      "rolled_back",
      `The edge shows owner statement ${statement.number}, but ${memory.number} was already seen`,
    );
  }
  if (statement.number === memory.number && !equalBytes(statement.bytes, memory.bytes)) {
    throw new PosternError("forked", `There are two owner statements with the number ${statement.number}`);
  }
  if (!equalBytes(statement.incarnation, memory.incarnation) && !isConfirmed(statement, confirmed)) {
    throw new PosternError(
      "restored",
      "The manager was restored from a backup. Ask its owner whether that is so, and confirm the new incarnation once",
    );
  }
  return now;
}

function isConfirmed(statement: OwnerStatement, confirmed: Bytes | null): boolean {
  return confirmed !== null && equalBytes(statement.incarnation, confirmed);
}

/**
 * Judges a head whose signature has been verified against its statement, the edge, and the device's memory.
 *
 * @param statement verified, and the newest that the device knows
 * @param edge that showed it
 * @returns what to remember from now on
 * @throws `tampered` for a head that is not of this statement or edge, `rolled_back`, `forked`
 */
export function judgeHead(
  { head, hash }: SignedHead,
  statement: VerifiedStatement,
  edge: EdgeName,
  memory: HeadMemory | null,
): HeadMemory {
  const agrees = equalBytes(head.owner, statement.owner) && head.statement.number === statement.number &&
    equalBytes(head.statement.hash, statement.hash) && equalBytes(head.incarnation, statement.incarnation) &&
    namesEdge(statement, edge);
  if (!agrees) {
    throw new PosternError("tampered", "The head is not of this owner, statement, incarnation or edge");
  }
  const { epoch, generation, time } = head;
  const remembered = { statement: head.statement.number, epoch, generation, hash, time };
  if (memory !== null) requireForward({ ...remembered, previous: head.previous }, memory);
  return remembered;
}

function requireForward(head: HeadMemory & { readonly previous: Bytes | null }, memory: HeadMemory): void {
  const { generation } = head;
  if (generation < memory.generation) {
    throw new PosternError(
      "rolled_back",
      `The edge shows generation ${generation}, but ${memory.generation} was already seen`,
    );
  }
  if (generation === memory.generation && !equalBytes(head.hash, memory.hash)) {
    throw new PosternError("forked", `There are two heads of generation ${generation}`);
  }
  const follows = head.previous !== null && equalBytes(head.previous, memory.hash);
  if (generation === memory.generation + 1 && !follows) {
    throw new PosternError("forked", `The head of generation ${generation} does not follow the one seen before it`);
  }
  const backInTime = head.statement === memory.statement && head.time < memory.time;
  if (head.epoch < memory.epoch || backInTime || head.statement < memory.statement) {
    throw new PosternError("rolled_back", `The head of generation ${generation} goes back in epoch, time or statement`);
  }
}

/** How fresh a verified head is by the device's clock, Millis (spec: HEAD-04). */
export type Freshness = "fresh" | "overdue" | "ahead";

export function freshness(head: { readonly time: number; readonly nextDue: number }, now: number): Freshness {
  if (head.time > now + LIMITS.maxClockLeadMillis) return "ahead";
  return now > head.nextDue + LIMITS.headGraceMillis ? "overdue" : "fresh";
}

/** @throws `stale` or `clock` unless the head is fresh: nothing is sealed under another (spec: INBOX-03). */
export function requireFresh(head: { readonly time: number; readonly nextDue: number }, now: number): void {
  const state = freshness(head, now);
  if (state === "overdue") {
    throw new PosternError(
      "stale",
      `The next head was due at ${
        new Date(head.nextDue).toISOString()
      }: the manager does not run, or the edge withholds its work`,
    );
  }
  if (state === "ahead") {
    throw new PosternError(
      "clock",
      `The newest head is from ${new Date(head.time).toISOString()}, which this clock has not reached: set the clock`,
    );
  }
}
