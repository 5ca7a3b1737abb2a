/** What the owner chose: how pushes are made, and what becomes of new certificates. One value of the database. */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { decodeAs, uint } from "../../shared/protocol/shapes.ts";
import { DEFAULT_POLICY, type PushPolicy } from "../push/plan/mode.ts";
import { tables } from "./tables.ts";

export interface OwnerPolicy extends PushPolicy {
  /** Whether certificates that chain to a trusted one are usable at once, or every new one waits for the owner. */
  readonly review: "untrusted" | "all";
}

const NAME = "policy";
const FIRST_POLICY: OwnerPolicy = { ...DEFAULT_POLICY, review: "untrusted" };

const review = v.picklist(["untrusted", "all"] as const);
/** Version 1 is from before deltas were covered. */
const policyTuple = v.union([
  v.strictTuple([v.literal(1), uint, uint, review]),
  v.strictTuple([v.literal(2), uint, uint, review, uint]),
]);

const select = query((p: { name: string }) =>
  tables.selectFrom("meta").select("value").where("name", "=", p.name).limit(1)
);
const write = query((p: { name: string; value: Bytes }) =>
  tables.insertInto("meta").values({ name: p.name, value: p.value })
    .onConflict((c) => c.column("name").doUpdateSet({ value: p.value }))
);

/** The policy in force: the default one until the owner chose. @throws `malformed` for a damaged one */
export async function readPolicy(db: Database): Promise<OwnerPolicy> {
  const { rows: [row] } = await db.execute(select.bind({ name: NAME }));
  if (row === undefined) return FIRST_POLICY;
  const [, fullUpToRows, maxEpochMillis, review, coverRows = DEFAULT_POLICY.coverRows] = decodeAs(
    policyTuple,
    row.value,
    "policy of the manager",
  );
  return { fullUpToRows, maxEpochMillis, review, coverRows };
}

export function setPolicy({ fullUpToRows, maxEpochMillis, review, coverRows }: OwnerPolicy): Statement<never> {
  return write.bind({ name: NAME, value: encodeCbor([2, fullUpToRows, maxEpochMillis, review, coverRows]) });
}
