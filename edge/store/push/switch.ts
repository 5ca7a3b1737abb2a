/** The one batch of a commit: it checks what can only be checked in the database, and switches. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Statement } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Acknowledgement } from "../../../shared/protocol/acknowledgement.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { template } from "../builder.ts";
import { check } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { ALIVE, PUSH, ROW_TABLES, SPACE } from "../schema.ts";
import type { CommitPlan } from "./checks.ts";
import { notOpen } from "./state.ts";

interface Check extends Credentials {
  readonly id: Bytes;
  readonly stale: number;
  readonly base: number;
  readonly baseHash: Bytes | null;
  readonly devices: number;
  readonly certificates: number;
  readonly messages: number;
  readonly changes: number;
  /** Bodies of nodes. */
  readonly nodes: number;
}

const alive = sql.lit(ALIVE);
const tables = sql.raw(ROW_TABLES);

/**
 * Rows of table t that the push leads to: those of the space, unless it is a new one, and what the push did
 * (spec: PUSH-05).
 */
const counted = (table: string) => {
  const column = (prefix: string) => sql.ref(`${prefix}${table}`);
  return sql`iif(q.is_full, 0, s.${sql.ref(table)}) + ${column("q.added_")} - ${column("q.removed_")}`;
};

// spec: PUSH-03: nothing is removed that was not there, nothing added that was. Both look at what the push did,
// through the indices that hold just that, and never at the rest of the store.
const removedAnother = sql`(q.removed_devices + q.removed_certificates + q.removed_messages + q.removed_changes) <>
  (SELECT COUNT(*) FROM rows r INDEXED BY rows_died WHERE r.died < ${alive} AND r.owner = q.owner
    AND r.space = q.space AND r.tbl ${tables} AND r.died = q.stamp)`;
const addedTwice = sql`EXISTS (
    SELECT 1 FROM rows n INDEXED BY rows_born CROSS JOIN rows r ON r.owner = n.owner AND r.space = n.space
      AND r.tbl = n.tbl AND r.token = n.token AND r.number = n.number AND r.born < n.born AND r.died > n.born
    WHERE n.born > 0 AND n.owner = q.owner AND n.space = q.space AND n.tbl ${tables} AND n.born = q.stamp)
  OR (q.added_devices > 0 AND EXISTS (
    SELECT 1 FROM devices n CROSS JOIN devices d ON d.owner = n.owner AND d.space = n.space AND d.device = n.device
      AND d.born < n.born AND d.died > n.born
    WHERE n.owner = q.owner AND n.space = q.space AND n.born = q.stamp))`;

/** They are numbered from 0 (spec: PUSH-13). */
const lacksNodes = (nodes: number) =>
  sql`q.nodes <> ${nodes} OR IFNULL((SELECT MAX(n) FROM push_nodes c WHERE c.owner = q.owner AND c.push = q.id), -1) <>
    ${nodes} - 1`;

const maySwitch = check<Check>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' ELSE (
    SELECT CASE ${notOpen(p.stale)}
      WHEN o.generation <> ${p.base} OR o.head_hash IS NOT ${p.baseHash} OR q.base <> o.generation THEN 'superseded'
      WHEN q.received <> q.chunks OR ${lacksNodes(p.nodes)} THEN 'incomplete'
      WHEN ${counted("devices")} <> ${p.devices} OR ${counted("certificates")} <> ${p.certificates}
        OR ${counted("messages")} <> ${p.messages} OR ${counted("changes")} <> ${p.changes} THEN 'counts'
      WHEN ${removedAnother} THEN 'clash'
      WHEN NOT q.is_full AND (${addedTwice}) THEN 'clash'
    END
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id}
    LEFT JOIN spaces s ON s.owner = o.no AND s.no = o.space
    WHERE o.id = ${p.owner}) END`
);

const endGeneration = template<{ no: number; base: number; until: number }, never>((p) =>
  sql`UPDATE generations SET until = ${p.until} WHERE owner = ${p.no} AND generation = ${p.base}`
);
const insertGeneration = template<{ no: number; generation: number; space: number; epoch: number }, never>((p) =>
  sql`INSERT INTO generations (owner, generation, space, epoch, until)
    VALUES (${p.no}, ${p.generation}, ${p.space}, ${p.epoch}, ${alive})`
);
const leaveSpace = template<{ no: number; space: number }, never>((p) =>
  sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)}
    WHERE owner = ${p.no} AND state = ${sql.lit(SPACE.current)} AND no <> ${p.space}`
);
const enterSpace = template<
  { no: number; space: number; devices: number; certificates: number; messages: number; changes: number },
  never
>((p) =>
  sql`UPDATE spaces SET state = ${sql.lit(SPACE.current)}, devices = ${p.devices}, certificates = ${p.certificates},
    messages = ${p.messages}, changes = ${p.changes} WHERE owner = ${p.no} AND no = ${p.space}`
);
const adopt = template<
  {
    readonly no: number;
    readonly space: number;
    readonly generation: number;
    readonly epoch: number;
    readonly incarnation: Bytes;
    readonly history: number;
    readonly head: Bytes;
    readonly headHash: Bytes;
    readonly statementNumber: number;
    readonly statementHash: Bytes;
    readonly statement: Bytes;
  },
  never
>((p) =>
  sql`UPDATE owners SET space = ${p.space}, generation = ${p.generation}, epoch = ${p.epoch},
    incarnation = ${p.incarnation}, history = ${p.history}, head = ${p.head}, head_hash = ${p.headHash},
    statement_number = ${p.statementNumber}, statement_hash = ${p.statementHash}, statement = ${p.statement}
    WHERE no = ${p.no}`
);
const closePush = template<{ no: number; id: Bytes; now: number }, never>((p) =>
  sql`UPDATE pushes SET state = ${sql.lit(PUSH.committed)}, touched = ${p.now}, is_undone = 1
    WHERE owner = ${p.no} AND id = ${p.id}`
);

// Marked only (spec: PUSH-07): the bodies, and the parts they name, are deleted in steps by the sweep (spec: STORE-03).
const acknowledge = template<{ no: number; now: number; names: Bytes; numbers: string }, never>((p) =>
  sql`UPDATE inbox SET gone = ${p.now} WHERE owner = ${p.no} AND gone = ${alive} AND arrival IN (
    SELECT i.arrival FROM json_each(${p.numbers}) a CROSS JOIN inbox i ON i.owner = ${p.no}
      AND i.device = substr(${p.names}, a.key * 32 + 1, 16) AND i.stream = substr(${p.names}, a.key * 32 + 17, 16)
      AND i.number <= a.value)`
);

/** What was read of the owner and of the push, as far as the switch builds on it. */
interface ReadState {
  readonly no: number;
  readonly generation: number;
  readonly head_hash: Bytes | null;
  /** The space that the push fills. */
  readonly push_space: number;
}

/** The statements that check and switch, for what was read as `state` and found in order as `plan`. */
export function switchTo(
  principal: Principal,
  id: Bytes,
  state: ReadState,
  { head: { head, hash }, signed, statement, nodes }: CommitPlan,
  now: number,
): Statement<never>[] {
  const { no, generation: base, head_hash: baseHash, push_space: space } = state;
  const { generation, epoch, incarnation } = head;
  const { devices, certificates, messages, changes } = head.tables;
  const counts = {
    ...{ devices: devices.count, certificates: certificates.count },
    ...{ messages: messages.count, changes: changes.count },
  };
  const stale = now - LIMITS.pushIdleMillis;
  return [
    maySwitch.bind({ ...credentials(principal), id, stale, base, baseHash, nodes, ...counts }),
    endGeneration.bind({ no, base, until: now + LIMITS.readGraceMillis }),
    insertGeneration.bind({ no, generation, space, epoch }),
    leaveSpace.bind({ no, space }),
    enterSpace.bind({ no, space, ...counts }),
    adopt.bind({
      ...{ no, space, generation, epoch, incarnation, history: head.history.size, head: signed, headHash: hash },
      ...{ statementNumber: statement.number, statementHash: statement.hash, statement: statement.signed },
    }),
    closePush.bind({ no, id, now }),
    ...(head.acks.length === 0 ? [] : [acknowledge.bind({ no, now, ...packAcks(head.acks) })]),
  ];
}

function packAcks(acks: readonly Acknowledgement[]): { names: Bytes; numbers: string } {
  const names = new Uint8Array(32 * acks.length);
  for (const [index, { device, stream }] of acks.entries()) {
    names.set(device, 32 * index);
    names.set(stream, 32 * index + 16);
  }
  return { names, numbers: JSON.stringify(acks.map(({ number }) => number)) };
}
