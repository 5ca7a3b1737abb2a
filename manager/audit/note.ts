/** Notes events that change no row of the database; those that do are noted by triggers (manager/store/audit_triggers.ts). */
import type { Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { tables } from "../store/tables.ts";
import type { EventKind } from "./kinds.ts";

/** What an event says beyond its subject. Never a secret: the trail is shown, exported and backed up. */
export type EventDetail = Readonly<Record<string, string | number | boolean | null>>;

const insert = query((p: { time: number; kind: string; subject: string; detail: string }) =>
  tables.insertInto("events").values({ time: p.time, kind: p.kind, subject: p.subject, detail: p.detail, hash: null })
);

// spec: AUDIT-01
/**
 * Notes an event. Put it into the batch with what it tells of; where that is no change of the database, execute it before: what was
 * begun is noted, even if it never ended.
 *
 * @param now Millis
 */
export function noteEvent(kind: EventKind, subject: string, detail: EventDetail, now: number): Statement<never> {
  // The driver refuses NUL in a text.
  return insert.bind({ time: now, kind, subject: subject.replaceAll("\0", "\ufffd"), detail: JSON.stringify(detail) });
}
