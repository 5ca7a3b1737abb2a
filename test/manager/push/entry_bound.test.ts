import { utf8 } from "../../../shared/bytes/bytes.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { LISTS } from "../../../shared/protocol/token.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import { entryBound, entryCount } from "../../../manager/push/plan/changes.ts";
import { addChangeList } from "../../../manager/store/change_lists.ts";
import { addCover } from "../../../manager/store/covers.ts";
import { putEntry, removeEntry } from "../../../manager/store/entries.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("entryBound() counts as far as it is asked to, and above gives no less than there are", async () => {
  const db = await openDatabase(":memory:", {});
  await migrate(db, MIGRATIONS);
  const put = (number: number) => db.execute(putEntry(LISTS.channel("in"), number, utf8(`entry ${number}`)));
  assertEquals([await entryBound(db, 0), await entryBound(db, 3)], [0, 0]);
  for (let number = 1; number <= 5; number++) await put(number);
  for (const number of [1, 2]) await db.execute(removeEntry(LISTS.channel("in"), number));
  assertEquals(await entryCount(db), 3);
  assertEquals([await entryBound(db, 3), await entryBound(db, 4)], [3, 3]);
  for (const exact of [0, 1, 2]) assert(await entryBound(db, exact) >= 3, `up to ${exact}`);
  // Neither cover rows nor change lists count, PUSH-18: a store would else not be a small one for its cover.
  for (let name = 0; name < 9; name++) await db.batch(addCover(TABLES.messages, new Uint8Array(16).fill(name), 5));
  await db.batch(addChangeList(1, utf8("a list")));
  assertEquals(await entryCount(db), 3);
  assertEquals([await entryBound(db, 3), await entryBound(db, 4)], [3, 3]);
  for (const exact of [0, 1, 2]) assert(await entryBound(db, exact) >= 3, `up to ${exact}`);
  await db.close();
});
