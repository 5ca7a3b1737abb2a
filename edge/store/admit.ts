/**
 * The condition under which a session counts, as a part of every statement: reads and writes need no round trip of
 * their own to find out, and a revocation counts from the commit on (shared/spec/session.md).
 */
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Value } from "../../shared/database/database.ts";
import type { Parameters, Query } from "../../shared/database/query.ts";
import type { Statement } from "../../shared/database/database.ts";
import type { Principal } from "./principal.ts";

/** The values that {@link ADMITTED} takes. */
export interface Credentials extends Parameters {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly registration: number;
  readonly statement: Bytes | null;
  readonly session: Bytes;
}

/** Values of a principal, to be spread among those of a statement. */
export function credentials({ owner, device, registration, statement, session }: Principal): Credentials {
  return { owner, device, registration, statement, session };
}

type Condition = (p: Credentials) => RawBuilder<unknown>;

const notEnded = (p: Credentials) =>
  sql`NOT EXISTS (SELECT 1 FROM ended_sessions e WHERE e.owner = o.no AND e.session = ${p.session})`;

/** True for the row `o` of `owners` that the principal belongs to, if its session counts. */
const ADMITTED: Readonly<Record<"device" | "manager", Condition>> = {
  // The device is in the present state, under the registration it logged in with.
  device: (p) =>
    sql`o.id = ${p.owner} AND EXISTS (SELECT 1 FROM devices d
      WHERE d.owner = o.no AND d.space = o.space AND d.device = ${p.device}
        AND d.born <= o.generation AND d.died > o.generation AND d.registration = ${p.registration})
      AND ${notEnded(p)}`,
  // spec: SESS-03: no newer statement has been adopted, nor another of the same number.
  manager: (p) =>
    sql`o.id = ${p.owner} AND (o.statement_number < ${p.registration}
        OR (o.statement_number = ${p.registration} AND o.statement_hash = ${p.statement})) AND ${notEnded(p)}`,
};

/** Builds a statement for devices and one for the manager, who are admitted by different conditions. */
export function forBoth<P extends Credentials, R>(
  build: (admitted: Condition, manager: boolean) => Query<P, R>,
): (principal: Principal, values: Omit<P, keyof Credentials>) => Statement<R> {
  const device = build(ADMITTED.device, false);
  const manager = build(ADMITTED.manager, true);
  return (principal, values) =>
    (principal.manager ? manager : device).bind({ ...credentials(principal), ...values } as Readonly<
      Record<string, Value>
    > as P);
}

/** The condition for the manager alone. */
export const managerAdmitted: Condition = ADMITTED.manager;

/** The condition for devices alone. */
export const deviceAdmitted: Condition = ADMITTED.device;
