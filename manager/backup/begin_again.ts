/** Begins a new life of a database that was loaded from a backup, in one step (spec: BACKUP-09, BACKUP-10, BACKUP-15). */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { EMPTY_HISTORY, encodeHistory } from "../../shared/merkle/history.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { DeviceContent } from "../../shared/protocol/plaintexts.ts";
import { signStatement } from "../../shared/protocol/statement.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import { allDevices, deviceEntry, insertDevice } from "../devices/repository.ts";
import { forgetCommitted, newestHead } from "../heads/repository.ts";
import { takeOverAcknowledgements } from "../inbox/earlier_life.ts";
import { signingKey } from "../owner/keys.ts";
import { currentStatement, findStatement, putStatement } from "../owner/statement.ts";
import { type CounterName, COUNTERS, raise, readCounter, setCounter } from "../store/counters.ts";
import { putEntry, removeEntry } from "../store/entries.ts";
import { META, setBytes, setNumber } from "../store/meta.ts";
import type { DevicesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import type { Candidate } from "./judge.ts";
import type { EdgeLook } from "./look.ts";

const setState = query((p: { id: Bytes; state: string; revoked: number | null }) =>
  tables.updateTable("devices").set({ state: p.state, revoked: p.revoked }).where("id", "=", p.id)
);
const holdQueued = query((p: { detail: string }) =>
  tables.updateTable("outgoing").set({ state: "held", detail: p.detail }).where("state", "=", "queued")
);
const forgetChanged = compile(tables.deleteFrom("changed"));

/** The new life. */
export interface NewLife {
  readonly incarnation: Bytes;
  readonly statement: number;
  /** Generation of the head that it builds on; null if there is none. */
  readonly base: number | null;
  /** Messages that waited to be sent, and wait for the owner now. */
  readonly held: number;
}

/**
 * Signs the statement of the new incarnation, and makes everything ready for its first turn.
 *
 * @param confirmed the devices that go on
 * @param lead by how much a device saw more than the database and the edge show (spec: BACKUP-20)
 * @param now Millis
 * @throws `conflict` for a device that was revoked since; `too_large` for too many; `configuration` without the root's key
 */
export async function beginAgain(
  db: Database,
  look: EdgeLook | null,
  confirmed: readonly Candidate[],
  lead: number,
  now: number,
  random: RandomBytes,
): Promise<NewLife> {
  requireConfirmable(confirmed);
  const own = await currentStatement(db);
  const { root, bytes: _bytes, signed: _signed, hash: _hash, ...newest } =
    look !== null && look.statement.number > own.number ? look.statement : own;
  const last = await newestHead(db);
  const incarnation = random(16);
  const gap = LIMITS.restoreGap + lead;
  const number = newest.number + gap;
  const base = last === null ? null : { generation: last.generation, head: last.hash };
  const { sign } = await signingKey(db, "root");
  const signed = await signStatement(root, { ...newest, number, incarnation, time: now, base }, sign);
  const [edge] = newest.edges;
  if (edge === undefined) throw new PosternError("configuration", "The owner statement names no edge");
  const shown = look?.head?.head ?? null;
  const [, held] = await db.batch([
    forgetChanged,
    holdQueued.bind({ detail: "waited to be sent when the backup was made; it may have been sent since" }),
    ...await keepStatement(db, look, now),
    putStatement(number, signed, now),
    setBytes(META.incarnation, incarnation),
    setBytes(META.history, encodeHistory(EMPTY_HISTORY)),
    setBytes(META.recoveryKey, newest.recoveryKey),
    setBytes(META.origin, utf8(edge.origin)),
    setBytes(META.edgeKey, edge.key),
    setNumber(META.generationFloor, Math.max(last?.generation ?? 0, shown?.generation ?? 0) + gap),
    ...await raiseCounters(db, look, number, gap),
    ...await changeDevices(db, confirmed, now),
    ...await takeOverAcknowledgements(db, shown?.acks ?? [], now),
    forgetCommitted(),
  ]);
  return { incarnation, statement: number, base: base?.generation ?? null, held: held?.changes ?? 0 };
}

function requireConfirmable(confirmed: readonly Candidate[]): void {
  const gone = confirmed.find(({ atEdge }) => atEdge === "gone");
  if (gone !== undefined) {
    throw new PosternError("conflict", `The device '${gone.name}' was revoked after the backup, and cannot come back`);
  }
  if (confirmed.length > LIMITS.maxDevices) {
    throw new PosternError("too_large", `There can be ${LIMITS.maxDevices} devices; leave some out`);
  }
}

/** What was sealed under the edge's newest statement must open (spec: BACKUP-13). */
async function keepStatement(db: Database, look: EdgeLook | null, now: number): Promise<Statement<never>[]> {
  if (look === null || await findStatement(db, look.statement.number) !== null) return [];
  return [putStatement(look.statement.number, look.statement.signed, now)];
}

/**
 * No head says which number of a deletion the edge has seen; but each life begins with its statement's, and the lives before this one had
 * lower ones.
 */
async function raiseCounters(
  db: Database,
  look: EdgeLook | null,
  statement: number,
  gap: number,
): Promise<Statement<never>[]> {
  const registrations = (look?.devices ?? []).map(({ registration }) => registration);
  const least: readonly [CounterName, number][] = [
    [COUNTERS.epoch, look?.head?.head.epoch ?? 0],
    [COUNTERS.registration, Math.max(0, ...registrations)],
    [COUNTERS.deletion, statement],
  ];
  return await Promise.all(least.map(async ([name, seen]) => {
    return setCounter(name, Math.max(await readCounter(db, name), seen) + gap);
  }));
}

async function changeDevices(
  db: Database,
  confirmed: readonly Candidate[],
  now: number,
): Promise<Statement<unknown>[]> {
  const goesOn = new Set(confirmed.map(({ id }) => toHex(id)));
  const rows = await allDevices(db);
  const ended = rows.filter(({ id, state }) => state !== "revoked" && !goesOn.has(toHex(id)));
  const finished = rows.filter(({ id, state }) => state === "pending" && goesOn.has(toHex(id)));
  const fresh = confirmed.flatMap(({ isNew }) => isNew === null ? [] : [rowOf(isNew)]);
  return [
    // First of all, since a name may have passed on to another device.
    ...ended.flatMap(({ id }) => [
      setState.bind({ id, state: "revoked", revoked: now }),
      removeEntry(LISTS.device(id), 0),
    ]),
    ...finished.map(({ id }) => setState.bind({ id, state: "active", revoked: null })),
    ...fresh.map(insertDevice),
    ...[...finished, ...fresh].map((device) => putEntry(LISTS.device(device.id), 0, deviceEntry(device))),
    raise(COUNTERS.devicesVersion),
  ];
}

function rowOf(d: DeviceContent): DevicesTable {
  return {
    ...{ id: d.id, registration: d.registration, name: d.name, public_key: d.publicKey, certificate: d.certificate },
    ...{ suite: d.suite, kem_public_key: d.kemPublicKey, state: "active", pairing_request: null, pairing_grant: null },
    ...{ added: d.added, revoked: null },
  };
}
