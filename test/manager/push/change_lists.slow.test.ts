/** What the manager lists of its changes: all that changed, none where that would tell the edge, never more than is bounded. */
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { openHeadSecrets } from "../../../shared/protocol/head.ts";
import { type Change, decodeChanges } from "../../../shared/protocol/records.ts";
import { currentEpoch } from "../../../manager/push/epoch.ts";
import { listChanges } from "../../../manager/push/plan/change_list.ts";
import { addChangeList, changeLists } from "../../../manager/store/change_lists.ts";
import { COUNTERS, readCounter } from "../../../manager/store/counters.ts";
import { putEntry, removeEntry } from "../../../manager/store/entries.ts";
import { META, readNumber } from "../../../manager/store/meta.ts";
import type { SyncResult } from "../../../manager/sync/sync.ts";
import { entryCount } from "../../../manager/push/plan/changes.ts";
import type { TestDevice } from "../../fixtures/device.ts";
import { World } from "../../fixtures/world.ts";
import { assert, assertEquals } from "../../assert.ts";

interface Setting extends AsyncDisposable {
  readonly world: World;
  readonly device: TestDevice;
}

async function start(): Promise<Setting> {
  const world = await World.create();
  const device = await world.pair();
  for (let i = 0; i < 4; i++) await put(world, `CN=${i}`, 0);
  await turn(world);
  return { world, device, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const subject = (name: string) => ({ kind: "subject", name }) as const;
/** A certificate that nobody can read, which is enough for a list. */
const plaintext = (value: number) => encodeCbor(["certificate", Uint8Array.of(value), 1, 0, "owner", ""]);

async function put({ manager }: World, name: string, value: number): Promise<void> {
  await manager.db.execute(putEntry(subject(name), 0, plaintext(value)));
}

async function turn({ manager, clock }: World, rotate = false): Promise<SyncResult & { listed: number | null }> {
  clock.advance(60_000);
  const result = await manager.sync({ rotate });
  const epoch = await currentEpoch(manager.db);
  assert(epoch);
  return { ...result, listed: (await openHeadSecrets(epoch.keys, result.pushed.head)).listed };
}

/** The lists at the edge, as a device reads them: what they are numbered with, and which names they have. */
async function lists({ device }: Setting): Promise<[number, string[]][]> {
  await device.client.head();
  const { rows } = await device.client.tables.fetch("changes");
  return rows.map(({ content }): [number, string[]] => {
    if (content.kind !== "changes") throw new Error(content.kind);
    return [content.changes.generation, content.changes.changes.map(nameOf).sort()];
  }).sort(([a], [b]) => a - b);
}

function nameOf({ list: { kind, name }, content }: Change): string {
  return `${content === null ? "-" : "+"}${kind === "subject" ? name : kind}`;
}

Deno.test("each push lists what it changes, in whichever epoch, and the head says since when, ROW-15 HEAD-12", async () => {
  await using setting = await start();
  const { world } = setting;
  assertEquals(await lists(setting), []);
  await put(world, "CN=0", 1);
  await put(world, "CN=new", 1);
  await world.manager.db.execute(removeEntry(subject("CN=1"), 0));
  const delta = await turn(world);
  assertEquals([delta.pushed.isFull, delta.pushed.generation, delta.listed], [false, 2, 1]);
  assertEquals(await lists(setting), [[2, ["+CN=0", "+CN=new", "-CN=1"]]]);
  // Nothing changed: nothing is pushed but a head.
  assertEquals((await turn(world)).listed, 1);
  await put(world, "CN=2", 1);
  const rotated = await turn(world, true);
  assertEquals([rotated.pushed.isFull, rotated.listed], [true, 1]);
  const paired = await world.pair("another");
  await turn(world);
  const later = { ...setting, device: paired };
  // A device's row is an entry like others.
  assertEquals(await lists(later), [[2, ["+CN=0", "+CN=new", "-CN=1"]], [4, ["+CN=2"]], [5, ["+device"]]]);
  assertEquals(await entryCount(world.manager.db), 6);
});

Deno.test("a covered delta lists its cover rows, a full push lists none, ROW-15 PUSH-16", async () => {
  await using setting = await start();
  const { world } = setting;
  world.manager.policy = { ...world.manager.policy, coverRows: 2 };
  await turn(world, true);
  assertEquals(await lists(setting), []);
  await put(world, "CN=0", 1);
  await turn(world);
  const [[, names] = []] = await lists(setting);
  assert(names);
  const count = (name: string) => names.filter((one) => one === name).length;
  // In table 2: two come, two go, one is replaced beside the one that changed; in table 3: two come, two go.
  assertEquals([count("+CN=0"), count("+cover"), count("-cover")], [1, 2 + 1 + 2, 2 + 2]);
});

Deno.test("no lists where all is re-encrypted at every interval, nor when the edge lost what it had, ROW-16", async () => {
  await using setting = await start();
  const { world } = setting;
  await put(world, "CN=0", 1);
  assertEquals((await turn(world)).listed, 1);
  const before = await world.copyEdge();
  world.manager.policy = { ...world.manager.policy, fullUpToRows: 100 };
  await put(world, "CN=0", 2);
  const small = await turn(world);
  assertEquals([small.reason, small.listed], ["small store", null]);
  assertEquals(await lists(setting), []);
  assertEquals((await turn(world, true)).listed, null);
  world.manager.policy = { ...world.manager.policy, fullUpToRows: 0 };
  await put(world, "CN=0", 3);
  const [{ pushed, listed }] = [await turn(world)];
  assertEquals(listed, pushed.generation - 1);
  world.replaceEdge(before);
  await put(world, "CN=0", 4);
  const lost = await turn(world);
  assertEquals([lost.reason, lost.listed], ["edge lost", null]);
  assertEquals(await changeLists(world.manager.db), []);
});

Deno.test("what is too much to list is not listed, and lists that are too many go, the oldest first, ROW-15 ROW-16", async () => {
  await using setting = await start();
  const { world } = setting;
  const { db } = world.manager;
  await put(world, "CN=0", 1);
  assertEquals((await turn(world)).listed, 1);
  const many = Array.from({ length: 1_500 }, (_, i) => putEntry(subject(`CN=${"x".repeat(20)}${i}`), 0, plaintext(1)));
  await db.batch(many);
  const large = await turn(world);
  assertEquals([large.listed, await changeLists(db)], [null, []]);
  await put(world, "CN=1", 1);
  const { pushed, listed } = await turn(world);
  assertEquals(listed, pushed.generation - 1);

  // Of pushes long ago, as it were: only how many they are counts, and then how long.
  const epoch = await currentEpoch(db);
  const listAgain = async () => await listChanges(db, { base: pushed.generation, isFull: false, epoch });
  for (let n = -LIMITS.maxChangeLists; n <= 0; n++) await db.batch(addChangeList(n, Uint8Array.of(1)));
  await put(world, "CN=2", 1);
  await listAgain();
  const held = await changeLists(db);
  assertEquals([held.length, held.at(0)?.generation], [LIMITS.maxChangeLists, pushed.generation + 1]);
  // The new one, that of the last push, and from 0 downwards.
  assertEquals(held.at(-1)?.generation, 3 - LIMITS.maxChangeLists);
  await db.execute({
    sql: "UPDATE change_lists SET size = ? WHERE generation = ?",
    params: [LIMITS.maxChangeListsBytes, pushed.generation],
  });
  await listAgain();
  assertEquals((await changeLists(db)).map(({ generation }) => generation), [pushed.generation + 1]);
  assertEquals(await readNumber(db, META.listed), pushed.generation);
});

Deno.test("listChanges() gives the version that its list is of, whatever changes meanwhile, ROW-15", async () => {
  await using setting = await start();
  const { manager: { db } } = setting.world;
  const epoch = await currentEpoch(db);
  let isLate = true;
  const late = putEntry(subject("CN=late"), 0, plaintext(1));
  const busy = {
    ...db,
    execute: db.execute.bind(db),
    batch: async (...statements: Parameters<typeof db.batch>) => {
      if (isLate) await db.execute(late);
      isLate = false;
      return await db.batch(...statements);
    },
  };
  await put(setting.world, "CN=0", 1);
  const version = await listChanges(busy as typeof db, { base: 1, isFull: false, epoch });
  assertEquals(version, await readCounter(db, COUNTERS.entriesVersion));
  const { rows: [row] } = await db.execute<{ plaintext: Uint8Array<ArrayBuffer> }>({
    ...{ sql: "SELECT plaintext FROM entries WHERE tbl = 4", params: [] },
  });
  assert(row);
  assertEquals(decodeChanges(row.plaintext).changes.map(nameOf).sort(), ["+CN=0", "+CN=late"]);
});
