/**
 * Change lists among the entries: the truth knows nothing of them. Their content keys end in ones, as those of cover rows do, so that
 * they are in no content tree (covers.ts).
 */
// spec: ROW-15
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { TOKEN_BYTES } from "../../shared/merkle/tree_hash.ts";
import { contentLeaf } from "../../shared/protocol/plaintexts.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import type { ChangeListsTable } from "./schema_push.ts";
import { tables } from "./tables.ts";

const NOTHING: Bytes = new Uint8Array(0);

const insertEntry = query((p: { generation: number; key: Bytes; hash: Bytes; name: Bytes; plaintext: Bytes }) =>
  tables.insertInto("entries").values({
    ...{ tbl: TABLES.changes, kind: LISTS.generations.kind, name: p.name, name_is_text: 1, number: p.generation },
    ...{ content_key: p.key, content_hash: p.hash, plaintext: p.plaintext },
  })
);
const insertList = query((p: { generation: number; size: number }) =>
  tables.insertInto("change_lists").values({ generation: p.generation, size: p.size })
);
const deleteEntry = query((p: { key: Bytes }) => tables.deleteFrom("entries").where("content_key", "=", p.key));
const deleteList = query((p: { generation: number }) =>
  tables.deleteFrom("change_lists").where("generation", "=", p.generation)
);
const held = compile(tables.selectFrom("change_lists").selectAll().orderBy("generation", "desc"));

/** The lists that are there, the newest first. */
export async function changeLists(db: Database): Promise<readonly ChangeListsTable[]> {
  return (await db.execute(held)).rows;
}

/** Adds the list of a generation that has none. */
export function addChangeList(generation: number, plaintext: Bytes): Statement<never>[] {
  const { key, value } = leafOf(generation, plaintext);
  return [
    insertEntry.bind({ generation, key, hash: value, name: NOTHING, plaintext }),
    insertList.bind({ generation, size: plaintext.length }),
  ];
}

/** Takes the list of a generation away. */
export function removeChangeList(generation: number): Statement<never>[] {
  return [deleteEntry.bind({ key: leafOf(generation, NOTHING).key }), deleteList.bind({ generation })];
}

function leafOf(generation: number, plaintext: Bytes): { key: Bytes; value: Bytes } {
  const { key, value } = contentLeaf(LISTS.generations, generation, plaintext);
  return { key: key.fill(0xff, TOKEN_BYTES), value };
}
