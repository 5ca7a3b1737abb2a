/**
 * Committing a push: one read, the checks, and one batch that switches or changes nothing (spec: PUSH-05 to PUSH-07).
 */
import { sql } from "kysely";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { failedConstraint } from "../../../shared/database/failures.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { decodeSignedHead } from "../../../shared/protocol/head.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { templateOfOne } from "../builder.ts";
import { failedCheck, type Reason, refusal, unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { PUSH } from "../schema.ts";
import { checkCommit, type CommitBody, newestOf } from "./checks.ts";
import { switchTo } from "./switch.ts";

/** The owner's state and the push, on which the checks rest. */
interface CommitState {
  readonly no: number;
  readonly generation: number;
  readonly space: number | null;
  readonly head_hash: Bytes | null;
  readonly statement_number: number;
  readonly statement_hash: Bytes | null;
  readonly statement: Bytes | null;
  /** Null when there is no such push; so are the following. */
  readonly state: number | null;
  readonly epoch: number;
  readonly incarnation: Bytes;
  readonly is_full: number;
  readonly push_space: number;
  readonly touched: number;
}

const selectState = templateOfOne<Credentials & { readonly id: Bytes }, CommitState>((p) =>
  sql`SELECT o.no, o.generation, o.space, o.head_hash, o.statement_number, o.statement_hash, o.statement,
      q.state, q.epoch, q.incarnation, q.is_full, q.space AS push_space, q.touched
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id} WHERE ${managerAdmitted(p)} LIMIT 1`
);

/**
 * Commits a push. The same commit again is success without effect (spec: PUSH-06).
 *
 * @returns the generation that the edge now holds
 * @throws `unauthorized`; `not_found`; `malformed` for heads and statements that are wrong in themselves; `conflict`
 * for everything that does not fit together: then nothing has changed
 */
export async function commitPush(
  database: Database,
  principal: Principal,
  id: Bytes,
  body: CommitBody,
  now: number,
): Promise<number> {
  const wanted = decodeSignedHead(newestOf(body.heads));
  const state = await readState(database, principal, id);
  if (holds(state, wanted.hash)) return state.generation;
  const reason = unusable(state, now);
  if (reason !== undefined) throw refusal(reason);
  const plan = await checkCommit(principal, heldBy(state), state, body);
  try {
    await database.batch(switchTo(principal, id, state, plan, now), { idempotent: true });
  } catch (error) {
    const failed = failedCheck(error);
    if (failed === undefined && failedConstraint(error) === undefined) throw error;
    // The very commit may have been made meanwhile: by another request, or by this one when its first answer was lost.
    if (holds(await readState(database, principal, id), wanted.hash)) return plan.head.head.generation;
    throw failed === undefined ? error : refusal(failed, error);
  }
  return plan.head.head.generation;
}

async function readState(database: Database, principal: Principal, id: Bytes): Promise<CommitState> {
  const { rows: [state] } = await database.execute(selectState.bind({ ...credentials(principal), id }));
  if (state === undefined) throw unauthorized();
  return state;
}

function holds(state: CommitState, head: Bytes): boolean {
  return state.head_hash !== null && equalBytes(state.head_hash, head);
}

function unusable({ state, touched }: CommitState, now: number): Reason | undefined {
  if (state === null) return "push_unknown";
  if (state === PUSH.committed) return "push_committed";
  if (state === PUSH.over || touched <= now - LIMITS.pushIdleMillis) return "push_over";
  return undefined;
}

function heldBy({ generation, head_hash, statement_number: number, statement_hash: hash, statement }: CommitState) {
  return {
    generation,
    headHash: head_hash,
    statement: hash === null || statement === null ? null : { number, hash, signed: statement },
  };
}
