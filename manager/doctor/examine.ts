/** Gathers what the doctor judges. Everything that goes wrong on the way is a fact as well. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { decodeAs } from "../../shared/protocol/shapes.ts";
import { exchange } from "../../shared/client/session/http.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { pathOf } from "../../shared/protocol/paths.ts";
import { ANSWERS } from "../../shared/protocol/wire.ts";
import { connectEdge } from "../edge/connect.ts";
import type { EdgeState } from "../edge/link.ts";
import { checkPermissions, type PermissionFinding, type PrivatePath } from "../files/permissions.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import type { KekRegistry } from "../keys/provider.ts";
import { currentStatement } from "../owner/statement.ts";
import { reconcile, type Reconciled } from "../push/plan/reconcile.ts";
import { folderPaths, type FolderState, folderState, type KekPlace, readSettings } from "../store/folder.ts";
import { openManager } from "../store/open.ts";
import { examineKek, type KekFacts } from "./examine_kek.ts";
import { type Overview, readOverview } from "./overview.ts";
import { type Tried, tried } from "./tried.ts";

export interface ExamineOptions {
  readonly folder: string;
  readonly kek: () => Promise<KekRegistry>;
  readonly uid: number | null;
  readonly network: Surroundings;
  readonly isOffline: boolean;
}

export interface DatabaseFacts {
  readonly overview: Overview;
  /** What SQLite says of the file: `ok`, or what is broken. */
  readonly integrity: string;
}

/** What a login showed. */
export interface LoginFacts {
  readonly state: EdgeState;
  /** What it came to, held against what the manager had pushed. */
  readonly agreed: Tried<Reconciled>;
}

export interface EdgeFacts {
  /** The edge's clock minus this one, in Millis, and how far that may be off. */
  readonly clock: Tried<{ readonly aheadMillis: number; readonly uncertainMillis: number }>;
  /** Null when it could not be reached at all. */
  readonly login: Tried<LoginFacts> | null;
}

export interface Facts {
  readonly folder: string;
  readonly state: Tried<FolderState>;
  readonly permissions: readonly PermissionFinding[];
  /** Null for a KEK that needs nothing beside its secret. */
  readonly kek: KekFacts | null;
  /** Bytes free on the disk; null where that cannot be told. */
  readonly freeBytes: number | null;
  readonly database: Tried<DatabaseFacts> | null;
  /** Null without a database, or offline. */
  readonly edge: EdgeFacts | null;
}

/** Looks at everything, and changes nothing. */
export async function examine(options: ExamineOptions): Promise<Facts> {
  const { folder, uid } = options;
  const state = await tried(() => folderState(folder));
  const isReady = state.ok && state.value === "ready";
  const place = isReady ? await kekPlace(folder) : {};
  const permissions = isReady ? await checkPermissions(privatePaths(folder, place), uid) : [];
  const kek = await examineKek(place, folder);
  const found = { folder, state, permissions, kek, freeBytes: await freeSpace(folder) };
  if (!isReady) return { ...found, database: null, edge: null };
  const opened = await tried(() => openManager(options));
  if (!opened.ok) return { ...found, database: opened, edge: null };
  const db = opened.value;
  try {
    const database = await tried(() => examineDatabase(db));
    const edge = database.ok && !options.isOffline
      ? await examineEdge(db, database.value.overview, options.network)
      : null;
    return { ...found, database, edge };
  } finally {
    await db.close();
  }
}

async function kekPlace(folder: string): Promise<KekPlace> {
  const settings = await tried(() => readSettings(folder));
  return settings.ok ? settings.value.kek : {};
}

function privatePaths(folder: string, { keyFile, pkiKey }: KekPlace): PrivatePath[] {
  const paths = folderPaths(folder);
  return [
    { path: folder, kind: "folder" },
    { path: paths.settings, kind: "file" },
    { path: paths.key, kind: "file" },
    { path: paths.database, kind: "file" },
    ...[keyFile, pkiKey].flatMap((path) => path === undefined ? [] : [{ path, kind: "file" } as const]),
  ];
}

async function freeSpace(folder: string): Promise<number | null> {
  for (const path of [folder, dirname(folder)]) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch (error) {
      // Not there, or a system that does not tell: the folder's own check says what matters.
      if (!(error instanceof Error)) throw error;
    }
  }
  return null;
}

async function examineDatabase(db: Database): Promise<DatabaseFacts> {
  const { rows } = await db.execute<Record<string, unknown>>({ sql: "PRAGMA quick_check(1)", params: [] });
  const integrity = String(Object.values(rows[0] ?? {})[0] ?? "no answer");
  return { overview: await readOverview(db), integrity };
}

async function examineEdge(db: Database, { owner, origin }: Overview, network: Surroundings): Promise<EdgeFacts> {
  const clock = await tried(async () => {
    const started = network.monotonic();
    const url = origin + pathOf("challenge", { owner });
    const what = "Asking the edge for its time";
    const answer = await exchange(network, { url, method: "GET", headers: {}, body: null, what });
    if (answer.status !== 200) {
      throw new PosternError("network", `${what}: it answered ${answer.status}, as no edge of Postern would`);
    }
    const uncertainMillis = network.monotonic() - started;
    const { time } = decodeAs(ANSWERS.challenge, answer.body, "challenge");
    return { aheadMillis: time - (network.now() - uncertainMillis / 2), uncertainMillis };
  });
  if (!clock.ok) return { clock, login: null };
  const login = await tried(async () => {
    const state = await (await connectEdge(db, network)).state();
    return { state, agreed: await tried(() => compare(db, state)) };
  });
  return { clock, login };
}

async function compare(db: Database, { head }: EdgeState): Promise<Reconciled> {
  const newest = await newestHead(db);
  const committed = newest === null ? 0 : newest.committed === 1 ? newest.generation : newest.generation - 1;
  const ours = head === null ? null : await findHead(db, head.head.generation);
  return reconcile(head, ours, newest, committed, await currentStatement(db));
}
