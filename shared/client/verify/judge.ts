/**
 * How a device judges what an edge shows: statement, head, its own record (spec: SESS-08). Pure: what is remembered goes in, what is
 * to be remembered comes out.
 */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { secretKey } from "../../crypto/brand.ts";
import { openHpke } from "../../crypto/hpke.ts";
import { PosternError } from "../../errors.ts";
import { deriveEpochKeys, type EpochKeys } from "../../protocol/epoch_keys.ts";
import { decodeSignedHead, requireHeadSignature, type SignedHead } from "../../protocol/head.ts";
import { type HeadMemory, judgeHead, judgeStatement, type StatementMemory } from "../../protocol/judge_head.ts";
import { judgeHistory } from "../../protocol/judge_history.ts";
import { decodeRow } from "../../protocol/row.ts";
import { type EdgeName, namesEdge, type VerifiedStatement } from "../../protocol/statement.ts";
import { LISTS } from "../../protocol/token.ts";
import { wrapInfo } from "../../protocol/wrap.ts";
import type { DeviceKeys } from "../identity/device_keys.ts";
import { openAsked, orTampered } from "./open_content.ts";
import { judgeAcknowledgements } from "../memory/outbox.ts";
import type { DeviceProfile } from "../identity/profile.ts";
import type { DeviceState } from "../memory/state.ts";

/** Something judged, and the state that remembers it; the same object when there is nothing new to remember. */
export interface Judged<T> {
  readonly result: T;
  readonly state: DeviceState;
}

/**
 * Judges a statement that was verified (spec: STMT-02, STMT-03).
 *
 * @param before the one remembered, verified as well; null before the first
 * @returns how many generations a restore lost that this device had seen; 0 in ordinary life
 * @throws `rolled_back`, `forked`, `restored`
 */
export function rememberStatement(
  state: DeviceState,
  statement: VerifiedStatement,
  before: VerifiedStatement | null,
): Judged<number> {
  requireGranted(state, statement);
  judgeStatement(statement, before === null ? null : memoryOf(before), state.confirmed);
  if (before !== null && equalBytes(before.signed, statement.signed)) return { result: 0, state };
  const isRestore = before !== null && !equalBytes(before.incarnation, statement.incarnation);
  const head = isRestore ? headAfterRestore(statement, state.head) : state.head;
  const lost = Math.max(0, (state.head?.generation ?? 0) - (head?.generation ?? 0));
  const times = isRestore ? null : state.times;
  return { result: lost, state: { ...state, granted: null, statement: statement.signed, head, times } };
}

function memoryOf({ number, bytes, incarnation }: VerifiedStatement): StatementMemory {
  return { number, bytes, incarnation };
}

/** The statement that the manager's grant named is the least that an edge may show (spec: PAIR-02). */
function requireGranted({ granted }: DeviceState, { number, hash }: VerifiedStatement): void {
  if (granted === null) return;
  if (number < granted.number) {
    throw new PosternError(
      "rolled_back",
      `The edge shows owner statement ${number}, but pairing named ${granted.number}`,
    );
  }
  if (number === granted.number && !equalBytes(hash, granted.hash)) {
    throw new PosternError(
      "forked",
      `The edge shows another owner statement ${number} than the one that pairing named`,
    );
  }
}

/** What is left of the memory of heads when the user has confirmed a restore (spec: HEAD-03). */
function headAfterRestore({ number, base }: VerifiedStatement, head: HeadMemory | null): HeadMemory | null {
  if (base === null) return null;
  if (head !== null && head.generation === base.generation && !equalBytes(head.hash, base.head)) {
    throw new PosternError("forked", `The restored manager builds on another head of generation ${base.generation}`);
  }
  return { statement: number, epoch: 0, generation: base.generation, hash: base.head, time: 0 };
}

/** @throws `untrusted` unless the statement names the edge (spec: STMT-04) */
export function requireNamed(statement: VerifiedStatement, edge: EdgeName): void {
  if (namesEdge(statement, edge)) return;
  throw new PosternError(
    "untrusted",
    `The owner's statement ${statement.number} does not name the edge ${edge.origin}`,
  );
}

/** The remembered head that a newer one has to build on: null when there is none of this incarnation (spec: READ-07). */
export function seenHead({ head }: DeviceState): HeadMemory | null {
  return head === null || isBaseOfRestore(head) ? null : head;
}

/** What a restore builds on, remembered by {@link headAfterRestore}. A pairing grant has no epoch either, but no statement (state.ts). */
function isBaseOfRestore({ epoch, statement }: HeadMemory): boolean {
  return epoch === 0 && statement !== 0;
}

/** A head as the edge shows it. */
export interface ShownHead {
  readonly head: Bytes;
  /** How it builds on {@link seenHead}, if that is of an earlier generation (spec: READ-07). */
  readonly history: readonly Bytes[] | null;
}

/**
 * Judges a signed head under a statement that was judged before: signature, fields, memory, history, acknowledgements (spec: HEAD-02,
 * HEAD-03, READ-07, INBOX-09). How fresh it is, is for the caller to ask (spec: HEAD-04).
 *
 * @param where the edge that showed it, the device, and its clock's time, Millis
 * @throws `malformed`, `tampered`, `rolled_back`, `forked`; `withheld` when it names a statement that the edge does not show, or the
 * edge does not show how it builds on the head remembered
 */
export async function rememberHead(
  state: DeviceState,
  shown: ShownHead,
  statement: VerifiedStatement,
  where: { readonly edge: EdgeName; readonly device: Bytes; readonly now: number },
): Promise<Judged<SignedHead>> {
  const signed = decodeSignedHead(shown.head);
  const { number } = signed.head.statement;
  if (number < statement.number) {
    throw new PosternError("rolled_back", `The head names owner statement ${number}, but there is ${statement.number}`);
  }
  if (number > statement.number) {
    throw new PosternError("withheld", `The head names owner statement ${number}, which the edge does not show`);
  }
  await requireHeadSignature(signed, statement.managerKey);
  const head = judgeHead(signed, statement, where.edge, state.head);
  const seen = seenHead(state);
  if (seen !== null && isOfIncarnation(seen, statement)) judgeHistory(signed, seen, shown.history);
  const streams = judgeAcknowledgements(state.streams, where.device, signed.head.acks, signed.head.incarnation);
  const isKnown = state.head !== null && state.head.epoch !== 0 && equalBytes(state.head.hash, head.hash);
  if (isKnown && state.times !== null && streams === state.streams) return { result: signed, state };
  const times = isKnown && state.times !== null ? state.times : { nextDue: signed.head.nextDue, verified: where.now };
  return { result: signed, state: { ...state, head, times, streams } };
}

/** Reads a signed head as one of a statement, whatever is remembered. @throws `malformed`, `tampered` */
export async function readHead(bytes: Bytes, statement: VerifiedStatement, edge: EdgeName): Promise<SignedHead> {
  const signed = decodeSignedHead(bytes);
  await requireHeadSignature(signed, statement.managerKey);
  judgeHead(signed, statement, edge, null);
  return signed;
}

/** False for the head of a pairing grant from before a restore, which is the only one remembered without its statement. */
function isOfIncarnation({ generation }: HeadMemory, { base }: VerifiedStatement): boolean {
  return base === null || generation > base.generation;
}

/**
 * Opens the device's own record under a head that was judged before, and with it the epoch (spec: SESS-08, WRAP-01, KEY-03).
 *
 * @throws `tampered`; `unsupported` when it is wrapped for another suite (spec: WRAP-02)
 */
export async function openRecord(
  record: Bytes,
  { head }: SignedHead,
  profile: DeviceProfile,
  keys: DeviceKeys,
): Promise<EpochKeys> {
  const { extra } = await orTampered(() => Promise.resolve(decodeRow(record)));
  const isOwn = extra !== null && equalBytes(extra.device, profile.device) &&
    extra.registration === profile.registration && equalBytes(extra.publicKey, keys.publicKey);
  if (!isOwn) throw new PosternError("tampered", "The edge shows the record of another device");
  const info = wrapInfo(head, profile.device, extra.suite);
  const wrapped = { encapsulated: extra.encapsulated, ciphertext: extra.wrapped };
  const symKey = await openHpke(extra.suite, keys.kem, info, wrapped);
  if (symKey.length !== 32) throw new PosternError("tampered", "What is wrapped in the record is no sym key");
  const { owner, incarnation, epoch } = head;
  const epochKeys = await deriveEpochKeys(secretKey<"SymKey">(symKey), { owner, incarnation, epoch }, head.commitment);
  symKey.fill(0);
  await openAsked(epochKeys, { list: LISTS.device(profile.device), number: 0 }, record);
  return epochKeys;
}
