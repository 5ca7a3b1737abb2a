/** Makes the next head of the manager: signed, stored, only then shown to anybody (spec: HEAD-05). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import {
  appendToHistory,
  decodeHistory,
  EMPTY_HISTORY,
  encodeHistory,
  historyRoot,
} from "../../shared/merkle/history.ts";
import { compareAcks } from "../../shared/protocol/acknowledgement.ts";
import {
  decodeSignedHead,
  encodeHead,
  sealHeadSecrets,
  type SignedHead,
  signHead,
} from "../../shared/protocol/head.ts";
import { newestHead, putHead } from "../heads/repository.ts";
import { acknowledgements } from "../inbox/streams.ts";
import { signingKey } from "../owner/keys.ts";
import { currentStatement } from "../owner/statement.ts";
import { findBytes, META, readNumber, setBytes } from "../store/meta.ts";
import type { OpenEpoch } from "./epoch.ts";
import type { StateRoots } from "./roots.ts";

/** A head that is signed, and the statements that store it and its place in the history. */
export interface PreparedHead {
  readonly signed: Bytes;
  readonly decoded: SignedHead;
  readonly statements: readonly Statement<unknown>[];
}

/** How many intervals may pass before devices call a head overdue: one may be lost, one may be late. */
const DUE_AFTER_INTERVALS = 3;

/**
 * Makes and signs the head of the next generation; the caller stores `statements` before it sends `signed`.
 *
 * @param now Millis
 * @throws `clock` when the time is one that must not be signed without the owner's word (spec: HEAD-05)
 */
export async function prepareHead(
  db: Database,
  epoch: OpenEpoch,
  roots: StateRoots,
  now: number,
  random: RandomBytes,
): Promise<PreparedHead> {
  const statement = await currentStatement(db);
  const before = await newestHead(db);
  // A new statement is the owner's word that the clock is right (spec: HEAD-03).
  const underSame = before !== null && decodeSignedHead(before.signed).head.statement.number === statement.number;
  const time = headTime(underSame ? before.time : null, now);
  const generation = (before?.generation ?? 0) + 1;
  const stored = await findBytes(db, META.history);
  const history = stored === null ? EMPTY_HISTORY : decodeHistory(stored);
  const interval = await readNumber(db, META.intervalMillis);
  const bytes = encodeHead({
    ...{ owner: statement.owner, incarnation: statement.incarnation, epoch: epoch.row.epoch, generation, time },
    statement: { number: statement.number, hash: statement.hash },
    commitment: epoch.keys.commitment,
    previous: before?.hash ?? null,
    history: { size: history.size, root: historyRoot(history) },
    tables: roots.tables,
    nextDue: time + DUE_AFTER_INTERVALS * interval,
    acks: [...await acknowledgements(db)].sort(compareAcks),
    recovery: { encapsulated: epoch.row.recovery_encapsulated, ciphertext: epoch.row.recovery_ciphertext },
    classical: epoch.row.classical,
    sealed: await sealHeadSecrets(epoch.keys, generation, { contentRoot: roots.contentRoot }, random),
  });
  const { sign } = await signingKey(db, "manager");
  const signed = await signHead(bytes, sign);
  const decoded = decodeSignedHead(signed);
  const extended = appendToHistory(history, decoded.hash).history;
  return { signed, decoded, statements: [putHead(signed), setBytes(META.history, encodeHistory(extended))] };
}

/**
 * The time to sign: never before an earlier head's, and not far after it without the owner's word, since one wrong clock
 * would else bind every head to come (spec: HEAD-05).
 */
export function headTime(before: number | null, now: number): number {
  if (before === null) return now;
  if (now < before - LIMITS.maxClockLeadMillis) {
    throw new PosternError(
      "clock",
      `The clock says ${iso(now)}, but a head was signed at ${
        iso(before)
      }: set the clock, or, if that head's time was wrong, ` +
        "issue a new owner statement: postern clock confirm",
    );
  }
  if (now > before + LIMITS.maxHeadGapMillis) {
    throw new PosternError(
      "clock",
      `The clock says ${iso(now)}, long after the last head of ${
        iso(before)
      }: if it is right, confirm it: postern clock confirm`,
    );
  }
  return Math.max(before, now);
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
