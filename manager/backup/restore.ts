/** Restores a manager from a backup into a new data folder (shared/spec/backup.md, "Restoring"). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile } from "../../shared/database/query.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
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
import { type BackupContents, readBackup } from "./read.ts";
import { type BackupSecret, openBackupKey } from "./recipients.ts";

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
    const judgement = judgeRestore(await heldBy(db, contents), look);
    const confirmed = await options.confirm(judgement, contents);
    const opened = judgement.losses.edge === "newer" ? look?.opened ?? null : null;
    const caughtUp = opened !== null ? await atEdge(() => catchUp(db, opened, now)) : null;
    const life = await beginAgain(db, look, confirmed, now, random);
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

const READABLE = "With the recovery key, what the edge holds could be read back; the first turn replaces it.";

/** What catching up cannot bring back (spec: BACKUP-18). */
const IN_NO_ROW =
  "No row says whether a message went out since, so those are held. Alarms, settings, keys for releases, registrations and what updates " +
  "remember are as they were at the backup: look at postern settings, key list, instance show and update status.";

/** What the owner is told as long as it is not cleared (spec: BACKUP-12). */
export function lossText(
  { losses, candidates }: Judgement,
  { time, head }: BackupContents,
  caughtUp: CaughtUp | null,
): string {
  const from = `Restored from a backup of ${new Date(time).toISOString()}, generation ${head?.generation ?? 0}.`;
  const taken = losses.submissions.map((one) => `${one.to - one.from + 1} of ${nameIn(candidates, one.device)}`);
  const submissions = taken.length === 0 ? "no submissions were taken" : `submissions were taken: ${taken.join(", ")}`;
  const effect = caughtUp === null || taken.length === 0 ? "" : " What they brought is among what was read back.";
  const known = {
    none: "The edge showed no head: what came since cannot be said.",
    older: "The edge showed an older head than the backup's: what came since cannot be said.",
    same: "The edge showed nothing newer.",
    newer: `As far as the edge showed, ${losses.generations} generations came since, in which ${submissions}.${effect}`,
  }[losses.edge];
  const gone = candidates.filter(({ atEdge }) => atEdge === "gone").map(({ name }) => name);
  const came = candidates.filter(({ isNew }) => isNew !== null).map(({ name }) => name);
  const devices = losses.knowsDevices
    ? [
      ...(gone.length === 0 ? [] : [`Revoked since: ${gone.join(", ")}.`]),
      ...(came.length === 0 ? [] : [`Paired since: ${came.join(", ")}.`]),
    ]
    : ["Which devices came or went since cannot be said.", ...(losses.edge === "newer" ? [READABLE] : [])];
  const back = caughtUp === null
    ? []
    : [`Read back from the edge: ${caughtUp.messages} messages, ${caughtUp.certificates} certificates.`];
  const doubtful = caughtUp === null || caughtUp.doubtful === 0
    ? []
    : [`${caughtUp.doubtful} certificates of the backup were not at the edge, and wait for your review.`];
  return [from, known, ...devices, ...back, IN_NO_ROW, ...doubtful].join(" ");
}

function nameIn(candidates: Judgement["candidates"], device: Bytes): string {
  return candidates.find(({ id }) => equalBytes(id, device))?.name ?? `device ${toHex(device).slice(0, 8)}`;
}
