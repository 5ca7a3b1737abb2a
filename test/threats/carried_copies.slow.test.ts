/** Promise: a removed, added, swapped, stale or withheld row is always detected. As far as copies go that follow change lists. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { CopyInProcess, type CopySync, type LocalCopy, PosternDevice } from "../../shared/client/mod.ts";
import { emptyTables, isCopied } from "../../shared/client/copy/copied_tables.ts";
import { changeProven } from "../../shared/client/copy/copy_change.ts";
import type { CopiedRow } from "../../shared/client/memory/copy_store.ts";
import { PosternError } from "../../shared/errors.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { META, setBytes } from "../../manager/store/meta.ts";
import { putStatement } from "../../manager/owner/statement.ts";
import { rowHash } from "../../shared/protocol/row.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { World } from "../fixtures/world.ts";
import { forgeStatement } from "./forge.ts";
import { certificate, CHANNEL, mail } from "./setting.ts";

const SUBJECTS = ["CN=One", "CN=Two", "CN=Three"];

interface Copying extends AsyncDisposable {
  readonly world: World;
  readonly device: TestDevice;
  readonly store: CopyInProcess;
  readonly copy: LocalCopy;
  /** The device's program started again, with the same place for its copy. */
  restarted(): LocalCopy;
}

/** A copy of generation 1, from which nothing was followed yet. */
async function copied({ coverRows = 0 } = {}): Promise<Copying> {
  const world = await World.create();
  const { manager } = world;
  manager.policy = { ...manager.policy, coverRows };
  const device = await world.pair("phone");
  for (const subject of SUBJECTS) await manager.trust(await certificate(subject));
  for (let n = 1; n <= 8; n++) await manager.receive(CHANNEL, mail(`message ${n}`));
  await manager.sync();
  const store = new CopyInProcess();
  const restarted = () => copyOf(device, store);
  const copy = restarted();
  assertEquals((await copy.sync()).isWhole, true);
  return { world, device, store, copy, restarted, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

function copyOf({ profile, keys, memory, surroundings }: TestDevice, store: CopyInProcess): LocalCopy {
  const { copy } = new PosternDevice({ profile, keys, memory, surroundings, copy: store });
  assert(copy);
  return copy;
}

/** What a copy holds, in the words of a person. */
async function contentsOf({ messages, certificates }: LocalCopy): Promise<string[]> {
  const listed = (await messages.channels()).found.map(({ name }) => name).includes(CHANNEL)
    ? (await messages.list(CHANNEL, { after: 0, limit: 100 })).messages.map(({ summary }) => summary.subject)
    : [];
  const found = await Promise.all([...SUBJECTS, "CN=New"].map(async (subject) => {
    return (await certificates.bySubject(subject)).found.map(({ status }) => `${subject} ${status}`);
  }));
  return [...listed, ...found.flat()];
}

/** The copy is what is fetched anew, all of it, now and when it is opened again. */
async function requireRight({ device, copy, restarted }: Copying): Promise<void> {
  const fresh = copyOf(device, new CopyInProcess());
  await fresh.sync();
  const expected = await contentsOf(fresh);
  assertEquals(await contentsOf(copy), expected);
  const again = restarted();
  assertEquals(await contentsOf(again), expected);
  assertEquals((await again.asOf()).generation, (await fresh.asOf()).generation);
}

/** A copy that is proven by its contents holds nothing else. */
async function requireNoCovers({ store }: Copying, rows: number): Promise<void> {
  assertEquals((await Array.fromAsync(store.rows())).filter(({ table }) => table !== "devices").length, rows);
}

const numbers = ({ isWhole, put, removed, carried }: CopySync) => ({ isWhole, put, removed, carried });

async function blockFirst({ world: { manager }, copy }: Copying): Promise<void> {
  const { found: [one] } = await copy.certificates.bySubject("CN=One");
  assert(one);
  await manager.block(readCertificate(one.der).fingerprint);
}

/** 8 messages, a channel, 3 certificates in two lists each. */
const ROWS = 8 + 1 + 6;

for (const coverRows of [0, 2]) {
  Deno.test(`a copy survives rotations with no, few and many changes, with covers of ${coverRows}, COPY-01 COPY-02 COPY-03`, async () => {
    await using setting = await copied({ coverRows });
    const { world: { manager }, copy, device } = setting;
    await manager.sync({ rotate: true });
    // The device's own row is fetched in every epoch: it holds the wrapped key.
    assertEquals(numbers(await copy.sync()), { isWhole: false, put: 1, removed: 0, carried: ROWS });
    await requireRight(setting);

    await manager.receive(CHANNEL, mail("nine"));
    await manager.trust(await certificate("CN=New"));
    await blockFirst(setting);
    await manager.sync({ rotate: true });
    device.traffic.exchanges.length = 0;
    assertEquals(numbers(await copy.sync()), { isWhole: false, put: 1 + 1 + 2 + 2, removed: 0, carried: ROWS - 2 });
    assert(device.traffic.exchanges.every(({ request }) => !/tables\/(certificates|messages)/.test(request.url)));
    await requireRight(setting);

    for (let n = 10; n < 60; n++) await manager.receive(CHANNEL, mail(`message ${n}`));
    await manager.sync();
    await manager.sync({ rotate: true });
    device.traffic.exchanges.length = 0;
    const { carried, isWhole } = await copy.sync();
    assertEquals([isWhole, carried], [false, ROWS + 1 + 2]);
    await requireRight(setting);
    const asked = device.traffic.exchanges.map(({ request }) => new URL(request.url));
    // Rows that follow each other in a list are asked for together, as many as there are.
    const limits = asked.filter(({ pathname }) => pathname.endsWith("/rows/messages"))
      .map(({ searchParams }) => searchParams.get("limit"));
    assertEquals(limits.filter((limit) => limit !== "1"), ["50"]);
    await requireNoCovers(setting, ROWS + 1 + 2 + 50);

    await manager.receive(CHANNEL, mail("the last"));
    await manager.sync();
    assertEquals((await copy.sync()).isWhole, false);
    await requireNoCovers(setting, ROWS + 1 + 2 + 50 + 1);
  });
}

Deno.test("a copy follows what changes in the epoch that it was carried into, also after a restart, COPY-03 COPY-04", async () => {
  await using setting = await copied({ coverRows: 1 });
  const { world: { manager }, copy, restarted } = setting;
  await manager.sync({ rotate: true });
  await copy.sync();
  const { found: [two] } = await copy.certificates.bySubject("CN=Two");
  assert(two);
  for (const [index, one] of [copy, copy, restarted()].entries()) {
    await manager.receive(CHANNEL, mail("another"));
    if (index === 1) await manager.forget(readCertificate(two.der).fingerprint);
    await manager.sync();
    assertEquals((await one.sync()).isWhole, false);
    await requireRight({ ...setting, copy: one });
  }
  const last = restarted();
  await blockFirst({ ...setting, copy: last });
  await manager.sync();
  await manager.sync({ rotate: true });
  assertEquals((await last.sync()).isWhole, false);
  await requireRight({ ...setting, copy: last });
});

Deno.test("a copy that missed several epochs is carried over all of them, COPY-01", async () => {
  await using setting = await copied({ coverRows: 1 });
  const { world, copy } = setting;
  const { manager } = world;
  await blockFirst(setting);
  await manager.sync();
  for (let n = 0; n < 3; n++) {
    await manager.receive(CHANNEL, mail(`in epoch ${n + 2}`));
    if (n === 1) await world.pair("another");
    await manager.sync({ rotate: true });
    await manager.receive(CHANNEL, mail(`later in epoch ${n + 2}`));
    await manager.sync();
  }
  // No edge has to show more at once.
  world.edge.lies.proven = (store, principal, request, now) =>
    store.proven(principal, { ...request, limit: Math.min(request.limit, 2) }, now);
  const { isWhole, carried, asOf } = await copy.sync();
  assertEquals([isWhole, carried, asOf.epoch], [false, ROWS - 2, 4]);
  await requireRight(setting);
});

Deno.test("within an epoch lists lead on when the edge has forgotten the copy's generation, COPY-01", async () => {
  await using setting = await copied({ coverRows: 2 });
  const { world: { manager, edge }, store, restarted } = setting;
  /** A sync long after the one before; whether it fetched everything. */
  const later = async (one: LocalCopy) => {
    edge.lies.changes = () => Promise.reject(new PosternError("epoch_gone", "That is long ago"));
    const { isWhole } = await one.sync();
    delete edge.lies.changes;
    return isWhole;
  };
  await manager.sync({ rotate: true });
  const exact = restarted();
  await store.clear();
  await exact.sync();
  for (let n = 0; n < 3; n++) {
    await manager.receive(CHANNEL, mail(`later ${n}`));
    if (n === 1) await blockFirst({ ...setting, copy: exact });
    await manager.sync();
  }
  assertEquals(await later(exact), false);
  // Still as the edge has it, cover rows and all.
  assertEquals((await store.state())?.note, null);
  await requireRight({ ...setting, copy: exact });

  await manager.sync({ rotate: true });
  const carried = restarted();
  assertEquals((await carried.sync()).isWhole, false);
  await manager.receive(CHANNEL, mail("last"));
  await manager.sync();
  assertEquals(await later(carried), false);
  assert((await store.state())?.note);
  await requireRight({ ...setting, copy: carried });
});

Deno.test("a list that leaves something out leads to nothing: everything is fetched, or the error is told, COPY-03", async () => {
  await using setting = await copied();
  const { world: { manager, edge }, copy } = setting;
  await manager.receive(CHANNEL, mail("not listed"));
  await manager.receive(CHANNEL, mail("listed"));
  // A manager that believes that it has pushed what it has not.
  const missing = "kind = 'channel' AND number = 9";
  for (
    const sql of [
      `INSERT INTO placed SELECT epoch, content_key, content_hash FROM entries, epochs WHERE state = 'current' AND ${missing}`,
      `DELETE FROM changed WHERE ${missing}`,
    ]
  ) await manager.db.execute({ sql, params: [] });
  await manager.sync({ rotate: true });
  edge.lies.table = async (store, principal, request, now) => {
    const answer = await store.table(principal, request, now);
    return request.table === TABLES.messages ? { ...answer, rows: answer.rows.slice(1) } : answer;
  };
  const before = await contentsOf(copy);
  await assertRejects(() => copy.sync(), "withheld");
  assertEquals(await contentsOf(copy), before);
  delete edge.lies.table;
  assertEquals((await copy.sync()).isWhole, true);
  await requireRight(setting);
});

Deno.test("a carried copy is not led astray by changes that leave something out, COPY-03", async () => {
  await using setting = await copied();
  const { world: { manager, edge }, copy } = setting;
  await manager.sync({ rotate: true });
  await copy.sync();
  await manager.receive(CHANNEL, mail("nine"));
  await blockFirst(setting);
  await manager.sync();
  edge.lies.changes = async (store, ...asked) => ({ ...await store.changes(...asked), rows: [], next: null });
  assertEquals((await copy.sync()).isWhole, false);
  delete edge.lies.changes;
  // Followed by the lists, then.
  await requireRight(setting);
});

Deno.test("an edge that lies about lists or rows is told, and the copy stays as it was, COPY-01 READ-06", async () => {
  await using setting = await copied();
  const { world: { manager, edge }, copy } = setting;
  await manager.trust(await certificate("CN=One"));
  await manager.sync();
  await copy.sync();
  await blockFirst(setting);
  await manager.sync({ rotate: true });
  const before = await contentsOf(copy);
  edge.lies.proven = async (store, ...asked) => ({ ...await store.proven(...asked), rows: [] });
  await assertRejects(() => copy.sync(), "tampered");
  edge.lies.proven = async (store, ...asked) => {
    const answer = await store.proven(...asked);
    const damaged = answer.rows.map((row) => row.map((byte, at) => at === row.length - 1 ? byte ^ 1 : byte));
    return { ...answer, rows: damaged };
  };
  await assertRejects(() => copy.sync(), "tampered");
  // Of two certificates with one subject, only the first one changed.
  edge.lies.proven = (store, principal, request, now) => store.proven(principal, { ...request, limit: 3 }, now);
  await assertRejects(() => copy.sync(), "tampered");
  assertEquals(await contentsOf(copy), before);
  delete edge.lies.proven;
  assertEquals((await copy.sync()).isWhole, false);
  await requireRight(setting);
});

Deno.test("a push while lists are followed is followed too, COPY-01", async () => {
  await using setting = await copied();
  const { world: { manager, edge }, copy } = setting;
  await manager.receive(CHANNEL, mail("nine"));
  await manager.sync({ rotate: true });
  for (const rotate of [false, true]) {
    let isIn = true;
    edge.lies.proven = async (store, ...asked) => {
      if (isIn) {
        isIn = false;
        await manager.receive(CHANNEL, mail("meanwhile"));
        await manager.sync({ rotate });
      }
      return await store.proven(...asked);
    };
    // Once more by the lists, under the head that came meanwhile.
    assertEquals([(await copy.sync()).isWhole, isIn], [false, false]);
    delete edge.lies.proven;
    await requireRight(setting);
    await manager.sync({ rotate: true });
  }
});

Deno.test("a small store is fetched whole in each epoch, also when nothing changed, COPY-01 ROW-16", async () => {
  await using setting = await copied();
  const { world: { manager }, copy } = setting;
  manager.policy = { ...manager.policy, fullUpToRows: 500 };
  await manager.sync();
  assertEquals((await copy.sync()).isWhole, true);
  await manager.sync({ rotate: true });
  assertEquals((await copy.sync()).isWhole, true);
});

Deno.test("a copy of a padded store follows it beyond the small ones and back, COPY-01 PUSH-18 PUSH-20", async () => {
  await using setting = await copied();
  const { world: { manager } } = setting;
  const [small, large] = [500, 0].map((fullUpToRows) => ({ ...manager.policy, fullUpToRows, coverRows: 8 }));
  for (const [turn, policy] of [small, large, large, small, small, large].entries()) {
    manager.policy = policy ?? manager.policy;
    await manager.receive(CHANNEL, mail(`turn ${turn}`));
    await manager.sync();
    await setting.copy.sync();
    await requireRight(setting);
  }
});

Deno.test("a copy from before a restore, or of a device that was revoked since, is of no use, COPY-01 COPY-05", async () => {
  await using setting = await copied();
  const { world, device, store, copy } = setting;
  const { manager } = world;
  const other = await world.pair("other");
  await manager.sync();
  await manager.revoke(device.profile.device);
  await manager.receive(CHANNEL, mail("behind its back"));
  await manager.sync();
  await assertRejects(() => copy.sync(), "unauthorized");
  const again = await world.pair("phone");
  await manager.sync();
  const readmitted = copyOf(again, store);
  await assertRejects(() => readmitted.asOf(), "not_found");
  assertEquals((await readmitted.sync()).isWhole, true);
  await requireRight({ ...setting, device: again, copy: readmitted, restarted: () => copyOf(again, store) });

  const place = new CopyInProcess();
  const others = copyOf(other, place);
  await others.sync();
  const incarnation = webCryptoRandom(16);
  const number = 2 + 2 ** 20;
  await manager.db.batch([
    putStatement(number, await forgeStatement(manager, { number, incarnation }), manager.clock.now()),
    setBytes(META.incarnation, incarnation),
  ]);
  await manager.sync({ rotate: true });
  await assertRejects(() => others.sync(), "restored");
  await other.client.confirmRestore(incarnation);
  assertEquals((await copyOf(other, place).sync()).isWhole, true);
});

Deno.test("a carried copy is not taken without the devices of its head, whatever its contents, COPY-04", async () => {
  await using setting = await copied();
  const { world: { manager }, copy, store, restarted } = setting;
  await manager.sync({ rotate: true });
  await copy.sync();
  const view = await restarted().view();
  const tables = emptyTables();
  for await (const { table, key, bytes } of store.rows()) {
    assert(isCopied(table));
    tables[table].put({ key, rowHash: rowHash(bytes) });
  }
  const base = { view, tables, proof: { contents: null } };
  const { head } = view.head;
  const devices = { count: head.tables.devices.count, root: webCryptoRandom(32) };
  const other = { ...view, head: { ...view.head, head: { ...head, tables: { ...head.tables, devices } } } };
  const nothing = { put: [], remove: [] };
  assert(await changeProven(store, base, view, nothing));
  await assertRejects(() => changeProven(store, base, other, nothing), "tampered");
});

/** Changes to the rows and the note of a copy, as whoever has the storage makes them. */
const DAMAGES: readonly { readonly name: string; readonly damage: (setting: Copying) => Promise<void> }[] = [
  {
    name: "a row exchanged for one of an older epoch",
    damage: async ({ store }) => {
      const [one, two] = await rowsOf(store, "messages");
      assert(one && two);
      await put(store, { ...one, bytes: two.bytes });
    },
  },
  {
    name: "a row gone",
    damage: async ({ store }) => {
      const [one] = await rowsOf(store, "certificates");
      const state = await store.state();
      assert(one && state);
      await store.apply({ state, isWhole: false, put: [], remove: [one] });
    },
  },
  {
    name: "no note",
    damage: async ({ store }) => {
      const state = await store.state();
      assert(state);
      await store.apply({ state: { ...state, note: null }, isWhole: false, put: [], remove: [] });
    },
  },
  {
    name: "another note",
    damage: async ({ store }) => {
      const state = await store.state();
      assert(state?.note);
      const note = state.note.map((byte, at) => at === 12 ? byte ^ 1 : byte);
      await store.apply({ state: { ...state, note }, isWhole: false, put: [], remove: [] });
    },
  },
  {
    name: "the note of an older copy",
    damage: async ({ store, world: { manager }, copy }) => {
      const before = await store.state();
      await manager.receive(CHANNEL, mail("newer"));
      await manager.sync();
      await copy.sync();
      const state = await store.state();
      assert(state?.note && before?.note && !equalBytes(state.note, before.note));
      await store.apply({ state: { ...state, note: before.note }, isWhole: false, put: [], remove: [] });
    },
  },
];

async function rowsOf(store: CopyInProcess, table: CopiedRow["table"]): Promise<CopiedRow[]> {
  return (await Array.fromAsync(store.rows())).filter((row) => row.table === table);
}

async function put(store: CopyInProcess, row: CopiedRow): Promise<void> {
  const state = await store.state();
  assert(state);
  await store.apply({ state, isWhole: false, put: [row], remove: [] });
}

for (const { name, damage } of DAMAGES) {
  Deno.test(`a carried copy with ${name} is not believed, and fetched anew, COPY-04`, async () => {
    await using setting = await copied();
    const { world: { manager }, copy, restarted } = setting;
    await manager.sync({ rotate: true });
    await copy.sync();
    await damage(setting);
    const again = restarted();
    await assertRejects(() => again.asOf(), "not_found");
    assertEquals((await again.sync()).isWhole, true);
    await requireRight({ ...setting, copy: again });
  });
}
