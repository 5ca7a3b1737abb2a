/** The certificates that the manager knows, each with its two entries: by fingerprint and by subject. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query, toFlag } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type CertificateContent, encodeCertificate } from "../../shared/protocol/plaintexts.ts";
import { CERTIFICATE_STATUS, type CertificateStatus } from "../../shared/protocol/tables.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { displayDn } from "../../shared/x509/dn.ts";
import { putEntry, removeEntry } from "../store/entries.ts";
import { retryConflicts } from "../store/retry.ts";
import type { CertificatesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

/** A certificate with the manager's judgement of it. */
export interface JudgedCertificate {
  readonly certificate: Certificate;
  readonly status: CertificateStatus;
  /** Why it is not usable; empty otherwise. */
  readonly reason: string;
  readonly origin: CertificateContent["origin"];
  readonly note: string;
  /** Whether the owner trusts it to vouch for others. */
  readonly isAnchor: boolean;
  /** Whether it waits for the owner's own word, whoever vouches for it; not if absent. */
  readonly isHeld?: boolean;
}

type Line = Omit<CertificatesTable, "der">;

const LINE = [
  ...["fingerprint", "subject", "issuer", "display_subject", "not_before", "not_after", "status", "reason"] as const,
  ...["origin", "note", "anchor", "held", "subject_number", "added"] as const,
] as const;

type InsertValues = CertificatesTable & Record<string, string | number | Bytes>;

const insert = query((p: InsertValues) =>
  tables.insertInto("certificates").values({
    ...{ fingerprint: p.fingerprint, der: p.der, subject: p.subject, issuer: p.issuer, added: p.added },
    ...{ display_subject: p.display_subject, not_before: p.not_before, not_after: p.not_after, status: p.status },
    ...{
      reason: p.reason,
      origin: p.origin,
      note: p.note,
      anchor: p.anchor,
      held: p.held,
      subject_number: p.subject_number,
    },
  })
);
const byFingerprint = query((p: { fingerprint: Bytes }) =>
  tables.selectFrom("certificates").selectAll().where("fingerprint", "=", p.fingerprint).limit(1)
);
const between = query((p: { from: Bytes; to: Bytes }) =>
  tables.selectFrom("certificates").selectAll().where("fingerprint", ">=", p.from).where("fingerprint", "<=", p.to)
    .limit(2)
);
const bySubject = query((p: { subject: string }) =>
  tables.selectFrom("certificates").selectAll().where("subject", "=", p.subject).orderBy("subject_number")
);
const highestNumber = query((p: { subject: string }) =>
  tables.selectFrom("certificates").select((e) => e.fn.max<number | null>("subject_number").as("number"))
    .where("subject", "=", p.subject)
);
const lines = query((p: { limit: number }) =>
  tables.selectFrom("certificates").select(LINE).orderBy("display_subject").orderBy("fingerprint").limit(p.limit)
);
const linesByStatus = query((p: { status: number; limit: number }) =>
  tables.selectFrom("certificates").select(LINE).where("status", "=", p.status).orderBy("display_subject")
    .orderBy("fingerprint").limit(p.limit)
);
const update = query((p: { fingerprint: Bytes; status: number; reason: string; anchor: number; held: number }) =>
  tables.updateTable("certificates").set({ status: p.status, reason: p.reason, anchor: p.anchor, held: p.held })
    .where("fingerprint", "=", p.fingerprint)
);
const remove = query((p: { fingerprint: Bytes }) =>
  tables.deleteFrom("certificates").where("fingerprint", "=", p.fingerprint)
);
const counts = compile(
  tables.selectFrom("certificates").select("status").select((e) => e.fn.countAll<number>().as("count")).groupBy(
    "status",
  ),
);

/** A certificate as stored. */
export async function findCertificate(db: Database, fingerprint: Bytes): Promise<CertificatesTable | null> {
  return (await db.execute(byFingerprint.bind({ fingerprint }))).rows[0] ?? null;
}

/** All certificates with this canonical subject. */
export async function findBySubject(db: Database, subject: string): Promise<readonly CertificatesTable[]> {
  return (await db.execute(bySubject.bind({ subject }))).rows;
}

/** Certificates without their bytes, by subject. */
export async function listCertificates(
  db: Database,
  options: { status?: CertificateStatus; limit: number },
): Promise<readonly Line[]> {
  const { status, limit } = options;
  const statement = status === undefined
    ? lines.bind({ limit })
    : linesByStatus.bind({ status: CERTIFICATE_STATUS[status], limit });
  return (await db.execute(statement)).rows;
}

/** How many there are of each status. */
export async function countCertificates(db: Database): Promise<Readonly<Record<CertificateStatus, number>>> {
  const { rows } = await db.execute(counts);
  const count = (status: CertificateStatus) =>
    rows.find((row) => row.status === CERTIFICATE_STATUS[status])?.count ?? 0;
  return { blocked: count("blocked"), usable: count("usable"), waiting: count("waiting") };
}

/**
 * Prepares the statements that add a certificate, for a batch with whatever else must happen with it. A concurrent
 * addition under the same subject makes the batch fail with a constraint: see `retryConflicts`.
 *
 * @returns null when it is already known
 */
export async function prepareCertificate(
  db: Database,
  judged: JudgedCertificate,
  now: number,
): Promise<readonly Statement<unknown>[] | null> {
  const { certificate } = judged;
  if (await findCertificate(db, certificate.fingerprint) !== null) return null;
  const { rows: [last] } = await db.execute(highestNumber.bind({ subject: certificate.subject }));
  const row = rowOf(certificate, {
    ...{ status: CERTIFICATE_STATUS[judged.status], reason: judged.reason, origin: judged.origin, note: judged.note },
    ...{
      added: now,
      anchor: toFlag(judged.isAnchor),
      held: toFlag(judged.isHeld === true),
      subject_number: (last?.number ?? -1) + 1,
    },
  });
  return [insert.bind({ ...row }), ...entriesOf(row)];
}

/** What the manager keeps of a certificate beside what stands in it. */
export type Kept = Pick<
  CertificatesTable,
  "status" | "reason" | "origin" | "note" | "added" | "anchor" | "held" | "subject_number"
>;

function rowOf(certificate: Certificate, kept: Kept): CertificatesTable {
  return {
    ...{ fingerprint: certificate.fingerprint, der: certificate.der, subject: certificate.subject },
    ...{ issuer: certificate.issuer, display_subject: displayDn(certificate.subjectName) },
    ...{ not_before: certificate.notBefore, not_after: certificate.notAfter },
    ...kept,
  };
}

/** Stores a certificate whose entries are there already. */
export function insertCertificate(certificate: Certificate, kept: Kept): Statement<never> {
  return insert.bind({ ...rowOf(certificate, kept) });
}

/** What the manager may think otherwise of later. */
type Judgement = Pick<CertificatesTable, "status" | "reason" | "anchor" | "held">;

/** Changes the judgement of a certificate whose entries say so already. */
export function judgeAs(
  { fingerprint, status, reason, anchor, held }: Pick<CertificatesTable, "fingerprint" | keyof Judgement>,
): Statement<never> {
  return update.bind({ fingerprint, status, reason, anchor, held });
}

/** Adds a certificate. Returns false when it is already known. */
export function addCertificate(db: Database, judged: JudgedCertificate, now: number): Promise<boolean> {
  return retryConflicts(async () => {
    const statements = await prepareCertificate(db, judged, now);
    if (statements === null) return false;
    await db.batch(statements);
    return true;
  });
}

/**
 * The owner's decision about a certificate, or what follows from one.
 *
 * @param decision `isAnchor` stays as it is if absent; `isHeld` is not the case if absent
 * @throws `not_found`
 */
export async function decideCertificate(
  db: Database,
  fingerprint: Bytes,
  decision: { status: CertificateStatus; reason: string; isAnchor?: boolean; isHeld?: boolean },
): Promise<CertificatesTable> {
  const found = await findCertificate(db, fingerprint);
  if (found === null) throw new PosternError("not_found", "There is no certificate with this fingerprint");
  const { status, reason, isAnchor = found.anchor === 1, isHeld = false } = decision;
  const judged = { status: CERTIFICATE_STATUS[status], reason, anchor: toFlag(isAnchor), held: toFlag(isHeld) };
  const decided = { ...found, ...judged };
  await db.batch([judgeAs(decided), ...entriesOf(decided)]);
  return decided;
}

/** Forgets a certificate altogether. @throws `not_found` */
export async function removeCertificate(db: Database, fingerprint: Bytes): Promise<void> {
  const found = await findCertificate(db, fingerprint);
  if (found === null) throw new PosternError("not_found", "There is no certificate with this fingerprint");
  await db.batch([
    remove.bind({ fingerprint }),
    removeEntry(LISTS.fingerprint(fingerprint), 0),
    removeEntry(LISTS.subject(found.subject), found.subject_number),
  ]);
}

/** Both rows of a certificate are complete, so that either lookup needs one round trip. */
function entriesOf(row: CertificatesTable): Statement<unknown>[] {
  const plaintext = encodeCertificate({
    der: row.der,
    status: row.status as CertificateContent["status"],
    added: row.added,
    origin: row.origin as CertificateContent["origin"],
    note: row.note,
    isAnchor: row.anchor === 1,
    reason: row.reason.slice(0, LIMITS.maxNoteChars).toWellFormed(),
  });
  return [
    putEntry(LISTS.fingerprint(row.fingerprint), 0, plaintext),
    putEntry(LISTS.subject(row.subject), row.subject_number, plaintext),
  ];
}

/** The one certificate whose fingerprint begins with these bytes. @throws `not_found`, `usage` when there are several */
export async function findByPrefix(db: Database, prefix: Bytes): Promise<CertificatesTable> {
  const from = new Uint8Array(FINGERPRINT_BYTES);
  const to = new Uint8Array(FINGERPRINT_BYTES).fill(0xff);
  const known = prefix.subarray(0, FINGERPRINT_BYTES);
  from.set(known);
  to.set(known);
  const [only, second] = (await db.execute(between.bind({ from, to }))).rows;
  if (only === undefined || prefix.length > FINGERPRINT_BYTES) {
    throw new PosternError("not_found", "There is no certificate with this fingerprint");
  }
  if (second !== undefined) throw new PosternError("usage", "Several fingerprints begin like this; give more digits");
  return only;
}

const FINGERPRINT_BYTES = 32;
