/** The local copy: synced by what changed, verified whole, read without an edge. */
import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import type { Bytes } from "../../../../shared/bytes/bytes.ts";
import { CopyInProcess } from "../../../../shared/client/memory/copy_store.ts";
import { PosternDevice } from "../../../../shared/client/device.ts";
import type { LocalCopy } from "../../../../shared/client/copy/local_copy.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import type { Answer } from "../scripted_edge.ts";
import { signingKey } from "../../../fixtures/owner.ts";
import { start, type Started } from "../start.ts";

interface Copied extends Started {
  readonly store: CopyInProcess;
  readonly copy: LocalCopy;
}

/** The same device with a local copy. */
function withCopy(started: Started, store: CopyInProcess = new CopyInProcess()): Copied {
  const { paired, memory, surroundings } = started;
  const parts = { profile: paired.profile, keys: paired.keys, memory, surroundings, copy: store };
  const device = new PosternDevice(parts);
  assert(device.copy);
  return { ...started, device, store, copy: device.copy };
}

const text = (body: string): Bytes => new TextEncoder().encode(body);

/** Everything that the channel `mail` holds, by the copy. */
async function mailOf({ messages }: LocalCopy): Promise<number[]> {
  return (await messages.list("mail", { after: 0, limit: 100 })).messages.map(({ position }) => position);
}

function offline({ edge }: Started): void {
  edge.before = () => Promise.reject(new TypeError("no network"));
}

Deno.test("sync() fetches everything once, then what changed, and reads it without the edge, TREE-04", async () => {
  const started = withCopy(await start());
  const { copy, world, edge, chain } = started;
  await assertRejects(() => copy.asOf(), "not_found");
  const first = await copy.sync();
  assertEquals([first.isWhole, first.put, first.removed, first.asOf.generation], [true, 1 + 4 + 14, 0, 1]);
  assertEquals(await mailOf(copy), [1, 2, 3, 4, 5, 6, 7, 8]);
  const again = await copy.sync();
  assertEquals([again.isWhole, again.put, again.removed], [false, 0, 0]);

  world.addMessage("mail", 9, text("nine"));
  world.contents.splice(world.contents.findIndex(({ list, number }) => list.kind === "channel" && number === 2), 1);
  await world.turn({ delta: true });
  edge.requests.length = 0;
  const second = await copy.sync();
  // A cover row goes and another one comes with each turn.
  assertEquals([second.isWhole, second.put, second.removed, second.asOf.generation], [false, 2, 2, 2]);
  assertEquals(edge.requests, ["GET head", "GET changes"]);

  offline(started);
  assertEquals(await mailOf(copy), [1, 3, 4, 5, 6, 7, 8, 9]);
  const { messages } = copy;
  const newest = await messages.list("mail", { limit: 2 });
  assertEquals([newest.messages.map(({ position }) => position), newest.more], [[9, 8], true]);
  const [, large] = newest.messages;
  assert(large);
  assertEquals((await messages.read(large)).length, 1_200_000);
  assertEquals((await messages.channels()).found.map(({ name }) => name), ["mail", "notes"]);
  const { certificates } = copy;
  assertEquals((await certificates.byFingerprint(chain.root.fingerprint)).found?.der, chain.root.der);
  assertEquals((await certificates.byFingerprint(sha256(text("nobody")))).found, null);
  assertEquals((await certificates.chain(chain.leaf)).ok, true);
  assertEquals((await copy.asOf()).generation, 2);
});

Deno.test("the copy is there after a restart, offline, and says how old it is, HEAD-04", async () => {
  const started = withCopy(await start());
  await started.copy.sync();
  offline(started);
  const { copy, device } = withCopy(started, started.store);
  assertEquals(await mailOf(copy), [1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals((await copy.asOf()).freshness, "fresh");
  await assertRejects(() => device.messages.list("mail"), "network");
  await assertRejects(() => copy.sync(), "network");
  const later = { ...started, surroundings: { ...started.surroundings, now: () => started.world.time + 3_600_000 } };
  assertEquals((await withCopy(later, started.store).copy.asOf()).freshness, "overdue");
});

Deno.test("sync() fetches everything in a new epoch, and when the edge does not keep the generation any more, READ-02", async () => {
  const started = withCopy(await start());
  const { copy, world, edge } = started;
  await copy.sync();
  await world.turn();
  const turned = await copy.sync();
  assertEquals([turned.isWhole, turned.asOf.epoch], [true, 2]);
  await world.turn({ delta: true });
  edge.refuse = (name) => name === "changes" ? { status: 410, code: "epoch_gone" } : null;
  const late = await copy.sync();
  assertEquals([late.isWhole, late.asOf.generation], [true, 3]);
  edge.refuse = (name) => name === "changes" || name === "tables" ? { status: 410, code: "epoch_gone" } : null;
  await world.turn({ delta: true });
  await assertRejects(() => copy.sync(), "withheld");
  assertEquals((await copy.asOf()).generation, 3);
});

/** Lies about what changed: message 9 came, message 2 went. */
const LIES: readonly {
  readonly name: string;
  readonly code: ErrorCode;
  readonly lie: (answer: Answer & { rows: Bytes[]; removed: [Bytes, number][] }, started: Started) => Answer;
}[] = [
  { name: "nothing", code: "tampered", lie: (answer) => ({ ...answer, rows: [], removed: [] }) },
  { name: "no new rows", code: "withheld", lie: (answer) => ({ ...answer, rows: [] }) },
  { name: "no removed rows", code: "tampered", lie: (answer) => ({ ...answer, removed: [] }) },
  { name: "one row less", code: "withheld", lie: (answer) => ({ ...answer, rows: answer.rows.slice(1) }) },
  {
    name: "one removed row less",
    code: "tampered",
    lie: (answer) => ({ ...answer, removed: answer.removed.slice(1) }),
  },
  { name: "rows out of order", code: "tampered", lie: (answer) => ({ ...answer, rows: answer.rows.toReversed() }) },
  { name: "a row twice", code: "tampered", lie: (answer) => ({ ...answer, rows: answer.rows.flatMap((r) => [r, r]) }) },
  { name: "bytes that are no row", code: "tampered", lie: (answer) => ({ ...answer, rows: [text("row")] }) },
  {
    name: "a row of another table",
    code: "tampered",
    lie: (answer, { world }) => ({
      ...answer,
      rows: world.current.tables.certificates.slice(0, 1).map(({ bytes }) => bytes),
    }),
  },
  {
    name: "more to come of nothing",
    code: "withheld",
    lie: (answer) => ({ ...answer, rows: [], removed: [], next: new Uint8Array(40) }),
  },
  { name: "another place to go on from", code: "tampered", lie: (answer) => ({ ...answer, next: new Uint8Array(40) }) },
];

for (const { name, code, lie } of LIES) {
  Deno.test(`sync() refuses ${name} as ${code}, and the copy stays as it was, TREE-04 READ-08`, async () => {
    const started = withCopy(await start());
    const { copy, world, edge, store } = started;
    await copy.sync();
    world.addMessage("mail", 9, text("nine"));
    world.contents.splice(world.contents.findIndex(({ list, number }) => list.kind === "channel" && number === 2), 1);
    await world.turn({ delta: true });
    edge.lie = (asked, answer) => asked === "changes" ? lie(answer as Parameters<typeof lie>[0], started) : answer;
    await assertRejects(() => copy.sync(), code);
    assertEquals(await mailOf(copy), [1, 2, 3, 4, 5, 6, 7, 8]);
    assertEquals(await mailOf(withCopy(started, store).copy), [1, 2, 3, 4, 5, 6, 7, 8]);
    edge.lie = (_, answer) => answer;
    await copy.sync();
    assertEquals(await mailOf(copy), [1, 3, 4, 5, 6, 7, 8, 9]);
    assertEquals(await mailOf(withCopy(started, store).copy), [1, 3, 4, 5, 6, 7, 8, 9]);
  });
}

Deno.test("sync() takes what changed page by page, and refuses to be led past any of it, READ-08", async () => {
  const started = withCopy(await start());
  const { copy, world, edge } = started;
  await copy.sync();
  for (let position = 9; position <= 20; position++) world.addMessage("mail", position, text(`${position}`));
  await world.turn({ delta: true });
  edge.changesInPage = 2;
  let pages = 0;
  edge.lie = (asked, answer) => asked === "changes" && ++pages === 3 ? { ...answer, next: null } : answer;
  await assertRejects(() => copy.sync(), "withheld");
  const all = world.current.tables.messages.map(({ key }) => key);
  edge.lie = (asked, answer) => asked === "changes" ? { ...answer, next: all.at(-1) ?? null } : answer;
  await assertRejects(() => copy.sync(), "tampered");
  edge.lie = (_, answer) => answer;
  const { isWhole, put } = await copy.sync();
  assertEquals([isWhole, put], [false, 13]);
  assertEquals((await mailOf(copy)).length, 20);
});

Deno.test("sync() does not ask on behind a row that the manager did not make, COPY-01", async () => {
  const started = withCopy(await start());
  const { copy, world, edge, store } = started;
  await copy.sync();
  for (let position = 9; position <= 20; position++) world.addMessage("mail", position, text(`${position}`));
  await world.turn({ delta: true });
  edge.changesInPage = 2;
  const damaged = (rows: readonly Bytes[]) =>
    rows.map((row) => row.map((byte, at) => at === row.length - 1 ? byte ^ 1 : byte));
  edge.lie = (_, answer) => "rows" in answer ? { ...answer, rows: damaged(answer.rows as Bytes[]) } : answer;
  edge.requests.length = 0;
  await assertRejects(() => copy.sync(), "tampered");
  assertEquals(edge.requests.filter((request) => request === "GET changes").length, 1);
  await store.clear();
  await assertRejects(() => withCopy(started, store).copy.sync(), "tampered");
});

Deno.test("a store that lost or changed a row is not believed, and fetched anew", async () => {
  const started = withCopy(await start());
  const { copy, store } = started;
  await copy.sync();
  const state = await store.state();
  assert(state);
  const rows = [];
  for await (const row of store.rows()) rows.push(row);
  const one = rows.find(({ table }) => table === "messages");
  assert(one);
  await store.apply({ state, isWhole: false, put: [], remove: [one] });
  const restarted = withCopy(started, store).copy;
  await assertRejects(() => restarted.asOf(), "not_found");
  assertEquals((await restarted.sync()).isWhole, true);
  await store.apply({ state, isWhole: false, put: [{ ...one, bytes: text("x") }], remove: [] });
  assertEquals((await withCopy(started, store).copy.sync()).isWhole, true);
});

Deno.test("a row that the store lost while the copy was open is fetched with the next sync", async () => {
  const { copy, store } = withCopy(await start());
  await copy.sync();
  const state = await store.state();
  assert(state);
  const messages = (await Array.fromAsync(store.rows())).filter(({ table }) => table === "messages");
  await store.apply({ state, isWhole: false, put: [], remove: messages });
  await assertRejects(() => mailOf(copy), "storage");
  await assertRejects(() => copy.asOf(), "not_found");
  assertEquals((await copy.sync()).isWhole, true);
  assertEquals(await mailOf(copy), [1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("rows whose keys are none are not believed", async () => {
  const started = withCopy(await start());
  const { copy, store } = started;
  await copy.sync();
  const state = await store.state();
  assert(state);
  const row = { table: "messages", key: Uint8Array.of(1), bytes: text("x") } as const;
  await store.apply({ state, isWhole: false, put: [row], remove: [] });
  assertEquals((await withCopy(started, store).copy.sync()).isWhole, true);
});

Deno.test("a copy ends with its incarnation, also while it is open, whatever numbers the next one has, COPY-01 COPY-05", async () => {
  const started = withCopy(await start());
  const { copy, device, world, edge } = started;
  await copy.sync();
  const { head: { generation, epoch }, hash } = world.current;
  const number = world.owner.statement.number + 2 ** 20;
  const incarnation = new Uint8Array(16).fill(9);
  await world.owner.restate({ number, incarnation, manager: await signingKey(), base: { generation, head: hash } });
  await world.turn({ fields: { epoch } });
  await assertRejects(() => copy.sync(), "restored");
  await device.confirmRestore(incarnation);
  edge.requests.length = 0;
  assertEquals((await copy.sync()).isWhole, true);
  assertEquals(edge.requests.filter((request) => request === "GET changes"), []);

  await world.owner.restate({
    number: number + 1,
    incarnation: new Uint8Array(16).fill(8),
    manager: await signingKey(),
  });
  await world.turn({ fields: { epoch: epoch + 1 } });
  await device.confirmRestore(new Uint8Array(16).fill(8));
  await device.head();
  await assertRejects(() => copy.asOf(), "not_found");
  await assertRejects(() => mailOf(copy), "not_found");
});

Deno.test("what is handed in offline waits as a draft, under an overdue copy too, and is sent once, INBOX-03 INBOX-15", async () => {
  const started = withCopy(await start());
  await started.copy.sync();
  const { edge, store, world } = started;
  offline(started);
  const later = { ...started, surroundings: { ...started.surroundings, now: () => world.time + 3_600_000 } };
  const { device } = withCopy(later, store);
  assertEquals((await device.copy?.asOf())?.freshness, "overdue");
  const submitted = await device.submit.message({ channel: "mail", raw: text("later") });
  assertEquals([submitted.delivered, submitted.isDraft, submitted.waitingFor], [false, true, "network"]);
  assertEquals(edge.inbox.length, 0);
  edge.before = () => {};
  const restarted = withCopy(started, store).device;
  assertEquals(await restarted.submit.flush(), []);
  assertEquals(await restarted.submit.flush(), []);
  assertEquals(edge.inbox.length, 1);
});
