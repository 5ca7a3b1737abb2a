/** How SQLite finds what a turn of the manager asks for: a statement that walked through a table would get slower with every row. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import type { Statement } from "../../shared/database/database.ts";
import { connectEdge } from "../../manager/edge/connect.ts";
import { syncOnce } from "../../manager/sync/sync.ts";
import { assert, assertEquals } from "../assert.ts";
import { surroundingsOf } from "../fixtures/clock.ts";
import { World } from "../fixtures/world.ts";
import { recording } from "../fixtures/recording_database.ts";

/** Tables that grow with the store, and with the time that it is kept. */
const LARGE = "(?:entries|placed|leaves|blocks|heads|history|messages|certificates)";
/** All of a tree, or of an epoch. */
const WHOLE = new RegExp(`^SCAN ${LARGE}|^SEARCH (?:placed|leaves|blocks) USING .*\\(epoch=\\?(?: AND tbl=\\?)?\\)$`);
/** In the order of an index, from one end: as far as its LIMIT. */
const FROM_AN_END = /limit \?(?: offset \?)?$|count\(\*\) as "count" from "entries"\) end/i;

Deno.test("a delta looks only at the rows that it changes", async () => {
  await using world = await World.create();
  const { manager } = world;
  for (let number = 0; number < 20; number++) await manager.receive("in", utf8(`Subject: ${number}\r\n\r\nHello`));
  await manager.sync();
  await manager.receive("in", utf8("Subject: one more\r\n\r\nHello"));
  const kept = new Map<string, Statement<unknown>>();
  const surroundings = surroundingsOf({ clock: manager.clock, fetch: manager.traffic.fetch });
  const { now, random } = surroundings;
  const link = await connectEdge(manager.db, surroundings);
  const { reason } = await syncOnce({ db: recording(manager.db, kept), link, now, random, policy: manager.policy });
  assertEquals(reason, null);
  const slow: string[] = [];
  for (const { sql, params } of kept.values()) {
    const { rows } = await manager.db.execute<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}`, params });
    for (const { detail } of rows) {
      if (WHOLE.test(detail) && !FROM_AN_END.test(sql)) slow.push(`${detail}: ${sql.replaceAll(/\s+/g, " ")}`);
    }
  }
  assert(kept.size >= 30, `only ${kept.size} statements were seen`);
  assertEquals(slow, []);
});
