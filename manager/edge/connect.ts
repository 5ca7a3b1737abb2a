/** Connects the manager of a database to its edge. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { managerKey } from "../owner/keys.ts";
import { currentStatement, findStatement, putStatement } from "../owner/statement.ts";
import { isOfEarlierLife } from "../push/plan/reconcile.ts";
import type { EdgeLink } from "./link.ts";
import { openEdgeLink } from "./session_link.ts";

/** Logs the manager in at the edge of its newest statement. Errors as of {@link openEdgeLink}. */
export async function connectEdge(db: Database, surroundings: Surroundings): Promise<EdgeLink> {
  const statement = await currentStatement(db);
  const { sign } = await managerKey(db, statement.managerKey);
  return await openEdgeLink({
    statement,
    sign,
    managerKey: async (shown) => {
      const { number, hash } = shown;
      const named = await findStatement(db, number);
      if (named !== null && equalBytes(named.hash, hash)) return named.managerKey;
      // spec: BACKUP-13
      if (named === null && "incarnation" in shown && isOfEarlierLife(shown, statement)) {
        await db.execute(putStatement(number, shown.signed, surroundings.now()));
        return shown.managerKey;
      }
      throw new PosternError(
        "forked",
        `The edge shows owner statement ${number}, which this database did not issue: it is an old copy, or ` +
          "another manager runs",
      );
    },
  }, surroundings);
}
