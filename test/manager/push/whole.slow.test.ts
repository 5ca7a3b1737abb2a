/** A manager whose own rows are not all there: it begins no rotation, and the edge keeps what it has. */
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { pushedWorld } from "../../threats/setting.ts";

const MESSAGE = "SELECT min(id) FROM entries WHERE tbl = 3";

/** What may have happened to a database, beneath everything that notes what changes. */
const DAMAGES = [
  ["lacks a row", [`DELETE FROM entries WHERE id = (${MESSAGE})`]],
  ["has an older row", [`UPDATE entries SET content_hash = zeroblob(32) WHERE id = (${MESSAGE})`]],
  [
    "has a row that nobody noted",
    [
      `INSERT INTO entries (tbl, kind, name, name_is_text, number, content_key, content_hash, plaintext)
        SELECT tbl, kind, name, name_is_text, 77, randomblob(40), content_hash, plaintext FROM entries WHERE id = (${MESSAGE})`,
    ],
  ],
] as const;

for (const [what, damage] of DAMAGES) {
  Deno.test(`Manager.sync() throws storage and pushes nothing when its database ${what} (PUSH-22)`, async () => {
    await using setting = await pushedWorld();
    const { world: { manager }, device } = setting;
    await manager.receive("mail", new TextEncoder().encode("Subject: noted\r\n\r\nHello"));
    const { rows: before } = await manager.db.execute<{ key: string }>({
      sql: "SELECT hex(content_key) AS key FROM changed",
      params: [],
    });
    assert(before.length > 0);
    for (const sql of damage) await manager.db.execute({ sql, params: [] });
    // Its own triggers noted that: no damage to a file would be.
    await manager.db.execute({
      sql: "DELETE FROM changed WHERE content_key NOT IN (SELECT unhex(value) FROM json_each(?))",
      params: [JSON.stringify(before.map(({ key }) => key))],
    });
    await assertRejects(() => manager.sync({ rotate: true }), "storage");
    const { generation, epoch } = await device.client.head();
    assertEquals([generation, epoch], [1, 1]);
    assertEquals((await device.client.verifyAll()).asOf.generation, 1);
  });
}
