/** How the manager stands, from its own database alone: what `status` shows and `doctor` judges. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import { decodeSignedHead, type Head } from "../../shared/protocol/head.ts";
import type { CertificateStatus } from "../../shared/protocol/tables.ts";
import { countCertificates } from "../certificates/repository.ts";
import { allDevices } from "../devices/repository.ts";
import { newestHead } from "../heads/repository.ts";
import { currentStatement } from "../owner/statement.ts";
import { changeCount, entryCount } from "../push/plan/changes.ts";
import { openPush } from "../push/records.ts";
import { COUNTERS, readCounter } from "../store/counters.ts";
import { countAllCovers } from "../store/covers.ts";
import { META, readBytes, readNumber } from "../store/meta.ts";
import { type OwnerPolicy, readPolicy } from "../store/policy.ts";
import type { DevicesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import { type Alarm, openAlarms } from "../sync/alarms.ts";

/** The newest head that was signed. */
export interface HeadOverview {
  readonly head: Head;
  /** Whether the edge has confirmed it. */
  readonly isCommitted: boolean;
}

export interface Overview {
  readonly owner: Bytes;
  readonly origin: string;
  readonly edgeKey: Bytes;
  readonly statement: number;
  readonly intervalMillis: number;
  readonly policy: OwnerPolicy;
  readonly head: HeadOverview | null;
  readonly devices: readonly DevicesTable[];
  readonly certificates: Readonly<Record<CertificateStatus, number>>;
  readonly messages: number;
  /** By state: `queued`, `held`, `sent`, `failed`. */
  readonly outgoing: Readonly<Record<string, number>>;
  /** Rows that the edge shall hold, cover rows aside. */
  readonly entries: number;
  readonly covers: number;
  /** Changes that the next push carries; null when it starts a new epoch and so carries everything. */
  readonly changes: number | null;
  readonly hasOpenPush: boolean;
  readonly alarms: readonly Alarm[];
}

const messageCount = compile(tables.selectFrom("messages").select((e) => e.fn.countAll<number>().as("count")));
const outgoingCounts = compile(
  tables.selectFrom("outgoing").select("state").select((e) => e.fn.countAll<number>().as("count")).groupBy("state"),
);
const epochInUse = compile(
  tables.selectFrom("epochs").select(["epoch", "devices_version"]).where("state", "=", "current").limit(1),
);

/** Reads everything. @throws `storage` for a damaged database */
export async function readOverview(db: Database): Promise<Overview> {
  const statement = await currentStatement(db);
  const newest = await newestHead(db);
  const [edge] = statement.edges;
  return {
    owner: await readBytes(db, META.owner),
    origin: edge?.origin ?? "",
    edgeKey: edge?.key ?? new Uint8Array(0),
    statement: statement.number,
    intervalMillis: await readNumber(db, META.intervalMillis),
    policy: await readPolicy(db),
    head: newest === null ? null : { head: decodeSignedHead(newest.signed).head, isCommitted: newest.committed === 1 },
    devices: await allDevices(db),
    certificates: await countCertificates(db),
    messages: (await db.execute(messageCount)).rows[0]?.count ?? 0,
    outgoing: Object.fromEntries((await db.execute(outgoingCounts)).rows.map(({ state, count }) => [state, count])),
    entries: await entryCount(db),
    covers: await countAllCovers(db),
    changes: await pendingChanges(db),
    hasOpenPush: await openPush(db) !== null,
    alarms: await openAlarms(db),
  };
}

async function pendingChanges(db: Database): Promise<number | null> {
  const { rows: [epoch] } = await db.execute(epochInUse);
  if (epoch === undefined || epoch.devices_version !== await readCounter(db, COUNTERS.devicesVersion)) return null;
  return await changeCount(db, epoch.epoch);
}

/** Whether devices call the newest head overdue (spec: HEAD-04). */
export function isOverdue({ head }: Overview, now: number): boolean {
  return head !== null && now > head.head.nextDue + LIMITS.headGraceMillis;
}
