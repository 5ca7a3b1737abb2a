/** Finds a message by the beginning of its id, as a person types it. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { tables } from "../store/tables.ts";
import { findMessage, type MessageLine } from "./read.ts";

const ID_BYTES = 16;

const between = query((p: { from: Bytes; to: Bytes }) =>
  tables.selectFrom("messages").select("id").where("id", ">=", p.from).where("id", "<=", p.to).limit(2)
);

/** The one message whose id begins so. @throws `not_found`; `usage` when there are several */
export async function findMessageByPrefix(db: Database, prefix: Bytes): Promise<MessageLine> {
  const from = new Uint8Array(ID_BYTES);
  const to = new Uint8Array(ID_BYTES).fill(255);
  from.set(prefix);
  to.set(prefix);
  const { rows } = await db.execute(between.bind({ from, to }));
  const [first, second] = rows;
  if (first === undefined) {
    throw new PosternError("not_found", "There is no message with this id; see: postern message list");
  }
  if (second !== undefined) throw new PosternError("usage", "Several ids begin like this; give more digits");
  return await findMessage(db, first.id);
}
