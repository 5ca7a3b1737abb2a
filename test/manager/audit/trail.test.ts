/** The audit trail: what the database notes by itself, and the chain that nothing can be taken out of. */
import * as fc from "fast-check";
import { chainEvents, type Checkpoint, eventHash, verifyTrail } from "../../../manager/audit/chain.ts";
import { isEventKind } from "../../../manager/audit/kinds.ts";
import { noteEvent } from "../../../manager/audit/note.ts";
import { readEvents } from "../../../manager/audit/read.ts";
import { newestKey } from "../../../manager/owner/keys.ts";
import { bringRootBack, takeRootAway } from "../../../manager/owner/root_apart.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import type { Database } from "../../../shared/database/database.ts";
import { openEmbedded } from "../../../shared/database/embedded.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

const ALL = { kinds: [], text: null, since: null, until: null, last: 1_000 } as const;

async function emptyTrail(): Promise<Database> {
  const db = await openEmbedded(":memory:");
  await migrate(db, MIGRATIONS);
  return db;
}

async function withEvents(count: number): Promise<{ db: Database; places: Checkpoint[] }> {
  const db = await emptyTrail();
  const places: Checkpoint[] = [];
  for (let i = 1; i <= count; i++) {
    await db.execute(noteEvent("key.exported", `key ${i}`, { i }, 1_000 * i));
    places.push(await chainEvents(db));
  }
  return { db, places };
}

/** What the database itself refuses, somebody with the file and its key does all the same. */
async function tamper(db: Database, sql: string): Promise<void> {
  for (const name of ["events_stay", "events_keep"]) {
    await db.execute({ sql: `DROP TRIGGER IF EXISTS ${name}`, params: [] });
  }
  await db.execute({ sql, params: [] });
}

Deno.test("the root key goes and comes back with its event, or not at all (AUDIT-01)", async () => {
  await using world = await World.create();
  const { db, clock } = world.manager;
  const { private_key: pkcs8, public_key: publicKey } = await newestKey(db, "root");
  assert(pkcs8);
  const key = { kind: "Ed25519", pkcs8: new Redacted(pkcs8), publicKey } as const;
  const isHere = async () => (await newestKey(db, "root")).private_key !== null;
  const full = (kind: string) => ({
    sql: `CREATE TRIGGER full BEFORE INSERT ON events WHEN new.kind = '${kind}' BEGIN SELECT RAISE(ABORT, 'full'); END`,
    params: [],
  });
  await db.execute(full("key.exported"));
  await assertRejects(() => takeRootAway(db, key, clock.now()), "conflict");
  assertEquals(await isHere(), true);
  await db.execute({ sql: "DROP TRIGGER full", params: [] });
  await takeRootAway(db, key, clock.now());
  assertEquals(await isHere(), false);
  await db.execute(full("key.imported"));
  await assertRejects(() => bringRootBack(db, key, clock.now()), "conflict");
  assertEquals(await isHere(), false);
  await db.execute({ sql: "DROP TRIGGER full", params: [] });
  assertEquals([await bringRootBack(db, key, clock.now()), await bringRootBack(db, key, clock.now())], [true, false]);
  const told = await readEvents(db, { ...ALL, kinds: ["key.exported", "key.imported"] });
  assertEquals(told.map(({ kind, subject, detail }) => [kind, subject, JSON.parse(detail)]), [
    ["key.exported", "root", { version: 1, removedHere: true }],
    ["key.imported", "root", { version: 1 }],
  ]);
});

Deno.test("the trail tells of devices, keys, epochs, alarms and the edge without being asked (AUDIT-01)", async () => {
  await using world = await World.create();
  const phone = await world.pair("phone");
  await world.manager.sync();
  await world.manager.revoke(phone.profile.device);
  await world.manager.sync();
  const events = await readEvents(world.manager.db, ALL);
  assert(events.every(({ kind }) => isEventKind(kind)), "only kinds that are known");
  const told = new Set(events.map(({ kind, subject }) => `${kind} ${subject}`));
  for (
    const expected of [
      ...["manager.made incarnation", "key.made root", "key.used root", "device.added phone", "device.active phone"],
      ...[
        "rotation.begun epoch 1",
        "rotation.current epoch 1",
        "key.used manager",
        "device.revoked phone",
        "rotation.begun epoch 2",
      ],
    ]
  ) assert(told.has(expected), `${expected} is missing among ${[...told].join(", ")}`);
  assertEquals(events.map(({ number }) => number), events.map((_, i) => i + 1), "numbers without a gap");
});

Deno.test("an event that belongs to a change is there if, and only if, the change is (AUDIT-01)", async () => {
  const db = await emptyTrail();
  const key = (version: number) => ({
    sql: "INSERT INTO keys VALUES ('root', ?, x'00', NULL, 0)",
    params: [version],
  });
  await db.execute(key(1));
  await assertRejects(() => db.batch([key(2), key(1)]), "conflict");
  await db.execute(key(3));
  const events = await readEvents(db, ALL);
  assertEquals(events.map(({ number, detail }) => `${number} ${detail}`), ['1 {"version":1}', '2 {"version":3}']);
  await db.close();
});

Deno.test("verifyTrail() goes through every place that was noted, however late the chain was made (AUDIT-02, AUDIT-03)", async () => {
  const { db, places } = await withEvents(5);
  for (let i = 6; i <= 1_207; i++) await db.execute(noteEvent("key.exported", `key ${i}`, {}, i));
  const newest = await chainEvents(db);
  assertEquals(newest.number, 1_207);
  assertEquals(await verifyTrail(db, [...places, newest]), { events: 1_207, newest });
  assertEquals(await chainEvents(db), newest, "what is chained stays");
  // From the page alone: the first hash follows from nothing but the event.
  const [first] = await readEvents(db, { ...ALL, kinds: ["key.exported"], until: 1_000, text: "key 1" });
  assert(first !== undefined);
  assertEquals(eventHash(new Uint8Array(32), first), places[0]?.hash);
  await db.close();
});

Deno.test("verifyTrail() sees every change, removal and addition, and a trail that was cut off (AUDIT-03)", async () => {
  const damages: [sql: string, code: "tampered" | "rolled_back"][] = [
    ["UPDATE events SET subject = 'key 9' WHERE number = 3", "tampered"],
    ["UPDATE events SET time = time + 1 WHERE number = 3", "tampered"],
    ["UPDATE events SET kind = 'key.imported' WHERE number = 1", "tampered"],
    ["UPDATE events SET detail = '{}' WHERE number = 6", "tampered"],
    ["UPDATE events SET hash = zeroblob(32) WHERE number = 2", "tampered"],
    ["UPDATE events SET number = 100 WHERE number = 6", "tampered"],
    ["DELETE FROM events WHERE number = 1", "tampered"],
    ["DELETE FROM events WHERE number = 4", "tampered"],
    ["DELETE FROM events WHERE number >= 5", "rolled_back"],
    // A whole new chain behind the change.
    ["UPDATE events SET subject = iif(number = 3, 'key 9', subject), hash = NULL WHERE number >= 3", "tampered"],
  ];
  for (const [sql, code] of damages) {
    const { db, places } = await withEvents(6);
    await tamper(db, sql);
    if (sql.includes("hash = NULL")) await chainEvents(db);
    await assertRejects(() => verifyTrail(db, places.slice(-1)), code);
    await db.close();
  }
});

Deno.test("the database refuses to change or delete an event (AUDIT-01)", async () => {
  const { db } = await withEvents(2);
  for (
    const sql of [
      "DELETE FROM events WHERE number = 2",
      "UPDATE events SET subject = 'x' WHERE number = 2",
      "UPDATE events SET hash = NULL WHERE number = 2",
    ]
  ) await assertRejects(() => db.execute({ sql, params: [] }), "conflict");
  await db.close();
});

Deno.test("verifyTrail() holds every noted place against the trail, also two of one number, and the beginning (AUDIT-03)", async () => {
  const { db, places } = await withEvents(3);
  const [, second] = places;
  assert(second);
  const other = { ...second, hash: new Uint8Array(32).fill(1) };
  for (const noted of [[second, other], [other, second], [{ ...other, number: 0 }]]) {
    await assertRejects(() => verifyTrail(db, noted), "tampered");
  }
  assertEquals((await verifyTrail(db, [second, second, { number: 0, hash: new Uint8Array(32) }])).events, 3);
});

Deno.test("two that chain at once make the same chain, whatever is noted meanwhile (AUDIT-02)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ subject: fc.string({ unit: "grapheme" }), chains: fc.nat(2) }), { maxLength: 12 }),
      async (steps) => {
        const db = await emptyTrail();
        const chaining: Promise<Checkpoint>[] = [];
        for (const { subject, chains } of steps) {
          await db.execute(noteEvent("update.checked", subject, { subject }, 0));
          for (let i = 0; i < chains; i++) chaining.push(chainEvents(db));
        }
        const places = await Promise.all(chaining);
        const newest = await chainEvents(db);
        assertEquals(
          (await verifyTrail(db, [...places.filter(({ number }) => number > 0), newest])).events,
          steps.length,
        );
        await db.close();
      },
    ),
    { numRuns: 30 },
  );
});
