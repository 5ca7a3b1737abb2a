/** Sweeping does not stay with an owner who leaves much behind. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assert, assertEquals } from "../../assert.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import { asManager, openStore, pushBody } from "./fixture.ts";

/** Challenges that expired long ago. */
async function leave(database: Database, { id }: OwnerFixture, challenges: number): Promise<void> {
  await database.execute({
    sql: `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO spent_challenges (owner, expires, random) SELECT o.no, 1, randomblob(32) FROM owners o CROSS JOIN n WHERE o.id = ?`,
    params: [challenges, id],
  });
}

async function countOf(database: Database, table: string, owner: Bytes): Promise<number> {
  const { rows: [row] } = await database.execute<{ n: number }>({
    sql: `SELECT COUNT(*) AS n FROM ${table} WHERE owner = (SELECT no FROM owners WHERE id = ?)`,
    params: [owner],
  });
  return row?.n ?? 0;
}

/** @returns false when there is nothing left to do before all steps are done */
async function sweepSome(store: EdgeStore, now: number, steps: number): Promise<boolean> {
  for (let i = 0; i < steps; i++) if (!(await store.sweep(now)).more) return false;
  return true;
}

onEveryDatabase("sweeping of several owners", async (t, { database }) => {
  const owners = await Promise.all(Array.from({ length: 6 }, () => OwnerFixture.create()));
  const store = await openStore(database, ...owners);
  const left = () => Promise.all(owners.map(({ id }) => countOf(database, "spent_challenges", id)));

  await t.step(
    "STORE-03: an owner has a turn after few steps of each other one, and all work is done at last",
    async () => {
      const [busy, ...others] = owners;
      if (busy === undefined) throw new Error("unreachable");
      await leave(database, busy, 20 * LIMITS.sweepRows);
      for (const owner of others) await leave(database, owner, 1);
      await sweepSome(store, NOW, 25);
      const [ofBusy = 0, ...ofOthers] = await left();
      // The one of the manager's login stays, for an hour.
      assertEquals(ofOthers, others.map(() => 1));
      assert(ofBusy > LIMITS.sweepRows, `${ofBusy} are left, so this shows nothing`);
      assertEquals(await sweepSome(store, NOW, 100), false);
      assertEquals(await left(), owners.map(() => 1));
    },
  );

  await t.step("STORE-03: edges that forget after a few steps where they were leave no owner out", async () => {
    for (const owner of owners.slice(0, 5)) await leave(database, owner, 60 * LIMITS.sweepRows);
    const last = owners.at(-1) ?? owners[0];
    if (last === undefined) throw new Error("unreachable");
    await leave(database, last, 1);
    let runs = 0;
    while (await countOf(database, "spent_challenges", last.id) > 1) {
      assert(++runs < 40, "the last owner never has a turn");
      await sweepSome(await openStore(database), NOW + runs * 300_000, 5);
    }
    assert(Math.max(...await left()) > LIMITS.sweepRows, "nobody was busy, so this shows nothing");
  });

  await t.step("PUSH-08, STORE-03: spaces and pushes that left nothing go many at a time", async () => {
    const owner = await OwnerFixture.create();
    const fresh = await openStore(database, owner);
    const manager = asManager(owner);
    let now = NOW;
    for (let i = 0; i < 12; i++) {
      const body = pushBody(owner, { epoch: i + 1 });
      await fresh.begin(manager, body, now);
      now += 1;
    }
    await database.execute({ sql: "DELETE FROM spent_challenges", params: [] });
    const late = now + LIMITS.pushMemoryMillis;
    let steps = 0;
    for (let more = true; more; assert(++steps < 100)) {
      const swept = await fresh.sweep(late);
      more = swept.more;
      assert(swept.deleted <= LIMITS.sweepRows);
    }
    // The open one and its space stay.
    assertEquals([await countOf(database, "spaces", owner.id), await countOf(database, "pushes", owner.id)], [1, 1]);
    assert(steps <= 2 * (owners.length + 3) + 2, `${steps} steps for ${owners.length + 1} owners`);
  });
});
