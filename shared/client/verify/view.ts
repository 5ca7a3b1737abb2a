/** What a device knows of the owner's state at one moment: verified statement, verified head, the epoch's keys. */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import type { EpochKeys } from "../../protocol/epoch_keys.ts";
import { type HeadAlarm, type HeadSecrets, openHeadSecrets, type SignedHead } from "../../protocol/head.ts";
import { type Freshness, freshness, requireFresh } from "../../protocol/judge_head.ts";
import type { EdgeName, VerifiedStatement } from "../../protocol/statement.ts";
import type { TableName } from "../../protocol/tables.ts";

export interface View {
  readonly edge: EdgeName;
  readonly statement: VerifiedStatement;
  readonly head: SignedHead;
  readonly keys: EpochKeys;
  /** What the head says of a fork that the manager knows of (spec: HEAD-07). */
  readonly alarm: HeadAlarm | null;
  /** Root over all contents, whatever epoch they are sealed in (spec: TREE-05). */
  readonly contentRoot: Bytes;
  /** From which generation on the change lists name everything that changed; null when they do not (spec: HEAD-12). */
  readonly listed: number | null;
}

/** Of which state something was read. */
export interface AsOf {
  readonly generation: number;
  readonly epoch: number;
  /** When the manager signed this state, and by when the next one is due; Millis. */
  readonly time: number;
  readonly nextDue: number;
  /** `overdue`: show it marked as old. `ahead`: this device's clock is wrong (spec: HEAD-04). */
  readonly freshness: Freshness;
  /**
   * Not null: the manager learnt that its key signs elsewhere too, and the owner has not cleared that yet. Tell the user; what this
   * device reads is the owner's manager's all the same (spec: HEAD-07).
   */
  readonly alarm: HeadAlarm | null;
}

/** The head as callers see it. */
export interface HeadReport extends AsOf {
  readonly statement: number;
  readonly incarnation: Uint8Array;
  readonly counts: Readonly<Record<TableName, number>>;
  /** Devices whose suite falls to a quantum computer, in this epoch (spec: WRAP-04). */
  readonly classical: number;
}

/** @param now the device's clock, Millis */
export function asOf({ head: { head }, alarm }: View, now: number): AsOf {
  const { generation, epoch, time, nextDue } = head;
  return { generation, epoch, time, nextDue, freshness: freshness(head, now), alarm };
}

export function reportHead(view: View, now: number): HeadReport {
  const { statement, incarnation, tables, classical } = view.head.head;
  const { devices, certificates, messages, changes } = tables;
  const counts = {
    ...{ devices: devices.count, certificates: certificates.count, messages: messages.count, changes: changes.count },
  };
  return { ...asOf(view, now), statement: statement.number, incarnation, counts, classical };
}

/** @throws `stale`, `clock` (spec: HEAD-04, INBOX-03) */
export function requireFreshView({ head: { head } }: View, now: number): void {
  requireFresh(head, now);
}

/** The view of a head whose epoch was opened. @throws `tampered`, `malformed` for a head whose sealed part is not of that epoch */
export async function viewOf(parts: Omit<View, keyof HeadSecrets>): Promise<View> {
  return { ...parts, ...await openHeadSecrets(parts.keys, parts.head.head) };
}

/** A view with a newer head of the same epoch. @throws `tampered` when that head commits to another sym key */
export async function withHead(view: View, head: SignedHead): Promise<View> {
  if (!equalBytes(head.head.commitment, view.keys.commitment)) {
    throw new PosternError("tampered", `Two heads of epoch ${head.head.epoch} commit to different keys`);
  }
  return await viewOf({ ...view, head });
}
