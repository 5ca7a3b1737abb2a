/** Reads the audit trail by what happened, to what, and when. */
import { sql } from "kysely";
import type { Database } from "../../shared/database/database.ts";
import { compile } from "../../shared/database/query.ts";
import { tables } from "../store/tables.ts";
import type { StoredEvent } from "./chain.ts";

export interface EventFilter {
  /** Kinds, or the part of one before the dot: `device` for all `device.`; none means all. */
  readonly kinds: readonly string[];
  /** A part of the subject or the detail, small and capital letters alike. */
  readonly text: string | null;
  /** Millis, both included. */
  readonly since: number | null;
  readonly until: number | null;
  /** The newest so many. */
  readonly last: number;
}

/** The events that fit, oldest first. */
export async function readEvents(db: Database, filter: EventFilter): Promise<readonly StoredEvent[]> {
  const { kinds, text, since, until, last } = filter;
  let events = tables.selectFrom("events").selectAll();
  if (kinds.length > 0) {
    events = events.where((e) =>
      e.or(kinds.map((kind) => kind.includes(".") ? e("kind", "=", kind) : e("kind", "like", `${kind}.%`)))
    );
  }
  if (text !== null) {
    events = events.where(sql<boolean>`instr(lower(subject || ' ' || detail), lower(${text})) > 0`);
  }
  if (since !== null) events = events.where("time", ">=", since);
  if (until !== null) events = events.where("time", "<=", until);
  const { rows } = await db.execute(compile(events.orderBy("number", "desc").limit(last)));
  return rows.toReversed();
}
