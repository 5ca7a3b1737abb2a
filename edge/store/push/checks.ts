/**
 * What a commit must prove before it may change anything (spec: PUSH-05): the heads, their signatures and statements.
 * No database here: what it rests on is checked again in the batch that switches.
 */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { algorithmOfSpki, importVerifyKey, verifySignature } from "../../../shared/crypto/signature.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { decodeSignedHead, type SignedHead } from "../../../shared/protocol/head.ts";
import { type VerifiedStatement, verifyStatement } from "../../../shared/protocol/statement.ts";
import type { Principal } from "../principal.ts";

/** What the manager sends to commit a push. */
export interface CommitBody {
  /** Signed heads, oldest first, at least one. */
  readonly heads: readonly Bytes[];
  /** Signed statements that they name and the edge does not hold. */
  readonly statements: readonly Bytes[];
  /** How many bodies of nodes belong to the push; none if absent. */
  readonly nodes?: number;
}

/** What the edge holds at the moment, as far as a commit depends on it. */
export interface HeldState {
  /** 0 when there is none. */
  readonly generation: number;
  readonly headHash: Bytes | null;
  readonly statement: { readonly number: number; readonly hash: Bytes; readonly signed: Bytes } | null;
}

/** What the push was begun as. */
export interface PushShape {
  readonly epoch: number;
  readonly incarnation: Bytes;
}

/** What to switch to. */
export interface CommitPlan {
  readonly head: SignedHead;
  /** The last head as it was sent, with its signature. */
  readonly signed: Bytes;
  readonly statement: VerifiedStatement;
  readonly nodes: number;
}

/** The last of the heads that were sent, oldest first. @throws `malformed` when there is none */
export function newestOf<H>(heads: readonly H[]): H {
  const last = heads.at(-1);
  if (last === undefined) throw new PosternError("malformed", "A commit needs a head");
  return last;
}

/**
 * Checks everything of a commit that does not need the rows.
 *
 * @throws `malformed` for what is wrong in itself (signature, statement, owner), `conflict` for what does not
 * continue the state that is held or the push that was begun
 */
export async function checkCommit(
  principal: Principal,
  held: HeldState,
  push: PushShape,
  { heads: sent, statements, nodes = 0 }: CommitBody,
): Promise<CommitPlan> {
  const heads = sent.map(decodeSignedHead);
  const last = newestOf(heads);
  requireChain(held, heads);
  if (last.head.epoch !== push.epoch || !equalBytes(last.head.incarnation, push.incarnation)) {
    throw new PosternError("conflict", "The last head is of another epoch or incarnation than the push");
  }
  requireSessionStatement(principal, last);
  const known = await verifyStatements(principal.owner, held, statements);
  const verify = verifier(principal.owner, held, known);
  for (const head of heads) await verify(head);
  const statement = known.get(last.head.statement.number);
  if (statement === undefined) throw missing(last);
  return { head: last, signed: newestOf(sent), statement, nodes };
}

/** spec: HEAD-03: each head follows the one before, the first the one that is held. */
function requireChain(held: HeldState, heads: readonly SignedHead[]): void {
  let { generation, headHash } = held;
  for (const { head, hash } of heads) {
    const isFirstOfAll = headHash === null;
    const follows = headHash !== null && head.previous !== null && equalBytes(head.previous, headHash) &&
      head.generation === generation + 1;
    if (!isFirstOfAll && !follows) {
      throw new PosternError("conflict", `The head of generation ${head.generation} does not follow ${generation}`);
    }
    generation = head.generation;
    headHash = hash;
  }
}

/** The statement that the last head names is the one that the manager logged in with. */
function requireSessionStatement({ registration, statement }: Principal, { head }: SignedHead): void {
  const { number, hash } = head.statement;
  if (statement === null || number !== registration || !equalBytes(hash, statement)) {
    throw new PosternError("conflict", "The last head names another owner statement than the session");
  }
}

/** By number; one that is held counts for its number (spec: STMT-02). */
async function verifyStatements(
  owner: Bytes,
  { statement }: HeldState,
  signed: readonly Bytes[],
): Promise<Map<number, VerifiedStatement>> {
  const known = new Map<number, VerifiedStatement>();
  for (const bytes of statement === null ? signed : [statement.signed, ...signed]) {
    const verified = await verifyStatement(bytes, owner).catch(notGenuine);
    const other = known.get(verified.number);
    if (other !== undefined && !equalBytes(other.hash, verified.hash)) {
      throw new PosternError("conflict", `There are two owner statements with the number ${verified.number}`);
    }
    known.set(verified.number, verified);
  }
  return known;
}

/** Checks heads in order: owner, incarnation, statement numbers that do not fall, signature (spec: HEAD-02). */
function verifier(
  owner: Bytes,
  { statement: held }: HeldState,
  known: ReadonlyMap<number, VerifiedStatement>,
): (head: SignedHead) => Promise<void> {
  // Importing a key costs as much as verifying with it, and hundreds of heads are signed by the same one.
  const keys = new Map<number, Promise<CryptoKey>>();
  let lowest = held?.number ?? 0;
  return async (signed) => {
    const { number, hash } = signed.head.statement;
    if (number < lowest) throw new PosternError("conflict", `A head names owner statement ${number} after ${lowest}`);
    lowest = number;
    const statement = known.get(number);
    if (statement === undefined || !equalBytes(statement.hash, hash)) throw missing(signed);
    const { head } = signed;
    if (!equalBytes(head.owner, owner) || !equalBytes(head.incarnation, statement.incarnation)) {
      throw new PosternError("malformed", "A head is of another owner or incarnation than its owner statement");
    }
    const key = keys.get(number) ?? managerKey(statement);
    keys.set(number, key);
    if (!await verifySignature(await key, signed.signature, signed.bytes)) {
      throw new PosternError("malformed", `The signature of the head of generation ${head.generation} does not verify`);
    }
  };
}

async function managerKey({ managerKey: spki }: VerifiedStatement): Promise<CryptoKey> {
  try {
    return await importVerifyKey(spki, algorithmOfSpki(spki));
  } catch (cause) {
    throw notGenuine(cause);
  }
}

function missing({ head }: SignedHead): PosternError {
  return new PosternError(
    "conflict",
    `The head of generation ${head.generation} names an owner statement that is neither held nor sent`,
  );
}

/** Whatever is wrong with a statement or key, from outside it is a request that is not allowed (spec: CONV-09). */
function notGenuine(cause: unknown): never {
  if (!isPosternError(cause)) throw cause;
  throw new PosternError("malformed", cause.message, { cause });
}
