/** Deleting all that was pushed (spec: PUSH-09): at once for readers, in steps on the disk. */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { type Credentials, credentials, managerAdmitted } from "./admit.ts";
import { template } from "./builder.ts";
import { check, failedCheck, refusal } from "./checks.ts";
import type { Principal } from "./principal.ts";
import { PUSH, SPACE } from "./schema.ts";

const mayDelete = check<Credentials & { number: number }>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized'
    WHEN EXISTS (SELECT 1 FROM owners WHERE id = ${p.owner} AND (delete_number > ${p.number}
      OR (delete_number = ${p.number} AND generation > 0))) THEN 'delete_number' END`
);

type Place = { readonly owner: Bytes; readonly number: number };

/** No owner at all when the number was used: a request that is repeated must not discard the push that followed it. */
const ownerNo = (p: Place) => sql`(SELECT no FROM owners WHERE id = ${p.owner} AND delete_number < ${p.number})`;

const discardPushes = template<Place & { now: number }, never>((p) =>
  sql`UPDATE pushes SET touched = iif(state = ${sql.lit(PUSH.open)}, ${p.now}, touched),
      state = iif(state = ${sql.lit(PUSH.open)}, ${sql.lit(PUSH.over)}, state), is_undone = 1
    WHERE owner = ${ownerNo(p)}`
);
const leaveSpaces = template<Place, never>((p) =>
  sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)} WHERE owner = ${ownerNo(p)}`
);
const forgetGenerations = template<Place, never>((p) => sql`DELETE FROM generations WHERE owner = ${ownerNo(p)}`);
const forgetState = template<Place, never>((p) =>
  sql`UPDATE owners SET space = NULL, generation = 0, epoch = 0, incarnation = NULL, history = 0, head = NULL, head_hash = NULL,
    delete_number = ${p.number} WHERE no = ${ownerNo(p)}`
);

/**
 * @param number higher than any used before; the same one again has no effect, as long as nothing was committed since
 * @throws `unauthorized`; `conflict` for a lower number, or for one that was used before a commit
 */
export async function deleteTables(
  database: Database,
  principal: Principal,
  number: number,
  now: number,
): Promise<void> {
  const { owner } = principal;
  try {
    await database.batch([
      mayDelete.bind({ ...credentials(principal), number }),
      discardPushes.bind({ owner, number, now }),
      leaveSpaces.bind({ owner, number }),
      forgetGenerations.bind({ owner, number }),
      forgetState.bind({ owner, number }),
    ], { idempotent: true });
  } catch (error) {
    const reason = failedCheck(error);
    throw reason === undefined ? error : refusal(reason, error);
  }
}
