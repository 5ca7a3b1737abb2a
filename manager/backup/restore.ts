/** Restores a manager from a backup into a new data folder (shared/spec/backup.md, "Restoring"). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile } from "../../shared/database/query.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { OtherHead } from "../../shared/protocol/head_code.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../shared/protocol/tables.ts";
import { allDevices } from "../devices/repository.ts";
import type { ImportedKey } from "../keys/export.ts";
import { bringRootBack } from "../owner/root_apart.ts";
import { fillNewFolder, type NewFolderOptions } from "../store/create.ts";
import { tables } from "../store/tables.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { catchUp, type CaughtUp } from "./catch_up.ts";
import { beginAgain, type NewLife } from "./begin_again.ts";
import { openBackupFile } from "./file.ts";
import { type ReadHeader, readHeader } from "./header.ts";
import { type Candidate, type Held, type Judgement, judgeRestore } from "./judge.ts";
import { finishLoading, loading } from "./load.ts";
import { lookAtEdge } from "./look.ts";
import { lossText, seenText } from "./loss_text.ts";
import { type BackupContents, readBackup } from "./read.ts";
import { type BackupSecret, openBackupKey } from "./recipients.ts";
import { judgeSeenHeads, lostHeads, type SeenHeads } from "./seen_heads.ts";

export interface RestoreOptions extends NewFolderOptions {
  /** Of the backup, absolute. */
  readonly file: string;
  /** What opens it, asked for once it is known for whom it was made. */
  readonly secret: (header: ReadHeader) => Promise<BackupSecret>;
  /** Seed of the recovery key, to see in the edge's newest head who is still there; null without. */
  readonly recoverySeed: Redacted<Bytes> | null;
  /** The root key of a backup that does not hold it, asked for only then; null when it is not at hand. */
  readonly root: (() => Promise<ImportedKey>) | null;
  /** Null when there is no edge to be asked. */
  readonly network: Surroundings | null;
  /** Heads that the owner's devices show. */
  readonly heads: readonly OtherHead[];
  /** The owner's word that what a device saw and the edge does not show is lost. */
  readonly isLossAccepted: boolean;
  /** The owner's word on which devices go on. */
  readonly confirm: (judgement: Judgement, contents: BackupContents) => Promise<readonly Candidate[]>;
  /** Bytes read, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Restored extends NewLife, Judgement {
  readonly contents: BackupContents;
  readonly confirmed: readonly Candidate[];
  /** What was read back from the edge; null when that could not be. */
  readonly caughtUp: CaughtUp | null;
  /** Whether an interrupted restore was found, and started over. */
  readonly hasRestarted: boolean;
}

const streams = compile(tables.selectFrom("streams").select(["device", "stream", "number"]));
const rowCounts = compile(
  tables.selectFrom("entries").select((e) => ["tbl", e.fn.countAll<number>().as("count")])
    .where("kind", "not like", "cover %").groupBy("tbl"),
);

/**
 * Restores. Until it has come to its end, the folder is no manager, and the next attempt starts over.
 *
 * @param now Millis
 * @throws `conflict` for a folder that is not empty; `wrong_key`, `tampered`, `unsupported` for the backup; `configuration` without the
 * root's key; `clock`; what {@link lookAtEdge}, `confirm`, {@link bringRootBack} and {@link beginAgain} throw
 */
// spec: BACKUP-08
export async function restoreManager(options: RestoreOptions, now: number, random: RandomBytes): Promise<Restored> {
  using file = await openBackupFile(options.file);
  const header = await readHeader(file.read);
  const secret = await options.secret(header);
  const key = await openBackupKey(header, secret, random);
  const seed = options.recoverySeed ?? (secret.kind === "recovery" ? secret.seed : null);
  const { made, hasRestarted } = await fillNewFolder(options, random, async (db) => {
    const contents = await readBackup(header, key, async (most) => {
      options.onProgress?.(file.at, file.size);
      return await file.read(most);
    }, loading(db));
    requireClock(contents.time, now);
    await finishLoading(db);
    if (!contents.hasRoot) await bringRoot(db, options.root, now);
    const { network } = options;
    const look = network === null ? null : await atEdge(() => lookAtEdge(db, seed, network));
    const seen = await atEdge(() => judgeSeenHeads(db, options.heads, look));
    if (network !== null && !options.isLossAccepted) await atEdge(() => requireShown(seen));
    const judgement = judgeRestore(await heldBy(db, contents), look, seen);
    const confirmed = await options.confirm(judgement, contents);
    const opened = judgement.losses.edge === "newer" ? look?.opened ?? null : null;
    const caughtUp = opened !== null ? await atEdge(() => catchUp(db, opened, now)) : null;
    const life = await beginAgain(db, look, confirmed, seen.lead, now, random);
    await raiseAlarm(db, "restored", lossText(judgement, contents, caughtUp), now);
    const held = life.held + (caughtUp?.held ?? 0);
    return { ...life, ...judgement, contents, confirmed, caughtUp, held };
  });
  return { ...made, hasRestarted };
}

/** A new life begins with a statement, which the root alone signs (spec: BACKUP-09). */
async function bringRoot(db: Database, root: RestoreOptions["root"], now: number): Promise<void> {
  if (root !== null) {
    await bringRootBack(db, await root(), now);
    return;
  }
  throw new PosternError("configuration", "The backup does not hold the root key: name the file that does, --root-key");
}

/** An edge that hides something at a restore is asked again, or the owner knows what it costs (spec: BACKUP-19). */
function requireShown(seen: SeenHeads): Promise<void> {
  if (lostHeads(seen).length === 0) return Promise.resolve();
  const text = `${seenText(seen)} Ask the edge again later, or go on without that: --accept-loss`;
  return Promise.reject(new PosternError("withheld", text));
}

/** What fails at the edge need not keep the owner from going on without it. */
async function atEdge<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isPosternError(error) || !OF_EDGE.includes(error.code)) throw error;
    throw new PosternError(error.code, `${error.message}. Without asking the edge: --offline`, { cause: error });
  }
}

const OF_EDGE: readonly ErrorCode[] = [
  ...["network", "unauthorized", "rate_limited", "tampered", "withheld", "forked", "rolled_back"] as const,
  ...["storage", "epoch_gone", "not_found"] as const,
];

/** A machine without a battery begins in 1970, and what it signs then binds what comes after. */
function requireClock(made: number, now: number): void {
  if (now >= made - LIMITS.maxClockLeadMillis) return;
  const times = `it is ${new Date(now).toISOString()} here, and the backup is of ${new Date(made).toISOString()}`;
  throw new PosternError("clock", `Set this machine's clock first: ${times}`);
}

async function heldBy(db: Database, { time, head }: BackupContents): Promise<Held> {
  const { rows: counted } = await db.execute(rowCounts);
  const rows = Object.fromEntries(
    TABLE_NAMES.map((name) => [name, counted.find(({ tbl }) => tbl === TABLES[name])?.count ?? 0]),
  ) as Record<TableName, number>;
  return {
    ...{ time, generation: head?.generation ?? 0, rows },
    devices: await allDevices(db),
    streams: (await db.execute(streams)).rows,
  };
}
