/**
 * The chain of the audit trail: each event is hashed with the hash of the one before, so that whoever has noted the newest hash sees
 * whether anything before it was changed, taken out or put in (spec: AUDIT-02).
 *
 * SQL knows no SHA-256, so events are written without a hash, in the transaction that they tell of, and chained soon after. Which hash an event
 * gets follows from what is written already: any process may do it, and two at once do the same.
 */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { sha256, SHA256_BYTES } from "../../shared/crypto/hash.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { AUDIT_LABEL } from "../keys/labels.ts";
import type { EventsTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

/** An event as it is stored. */
export type StoredEvent = { readonly [K in keyof EventsTable]: K extends "number" ? number : EventsTable[K] };

/** A place in the chain: an event's number and hash. Number 0 is the beginning. */
export interface Checkpoint {
  readonly number: number;
  readonly hash: Bytes;
}

const BEGINNING: Checkpoint = { number: 0, hash: new Uint8Array(SHA256_BYTES) };

/** Events chained or checked at once. */
const PAGE = 500;

const lastChained = compile(
  tables.selectFrom("events").select(["number", "hash"]).where("hash", "is not", null).orderBy("number", "desc").limit(
    1,
  ),
);
const after = query((p: { number: number }) =>
  tables.selectFrom("events").selectAll().where("number", ">", p.number).orderBy("number").limit(PAGE)
);
const setHash = query((p: { number: number; hash: Bytes }) =>
  tables.updateTable("events").set({ hash: p.hash }).where("number", "=", p.number).where("hash", "is", null)
);

/** The hash of an event behind another. */
export function eventHash(
  previous: Bytes,
  event: Pick<StoredEvent, "number" | "time" | "kind" | "subject" | "detail">,
): Bytes {
  const { number, time, kind, subject, detail } = event;
  return sha256(encodeCbor([AUDIT_LABEL, previous, number, time, kind, subject, detail]));
}

/** Chains what is not chained yet. @returns the newest place; the beginning in an empty trail */
export async function chainEvents(db: Database): Promise<Checkpoint> {
  const { rows: [last] } = await db.execute(lastChained);
  let place: Checkpoint = last === undefined || last.hash === null
    ? BEGINNING
    : { number: last.number, hash: last.hash };
  for (;;) {
    const { rows } = await db.execute(after.bind({ number: place.number }));
    if (rows.length === 0) return place;
    const statements = [];
    for (const event of rows) {
      requireNext(place, event);
      place = { number: event.number, hash: eventHash(place.hash, event) };
      if (event.hash === null) statements.push(setHash.bind(place));
    }
    if (statements.length > 0) await db.batch(statements);
  }
}

/** What a check of the trail found. */
export interface TrailChecked {
  /** Events, all of them in the chain. */
  readonly events: number;
  /** The newest place, to be noted somewhere else. */
  readonly newest: Checkpoint;
}

/**
 * Checks the whole trail from its beginning.
 *
 * @param noted places that somebody noted earlier: the trail must go through each
 * @throws `tampered` for a trail that was changed; `rolled_back` for one that ends before a place that was noted
 */
// spec: AUDIT-03
export async function verifyTrail(db: Database, noted: readonly Checkpoint[]): Promise<TrailChecked> {
  const expected = Map.groupBy(noted, ({ number }) => number);
  const requireNoted = (at: Checkpoint) => {
    for (const { hash } of expected.get(at.number) ?? []) requireSame(at, hash, "the hash that was noted");
  };
  let place = BEGINNING;
  requireNoted(place);
  for (;;) {
    const { rows } = await db.execute(after.bind({ number: place.number }));
    if (rows.length === 0) break;
    for (const event of rows) {
      requireNext(place, event);
      place = { number: event.number, hash: eventHash(place.hash, event) };
      requireSame(place, event.hash, "its hash");
      requireNoted(place);
    }
  }
  const beyond = noted.find(({ number }) => number > place.number);
  if (beyond !== undefined) {
    throw new PosternError(
      "rolled_back",
      `The audit trail ends at event ${place.number}, before the noted event ${beyond.number}: it was cut off, or comes from a backup`,
    );
  }
  return { events: place.number, newest: place };
}

function requireNext(place: Checkpoint, { number }: { readonly number: number }): void {
  if (number === place.number + 1) return;
  throw new PosternError("tampered", `The audit trail has no event ${place.number + 1}: it was taken out`);
}

function requireSame({ number, hash }: Checkpoint, other: Bytes | null, what: string): void {
  if (other === null || equalBytes(hash, other)) return;
  throw new PosternError(
    "tampered",
    `Event ${number} of the audit trail does not fit ${what}: it, or one before it, was changed`,
  );
}
