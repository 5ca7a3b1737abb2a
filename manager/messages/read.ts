/** Lists and reads the manager's own messages. */
import { type Bytes, concat, equalBytes } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { decodeMessage, decodePart } from "../../shared/protocol/plaintexts.ts";
import { contentLeaf } from "../../shared/protocol/plaintexts.ts";
import { type ListName, LISTS } from "../../shared/protocol/token.ts";
import { tables } from "../store/tables.ts";

const COLUMNS = [
  ...["messages.id as id", "channels.name as channel", "messages.position as position"] as const,
  ...["messages.direction as direction", "messages.date as date", "messages.added as added"] as const,
  ...["messages.size as size", "messages.sha256 as sha256", "messages.sender as sender"] as const,
  ...["messages.recipients as recipients", "messages.subject as subject", "messages.parts as parts"] as const,
] as const;

/** A message without its bytes. */
export interface MessageLine {
  readonly id: Bytes;
  readonly channel: string;
  readonly position: number;
  readonly direction: string;
  readonly date: number | null;
  readonly added: number;
  readonly size: number;
  readonly sha256: Bytes;
  readonly sender: string;
  readonly recipients: string;
  readonly subject: string;
  readonly parts: number;
}

const inChannel = query((p: { channel: string; before: number; limit: number }) =>
  tables.selectFrom("messages").innerJoin("channels", "channels.number", "messages.channel").select(COLUMNS)
    .where("channels.name", "=", p.channel).where("messages.position", "<", p.before)
    .orderBy("messages.position", "desc").limit(p.limit)
);
const everywhere = query((p: { limit: number }) =>
  tables.selectFrom("messages").innerJoin("channels", "channels.number", "messages.channel").select(COLUMNS)
    .orderBy("messages.added", "desc").orderBy("messages.channel").orderBy("messages.position", "desc").limit(p.limit)
);
const byId = query((p: { id: Bytes }) =>
  tables.selectFrom("messages").innerJoin("channels", "channels.number", "messages.channel").select(COLUMNS)
    .where("messages.id", "=", p.id).limit(1)
);
const plaintext = query((p: { key: Bytes }) =>
  tables.selectFrom("entries").select("plaintext").where("content_key", "=", p.key).limit(1)
);

/** The newest messages of a channel, or of all; `before` is a position. */
export async function listMessages(
  db: Database,
  options: { channel?: string; before?: number; limit: number },
): Promise<readonly MessageLine[]> {
  const { channel, before = Number.MAX_SAFE_INTEGER, limit } = options;
  const statement = channel === undefined ? everywhere.bind({ limit }) : inChannel.bind({ channel, before, limit });
  return (await db.execute(statement)).rows;
}

/** Whether there is a message with this id. */
export async function hasMessage(db: Database, id: Bytes): Promise<boolean> {
  return (await db.execute(byId.bind({ id }))).rows.length > 0;
}

/** A message by its id. @throws `not_found` */
export async function findMessage(db: Database, id: Bytes): Promise<MessageLine> {
  const { rows: [row] } = await db.execute(byId.bind({ id }));
  if (row === undefined) throw new PosternError("not_found", "There is no message with this id");
  return row;
}

/** The whole bytes of a message. @throws `storage` when they are not those that were added */
export async function readMessage(db: Database, message: MessageLine): Promise<Bytes> {
  const { inline } = decodeMessage(await entry(db, LISTS.channel(message.channel), message.position));
  const raw = inline ?? concat(...await parts(db, message));
  if (!equalBytes(sha256(raw), message.sha256)) {
    throw new PosternError("storage", "The bytes of a message are not those that were added: the database is damaged");
  }
  return raw;
}

async function parts(db: Database, message: MessageLine): Promise<Bytes[]> {
  const found: Bytes[] = [];
  for (let index = 0; index < message.parts; index++) {
    found.push(decodePart(await entry(db, LISTS.message(message.id), index)).bytes);
  }
  return found;
}

async function entry(db: Database, list: ListName, number: number): Promise<Bytes> {
  const { key } = contentLeaf(list, number, new Uint8Array(0));
  const { rows: [row] } = await db.execute(plaintext.bind({ key }));
  if (row === undefined) throw new PosternError("storage", "A message has lost its entry: the database is damaged");
  return row.plaintext;
}
