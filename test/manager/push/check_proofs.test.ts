import { sha256 } from "../../../shared/crypto/hash.ts";
import { currentEpoch } from "../../../manager/push/epoch.ts";
import { putEntry } from "../../../manager/store/entries.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import type { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import type { Interceptor } from "../../fixtures/traffic.ts";
import { World } from "../../fixtures/world.ts";

/** A world with some certificates at the edge. */
async function pushed(): Promise<World> {
  const world = await World.create();
  for (let i = 0; i < 20; i++) await put(world, i, 0);
  await world.manager.sync();
  return world;
}

async function put({ manager, clock }: World, i: number, value: number): Promise<void> {
  clock.advance(1_000);
  const list = { kind: "fingerprint", name: sha256(Uint8Array.of(i)) } as const;
  await manager.db.execute(putEntry(list, 0, Uint8Array.of(value)));
}

async function run(world: World, sql: string): Promise<void> {
  await world.edge.database.execute({ sql, params: [] });
}

async function marks({ manager }: World): Promise<[number | undefined, number | undefined]> {
  const epoch = await currentEpoch(manager.db);
  return [epoch?.row.is_verified, epoch?.row.has_nodes];
}

const MOST_TURNS = 8;

/** What an edge may do to blocks as it commits. */
const DAMAGES = [
  [
    "tampered",
    "changes a hash in them",
    "UPDATE rows SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)",
  ],
  ["withheld", "throws them away", "DELETE FROM rows"],
] as const;

for (const [code, what, sql] of DAMAGES) {
  for (const isFull of [true, false]) {
    const kind = isFull ? "a full push" : "a delta";
    Deno.test(`PUSH-15: sync() throws ${code} when the edge ${what} in ${kind}, and then pushes all again`, async () => {
      await using world = await pushed();
      assertEquals(await marks(world), [1, 1]);
      await run(
        world,
        `CREATE TRIGGER damage AFTER UPDATE OF generation ON owners BEGIN ${sql} WHERE tbl = 12; END`,
      );
      let noticed: string | null = null;
      // A row and an absence are asked for, at random: once in a while their proofs need nothing that was changed.
      for (let turn = 1; noticed === null && turn <= MOST_TURNS; turn++) {
        // What it does not read anew it still proves rightly, from memory: as good as having it.
        for (let i = 0; i < 20; i++) await put(world, i, turn);
        noticed = await world.manager.sync({ rotate: isFull }).then(() => null, ({ code }: PosternError) => code);
      }
      assertEquals(noticed, code);
      assertEquals(await marks(world), [0, 0]);
      await run(world, "DROP TRIGGER damage");
      world.clock.advance(60_000);
      const { reason, pushed: { isFull: isFullAgain } } = await world.manager.sync();
      assertEquals([reason, isFullAgain], ["no proofs", true]);
      assertEquals(await marks(world), [1, 1]);
    });
  }
}

Deno.test("PUSH-15: a manager that stopped before it had checked the proofs does so in the next turn", async () => {
  await using world = await pushed();
  const cut: Interceptor = {
    request(request) {
      if (new URL(request.url).pathname.includes("/rows/")) throw new TypeError("cut");
      return request;
    },
  };
  await assertRejects(() => world.manager.traffic.with(cut, () => world.manager.sync({ rotate: true })), "network");
  assertEquals(await marks(world), [0, 1]);
  await run(world, "DELETE FROM rows WHERE tbl > 10");
  world.clock.advance(60_000);
  assertEquals((await world.manager.sync()).reason, "no proofs");
  assertEquals((await openAlarms(world.manager.db)).map(({ code }) => code), ["withheld"]);
  assertEquals(await marks(world), [1, 1]);
});

Deno.test("PUSH-15: only tables that changed are asked for, and the keys are other ones each time", async () => {
  await using world = await pushed();
  const asked = () =>
    world.manager.traffic.exchanges.map(({ request }) => new URL(request.url))
      .filter(({ pathname }) => pathname.includes("/rows/"));
  assertEquals(new Set(asked().map(({ pathname }) => pathname.split("/").at(-1))).size, 4);
  const before = asked().length;
  await put(world, 1, 2);
  await world.manager.sync();
  const delta = asked().slice(before);
  assertEquals(delta.map(({ pathname }) => pathname.split("/").at(-1)), [
    "certificates",
    "certificates",
    "changes",
    "changes",
  ]);
  assert(delta.every(({ searchParams }) => searchParams.get("proof") === "1"));
  const tokens = asked().map(({ searchParams }) => searchParams.get("token"));
  assert(new Set(tokens).size >= tokens.length - 1);
  const quiet = asked().length;
  world.clock.advance(60_000);
  await world.manager.sync();
  assertEquals(asked().length, quiet);
});
