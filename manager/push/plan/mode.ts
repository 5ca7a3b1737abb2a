/** Which kind of push is due: pure, so that the policy can be read and tested in one place (design, "Pushing"). */

/** What the decision rests on. */
export interface PushSituation {
  /** Null before the first push. */
  readonly epoch:
    | {
      readonly devicesVersion: number;
      readonly sealed: number;
      readonly startedMillis: number;
      /** Whether the edge has what it makes proofs from. */
      readonly hasNodes: boolean;
      /** Whether it began with a stock of cover rows (spec: PUSH-17) and with nothing where deltas put rows (spec: PUSH-20). */
      readonly isForDeltas: boolean;
    }
    | null;
  readonly devicesVersion: number;
  /** As many as there are, cover aside, or, when these are more than `fullUpToRows`, a number that they do not exceed. */
  readonly entries: number;
  /** The owner asks for a new epoch. */
  readonly rotate: boolean;
  /** The edge holds nothing, or less than it confirmed. */
  readonly edgeLost: boolean;
  readonly nowMillis: number;
}

/** The owner's choices. */
export interface PushPolicy {
  /** Up to this many rows everything is re-encrypted at every interval; above, only what changed is sent. */
  readonly fullUpToRows: number;
  /** No epoch lives longer. */
  readonly maxEpochMillis: number;
  /** Deltas are filled up to steps of at least so many rows (spec: PUSH-16); 0 for no cover. */
  readonly coverRows: number;
}

/** 500 rows of 2 KiB every five minutes are 290 MiB a day; see docs/owners/pushing.md. */
export const DEFAULT_POLICY: PushPolicy = { fullUpToRows: 500, maxEpochMillis: 7 * 86_400_000, coverRows: 8 };

/** Rows after which the keys of an epoch are not used for another delta (spec: KEY-04). */
const MAX_SEALED_ROWS = 2 ** 31;

/** Why everything is re-encrypted, or null for a delta. */
export type FullReason =
  | "first"
  | "edge lost"
  | "asked"
  | "no proofs"
  | "devices changed"
  | "small store"
  | "store grew"
  | "epoch too old"
  | "key used up";

/** Whether everything is re-encrypted at every interval. @param entries as in {@link PushSituation} */
// spec: PUSH-18
export function isSmallStore(entries: number, policy: PushPolicy): boolean {
  return entries <= policy.fullUpToRows && policy.fullUpToRows > 0;
}

/**
 * The reason for a full push, or null when a delta will do. A store that goes back and forth over the threshold is at worst re-encrypted
 * at every interval, which is what a small one costs anyway: so there is no second threshold for the way back.
 */
export function fullReason(situation: PushSituation, policy: PushPolicy): FullReason | null {
  const { epoch, entries, nowMillis } = situation;
  if (epoch === null) return "first";
  if (situation.edgeLost) return "edge lost";
  if (situation.rotate) return "asked";
  if (!epoch.hasNodes) return "no proofs";
  if (epoch.devicesVersion !== situation.devicesVersion) return "devices changed";
  if (epoch.sealed + entries > MAX_SEALED_ROWS) return "key used up";
  if (nowMillis - epoch.startedMillis > policy.maxEpochMillis) return "epoch too old";
  if (isSmallStore(entries, policy)) return "small store";
  return epoch.isForDeltas ? null : "store grew";
}
