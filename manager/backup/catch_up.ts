/**
 * Reads back from the edge what came after the backup: certificates and messages of the newest head, which the recovery key opens. Every
 * row is verified as a device verifies a whole table (spec: BACKUP-18).
 */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { TableRow } from "../../shared/client/verify/open_content.ts";
import { TableVerifier } from "../../shared/client/verify/verify_table.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import type { Head } from "../../shared/protocol/head.ts";
import { MANAGER_DEVICE } from "../../shared/protocol/login.ts";
import { type CertificateContent, contentLeaf, type MessageContent } from "../../shared/protocol/plaintexts.ts";
import { certificateAtEdge, doubtCertificate } from "../certificates/at_edge.ts";
import type { EdgeLink } from "../edge/link.ts";
import { messagesAtEdge } from "../messages/at_edge.ts";
import { holdOutgoing } from "../messages/outgoing.ts";
import { putEntry } from "../store/entries.ts";
import { tables } from "../store/tables.ts";

/** What came back. */
export interface CaughtUp {
  readonly messages: number;
  /** New, or judged otherwise since. */
  readonly certificates: number;
  /** Certificates of the backup that the edge no longer had: they wait for the owner's word. */
  readonly doubtful: number;
  /** Messages that devices or the owner had handed in to be sent, of which nobody knows whether they were. */
  readonly held: number;
}

/** The newest state that the edge showed, opened. */
export interface OpenedEdge {
  readonly link: Pick<EdgeLink, "tablePage">;
  readonly head: Head;
  readonly keys: EpochKeys;
}

type Summary = Omit<MessageContent, "inline">;

const hashOf = query((p: { key: Bytes }) =>
  tables.selectFrom("entries").select("content_hash").where("content_key", "=", p.key).limit(1)
);
const fingerprints = compile(tables.selectFrom("certificates").select("fingerprint"));

/**
 * Puts what the edge has beyond the database into it. The database is given up when anything fails: nothing counts before the tables were
 * whole.
 *
 * @param now Millis
 * @throws `tampered`, `withheld`
 */
export async function catchUp(db: Database, edge: OpenedEdge, now: number): Promise<CaughtUp> {
  const messages: Summary[] = [];
  const seen = new Set<string>();
  let certificates = 0;
  await eachRow(edge, "messages", async (rows) => {
    const fresh = await freshRows(db, rows);
    await db.batch(fresh.flatMap((row) => [entryOf(row), ...channelsOf(row)]));
    for (const { content } of fresh) if (content.kind === "message") messages.push(summaryOf(content.message));
  });
  await eachRow(edge, "certificates", async (rows) => {
    for (const { content } of rows) {
      if (content.kind === "certificate") seen.add(toHex(sha256(content.certificate.der)));
    }
    const fresh = await freshRows(db, rows);
    const bySubject = fresh.flatMap(({ content, place, number }): [CertificateContent, number][] =>
      content.kind === "certificate" && place?.list.kind === "subject" ? [[content.certificate, number]] : []
    );
    const changed = await Promise.all(bySubject.map(([content, number]) => certificateAtEdge(db, content, number)));
    await db.batch([...fresh.map(entryOf), ...changed]);
    certificates += changed.length;
  });
  await messagesAtEdge(db, messages);
  const sent = messages.filter(({ direction }) => direction === "out");
  await db.batch(sent.map(({ id }) => holdOutgoing(id, MANAGER_DEVICE, "read back from the edge", now)));
  return { messages: messages.length, certificates, held: sent.length, doubtful: await doubtMissing(db, seen) };
}

/** Fetches a table, page by page, and hands it on opened; returns once it was whole. */
async function eachRow(
  { link, head, keys }: OpenedEdge,
  table: "messages" | "certificates",
  take: (rows: readonly TableRow[]) => Promise<void>,
): Promise<void> {
  const verifier = new TableVerifier(keys, table, head.tables[table]);
  for (let goesOn = true; goesOn;) {
    const { rows, next } = await link.tablePage(table, head.epoch, head.generation, verifier.after);
    await take(await verifier.add(rows));
    goesOn = verifier.goesOn(rows.length, next);
  }
  verifier.finish();
}

/** Those that the database does not have so. */
async function freshRows(db: Database, rows: readonly TableRow[]): Promise<TableRow[]> {
  const fresh: TableRow[] = [];
  for (const row of rows) {
    if (row.place === null) continue;
    const { key, value } = contentLeaf(row.place.list, row.place.number, row.plaintext);
    const { rows: [known] } = await db.execute(hashOf.bind({ key }));
    if (known === undefined || !equalBytes(known.content_hash, value)) fresh.push(row);
  }
  return fresh;
}

function entryOf({ place, plaintext }: TableRow): Statement<never> {
  if (place === null) throw new TypeError("A cover row has no place");
  return putEntry(place.list, place.number, plaintext);
}

const insertChannel = query((p: { number: number; name: string; created: number }) =>
  tables.insertInto("channels").values({ number: p.number, name: p.name, created: p.created, last_position: 0 })
    .onConflict((c) => c.doNothing())
);

function channelsOf({ content, number }: TableRow): Statement<never>[] {
  if (content.kind !== "channel") return [];
  const { name, created } = content.channel;
  return [insertChannel.bind({ number, name, created })];
}

function summaryOf({ inline: _, ...summary }: MessageContent): Summary {
  return summary;
}

/** One that is not at the edge was removed after the backup, or had just been added when it was made: the owner knows. Returns how many wait. */
async function doubtMissing(db: Database, seen: ReadonlySet<string>): Promise<number> {
  const { rows } = await db.execute(fingerprints);
  const missing = rows.filter(({ fingerprint }) => !seen.has(toHex(fingerprint)));
  let doubtful = 0;
  for (const { fingerprint } of missing) if (await doubtCertificate(db, fingerprint)) doubtful++;
  return doubtful;
}
