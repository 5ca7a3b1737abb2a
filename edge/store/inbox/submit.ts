/** Taking submissions and their parts (shared/spec/inbox.md). */
import { type RawBuilder, sql } from "kysely";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { failedConstraint } from "../../../shared/database/failures.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { SignedSubmission } from "../../../shared/protocol/submission.ts";
import { type Credentials, credentials, deviceAdmitted } from "../admit.ts";
import { template, templateOfOne } from "../builder.ts";
import { check, failedCheck, refusal } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { ALIVE } from "../schema.ts";

const ownerNo = (p: { owner: Bytes }) => sql`(SELECT no FROM owners WHERE id = ${p.owner})`;

const admitted = check<Credentials>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${deviceAdmitted(p)}) THEN 'unauthorized' END`
);

/** 'inbox_full' when what a device or its owner has there, this one included, is over a limit (spec: INBOX-11). */
const room = (column: "submissions" | "bytes", device: number, owner: number) =>
  check<{ owner: Bytes; device: Bytes }>((p) => {
    const used = sql.ref(`u.${column}`);
    const sum = (condition: RawBuilder<unknown>) =>
      sql`(SELECT SUM(${used}) FROM owners o JOIN inbox_usage u ON u.owner = o.no
        WHERE o.id = ${p.owner} ${condition})`;
    return sql`CASE WHEN ${sum(sql`AND u.device = ${p.device}`)} > ${sql.lit(device)}
      OR ${sum(sql``)} > ${sql.lit(owner)} THEN 'inbox_full' END`;
  });
const roomForSubmission = room("submissions", LIMITS.maxInboxDeviceSubmissions, LIMITS.maxInboxSubmissions);
const roomForPart = room("bytes", LIMITS.maxInboxDevicePartBytes, LIMITS.maxInboxPartBytes);

type Named = { readonly owner: Bytes; readonly device: Bytes; readonly hashes: Bytes; readonly sizes: string };

/** The parts named, as they lie there. */
const parts = (p: Named) =>
  sql`owners o CROSS JOIN json_each(${p.sizes}) j CROSS JOIN inbox_parts a ON a.owner = o.no
    AND a.device = ${p.device} AND a.hash = substr(${p.hashes}, j.key * 32 + 1, 32) AND a.size = j.value`;

const partsThere = check<Named & { readonly count: number }>((p) =>
  sql`CASE WHEN (SELECT COUNT(*) FROM ${parts(p)} WHERE o.id = ${p.owner}) <> ${p.count} THEN 'part_missing' END`
);

const nextArrival = template<{ owner: Bytes }, never>((p) =>
  sql`INSERT INTO inbox_arrivals (owner, last) SELECT no, 1 FROM owners WHERE id = ${p.owner}
    ON CONFLICT (owner) DO UPDATE SET last = last + 1`
);

interface Entry extends Record<string, Bytes | number> {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly stream: Bytes;
  readonly number: number;
  readonly digest: Bytes;
  readonly size: number;
}

const insertEntry = template<Entry, never>((p) =>
  sql`INSERT INTO inbox (owner, arrival, device, stream, number, digest, size, gone)
    SELECT a.owner, a.last, ${p.device}, ${p.stream}, ${p.number}, ${p.digest}, ${p.size}, ${sql.lit(ALIVE)}
    FROM inbox_arrivals a WHERE a.owner = ${ownerNo(p)}`
);
const insertBody = template<{ owner: Bytes; body: Bytes }, never>((p) =>
  sql`INSERT INTO inbox_bodies (owner, arrival, body)
    SELECT a.owner, a.last, ${p.body} FROM inbox_arrivals a WHERE a.owner = ${ownerNo(p)}`
);
const nameParts = template<Named, never>((p) =>
  sql`INSERT INTO inbox_named (owner, arrival, hash, device)
    SELECT o.no, (SELECT l.last FROM inbox_arrivals l WHERE l.owner = o.no), a.hash, a.device
    FROM ${parts(p)} WHERE o.id = ${p.owner}`
);

const selectDigest = templateOfOne<{ owner: Bytes; device: Bytes; stream: Bytes; number: number }, { digest: Bytes }>((
  p,
) =>
  sql`SELECT i.digest FROM inbox i WHERE i.owner = ${ownerNo(p)} AND i.device = ${p.device}
    AND i.stream = ${p.stream} AND i.number = ${p.number} LIMIT 1`
);

/**
 * Takes a submission; the same bytes again are success without effect (spec: INBOX-05).
 *
 * @param signed the submission as it was sent, which `decoded` was taken apart from
 * @throws `unauthorized`; `forbidden` when it is another's than the session's; `not_found` when a part it names is
 * not there; `conflict` when its number is taken by other bytes; `too_large` when the inbox is full (spec: INBOX-11)
 */
export async function submit(
  database: Database,
  principal: Principal,
  signed: Bytes,
  { submission }: SignedSubmission,
): Promise<void> {
  const { owner, device, stream, number } = submission;
  const isOwn = !principal.manager && equalBytes(owner, principal.owner) && equalBytes(device, principal.device);
  if (!isOwn) throw new PosternError("forbidden", "The submission is of another owner or device than the session");
  const named = { owner, device, ...packParts(submission.parts) };
  const place = { owner, device, stream, number };
  const digest = sha256(signed);
  const entry = { ...place, digest, size: signed.length };
  try {
    await database.batch([
      admitted.bind(credentials(principal)),
      nextArrival.bind({ owner }),
      insertEntry.bind(entry),
      insertBody.bind({ owner, body: signed }),
      roomForSubmission.bind({ owner, device }),
      ...(submission.parts.length === 0 ? [] : [partsThere.bind(named), nameParts.bind(named)]),
    ], { idempotent: true });
  } catch (error) {
    const reason = failedCheck(error);
    if (reason !== undefined) throw refusal(reason, error);
    if (failedConstraint(error)?.kind !== "unique") throw error;
    const { rows: [held] } = await database.execute(selectDigest.bind(place));
    if (held === undefined || !equalBytes(held.digest, digest)) {
      throw new PosternError("conflict", `Number ${number} of this stream is taken by another submission`, {
        cause: error,
      });
    }
  }
}

/** @throws `malformed` when a part is named twice, which has no use */
function packParts(
  named: readonly { readonly hash: Bytes; readonly size: number }[],
): { hashes: Bytes; sizes: string; count: number } {
  if (new Set(named.map(({ hash }) => toHex(hash))).size !== named.length) {
    throw new PosternError("malformed", "A submission names a part twice");
  }
  const hashes = new Uint8Array(32 * named.length);
  for (const [index, { hash }] of named.entries()) hashes.set(hash, 32 * index);
  return { hashes, sizes: JSON.stringify(named.map(({ size }) => size)), count: named.length };
}

interface Part extends Record<string, Bytes | number> {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly hash: Bytes;
  readonly size: number;
  readonly now: number;
}

const insertPart = template<Part, never>((p) =>
  sql`INSERT INTO inbox_parts (owner, device, hash, size, created)
    SELECT no, ${p.device}, ${p.hash}, ${p.size}, ${p.now} FROM owners WHERE id = ${p.owner} ON CONFLICT DO NOTHING`
);
const insertPartBody = template<{ owner: Bytes; device: Bytes; hash: Bytes; body: Bytes }, never>((p) =>
  sql`INSERT INTO inbox_part_bodies (owner, device, hash, body)
    SELECT no, ${p.device}, ${p.hash}, ${p.body} FROM owners WHERE id = ${p.owner} ON CONFLICT DO NOTHING`
);

/**
 * Stores an encrypted part ahead of the submission that names it; again is success without effect (spec: INBOX-04).
 *
 * @throws `unauthorized`; `forbidden` for the manager; `malformed` when the hash is not the part's, or the part
 * smaller than any sealed one; `too_large` when there is no room for it (spec: INBOX-11)
 */
export async function putPart(
  database: Database,
  principal: Principal,
  hash: Bytes,
  part: Bytes,
  now: number,
): Promise<void> {
  if (principal.manager) throw new PosternError("forbidden", "Only devices hand in parts");
  if (!equalBytes(sha256(part), hash)) throw new PosternError("malformed", "The part's hash is another than its name");
  if (part.length < LIMITS.minSealedPartBytes) throw new PosternError("malformed", "The part is no sealed one");
  const { owner, device } = principal;
  try {
    await database.batch([
      admitted.bind(credentials(principal)),
      insertPart.bind({ owner, device, hash, size: part.length, now }),
      insertPartBody.bind({ owner, device, hash, body: part }),
      roomForPart.bind({ owner, device }),
    ], { idempotent: true });
  } catch (error) {
    const reason = failedCheck(error);
    throw reason === undefined ? error : refusal(reason, error);
  }
}
