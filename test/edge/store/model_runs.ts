/** The store against its model: any sequence of pushes, reads, waiting and sweeping, on two owners at once. */
import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { isPosternError } from "../../../shared/errors.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { PushBody } from "../../../edge/store/push/state.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals } from "../../assert.ts";
import { type HeadFixture, NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { asManager, counts, openStore, rawRow, token } from "./fixture.ts";
import { type Content, inOrder, keyOf, type Outcome, OwnerModel, type Place } from "./model.ts";

interface Model {
  readonly owners: readonly [OwnerModel, OwnerModel];
  now: number;
}

interface Real {
  readonly store: EdgeStore;
  readonly owners: readonly [OwnerFixture, OwnerFixture];
  /** The heads that the edge holds. */
  readonly heads: [HeadFixture | null, HeadFixture | null];
  /** Contents that were sent, so that one can be sent again. */
  readonly sent: Content[];
  /** Counts generations and epochs up, over both owners. */
  next: number;
}

type Command = fc.AsyncCommand<Model, Real>;
type Step = (owner: OwnerModel, fixture: OwnerFixture, model: Model, real: Real, which: 0 | 1) => Promise<void>;

class OwnersStep implements Command {
  readonly #name: string;
  readonly #which: 0 | 1;
  readonly #step: Step;
  constructor(name: string, which: 0 | 1, step: Step) {
    this.#name = name;
    this.#which = which;
    this.#step = step;
  }
  check = () => true;
  run = (model: Model, real: Real) =>
    this.#step(model.owners[this.#which], real.owners[this.#which], model, real, this.#which);
  toString = () => `${this.#name} of ${this.#which}`;
}

/** Runs, and gives the value or the code of the error. */
async function outcome<T>(run: () => Promise<T>): Promise<{ outcome: Outcome; value?: T }> {
  try {
    return { outcome: "ok", value: await run() };
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return { outcome: error.code };
  }
}

const place = fc.record({
  table: fc.constantFrom(2 as const, 3 as const),
  token: fc.integer({ min: 1, max: 2 }),
  number: fc.integer({ min: 0, max: 2 }),
});
const places = fc.array(place, { maxLength: 4 });
const newRow = (place: Place) => ({ place, row: rawRow(place.table, token(place.token), place.number, 4) });
const wire = (content: Content) => ({
  rows: content.add.map(({ row }) => row),
  remove: content.remove.map(({ table, token: t, number }) => [table, token(t), number] as const),
});

/** Any content, mostly one that contradicts something. */
const anyContent = fc.tuple(places, places).map(([add, remove]): Content => ({ add: add.map(newRow), remove }));
/** A content that continues a state: what is there may be replaced or removed, what is not may be added. */
const fitting = (owner: OwnerModel, full: boolean, wanted: readonly { place: Place; keep: boolean }[]): Content => {
  const unique = new Map(wanted.map((one) => [keyOf(one.place), one]));
  const isThere = (place: Place) => !full && owner.rows.has(keyOf(place));
  return {
    add: [...unique.values()].filter(({ place, keep }) => keep || !isThere(place)).map(({ place }) => newRow(place)),
    remove: [...unique.values()].filter(({ place }) => isThere(place)).map(({ place }) => place),
  };
};

function bodyFor(owner: OwnerModel, fixture: OwnerFixture, real: Real, full: boolean, chunks: number): PushBody {
  const epoch = full ? real.next++ : owner.epoch;
  const { incarnation } = fixture;
  return { id: webCryptoRandom(16), base: owner.generation, epoch: Math.max(epoch, 1), incarnation, full, chunks };
}

async function begin(owner: OwnerModel, body: PushBody, fixture: OwnerFixture, { now }: Model, { store }: Real) {
  const expected = owner.begin(body, now);
  assertEquals((await outcome(() => store.begin(asManager(fixture), body, now))).outcome, expected);
}

async function chunk(
  owner: OwnerModel,
  id: Bytes,
  n: number,
  content: Content,
  fixture: OwnerFixture,
  { now }: Model,
  { store }: Real,
) {
  const expected = owner.chunk(id, n, content, now);
  const { rows, remove } = wire(content);
  const digest = sha256(encodeCbor({ rows, remove: remove.map((key) => [...key]) }));
  const found = await outcome(() => store.chunk(asManager(fixture), id, n, digest, { rows, remove }, now));
  assertEquals(found.outcome, expected);
}

/** A commit whose head counts the rows that the push says it leads to, or `lie` more. */
async function commit(
  owner: OwnerModel,
  id: Bytes,
  lie: number,
  fixture: OwnerFixture,
  { now }: Model,
  real: Real,
  which: 0 | 1,
) {
  const count = (table: number) => Math.max(0, owner.claimed(table) + (table === 2 ? lie : 0));
  const held = real.heads[which];
  const generation = owner.generation === 0 ? real.next++ : owner.generation + 1;
  const epoch = owner.push?.body.epoch ?? Math.max(owner.epoch, 1);
  const tables = counts(0, count(2), count(3));
  const head = await fixture.head({ generation, previous: held?.hash ?? null, epoch, tables });
  const body = { heads: [head.signed], statements: [fixture.statement.signed] };
  const expected = owner.commit(id, generation, count, now);
  const commitOnce = () => outcome(() => real.store.commit(asManager(fixture), id, body, now));
  assertEquals((await commitOnce()).outcome, expected);
  if (expected !== "ok") return;
  real.heads[which] = head;
  assertEquals(await commitOnce(), { outcome: "ok", value: generation });
}

const STEPS: readonly fc.Arbitrary<readonly [string, Step]>[] = [
  fc.record({
    full: fc.constantFrom(false, false, true),
    wanted: fc.array(fc.array(fc.record({ place, keep: fc.boolean() }), { maxLength: 5 }), { maxLength: 3 }),
    backwards: fc.boolean(),
  }).map(({ full, wanted, backwards }) => [
    `push ${full ? "full" : "delta"} in ${wanted.length}`,
    async (owner, fixture, model, real, which) => {
      const isFull = full || owner.generation === 0;
      const body = bodyFor(owner, fixture, real, isFull, wanted.length);
      await begin(owner, body, fixture, model, real);
      const whole = fitting(owner, isFull, wanted.flat());
      const parts = wanted.map((_, n): Content => ({
        add: whole.add.filter((_, i) => i % wanted.length === n),
        remove: whole.remove.filter((_, i) => (i + 1) % wanted.length === n),
      }));
      const order = backwards ? [...parts.keys()].reverse() : [...parts.keys()];
      for (const n of order) {
        const content = parts[n];
        if (content !== undefined) await chunk(owner, body.id, n, content, fixture, model, real);
      }
      await commit(owner, body.id, 0, fixture, model, real, which);
    },
  ]),
  fc.array(anyContent, { minLength: 1, maxLength: 2 }).map((contents) => [
    `push anything in ${contents.length}`,
    async (owner, fixture, model, real, which) => {
      const body = bodyFor(owner, fixture, real, owner.generation === 0, contents.length);
      await begin(owner, body, fixture, model, real);
      for (const [n, content] of contents.entries()) await chunk(owner, body.id, n, content, fixture, model, real);
      await commit(owner, body.id, 0, fixture, model, real, which);
    },
  ]),
  fc.record({ full: fc.boolean(), chunks: fc.integer({ min: 0, max: 2 }), off: fc.constantFrom(0, 0, 1, -1) }).map((
    { full, chunks, off },
  ) => [
    `begin ${full ? "full" : "delta"} ${off}`,
    async (owner, fixture, model, real) => {
      const body = bodyFor(owner, fixture, real, full, chunks);
      await begin(owner, { ...body, base: Math.max(0, body.base + off) }, fixture, model, real);
    },
  ]),
  fc.record({ past: fc.boolean(), chunks: fc.constantFrom(0, 0, 1) }).map(({ past, chunks }) => [
    `begin again ${past}`,
    async (owner, fixture, model, real) => {
      const known = past ? owner.past : owner.push;
      if (known === null || (past && model.now - (owner.past?.at ?? 0) >= LIMITS.pushMemoryMillis)) return;
      await begin(owner, { ...known.body, chunks: known.body.chunks + chunks }, fixture, model, real);
    },
  ]),
  fc.record({ n: fc.integer({ min: 0, max: 2 }), content: anyContent, again: fc.nat(3) }).map((
    { n, content, again },
  ) => [
    `chunk ${n}`,
    async (owner, fixture, model, real) => {
      const old = real.sent[real.sent.length - again];
      const what = old ?? content;
      real.sent.push(what);
      const { push } = owner;
      if (push !== null) await chunk(owner, push.body.id, n, what, fixture, model, real);
    },
  ]),
  fc.record({ lie: fc.constantFrom(0, 0, 0, 1) }).map(({ lie }) => [
    `commit ${lie}`,
    async (owner, fixture, model, real, which) => {
      if (owner.push !== null) await commit(owner, owner.push.body.id, lie, fixture, model, real, which);
    },
  ]),
  fc.constant([
    "abort",
    async (owner, fixture, { now }, { store }) => {
      const { push } = owner;
      if (push === null) return;
      const expected = owner.abort(push.body.id, now);
      assertEquals((await outcome(() => store.abort(asManager(fixture), push.body.id, now))).outcome, expected);
    },
  ]),
  fc.constantFrom(0, 1).map((up) => [
    `delete ${up}`,
    async (owner, fixture, { now }, { store, heads }, which) => {
      const number = Math.max(1, owner.deleteNumber + up);
      const expected = owner.deleteTables(number, now);
      assertEquals((await outcome(() => store.deleteTables(asManager(fixture), number, now))).outcome, expected);
      if (expected === "ok") heads[which] = null;
    },
  ]),
  fc.constantFrom(1, LIMITS.readGraceMillis - 1, LIMITS.readGraceMillis, LIMITS.pushIdleMillis).map((wait) => [
    `wait ${wait}`,
    (_owner, _fixture, model) => {
      model.now += wait;
      return Promise.resolve();
    },
  ]),
  fc.constantFrom(1, 3, 1_000).map((steps) => [
    `sweep ${steps}`,
    async (_owner, _fixture, { now }, { store }) => {
      for (let i = 0; i < steps; i++) if (!(await store.sweep(now)).more) return;
    },
  ]),
  fc.constant([
    "read",
    (owner, fixture, model, real) => compare(owner, fixture, model, real),
  ]),
];

/** Everything that can be read, in pages of a random size. */
async function compare(owner: OwnerModel, fixture: OwnerFixture, { now }: Model, { store }: Real): Promise<void> {
  const manager = asManager(fixture);
  const { generation, epoch } = owner;
  const current = { generation, epoch };
  const states = owner.states.filter(({ until }) => until > now);
  const epochs = new Set([...owner.states.map((state) => state.epoch), epoch, epoch + 1, 1]);
  for (const table of [2, 3] as const) {
    for (const asked of epochs) {
      const state = owner.ofEpoch(asked, now);
      const request = { table, epoch: asked, token: token(1), limit: 2 };
      const list = state && inOrder(state.rows, table).filter(({ place }) => place.token === 1);
      const up = await outcome(() => store.rows(manager, { ...request, from: 1 }, now));
      const down = await outcome(() => store.rows(manager, { ...request, before: 2 }, now));
      const expected = (found: typeof list) => {
        if (found === undefined) return { outcome: "epoch_gone" as const };
        const rows = found.slice(0, 2).map(({ row }) => row);
        return { outcome: "ok" as const, value: { ...current, rows, more: found.length > 2 } };
      };
      assertEquals(up, expected(list?.filter(({ place }) => place.number >= 1)));
      assertEquals(down, expected(list?.filter(({ place }) => place.number < 2).reverse()));
    }
    for (const { generation: at, epoch: asked } of owner.states) {
      const state = owner.at(at, asked, now);
      const request = { table, epoch: asked, at, after: null, limit: 1_000 };
      const page = await outcome(() => store.table(manager, request, now));
      const rows = state && inOrder(state.rows, table).map(({ row }) => row);
      const expected = rows === undefined
        ? { outcome: "epoch_gone" as const }
        : { outcome: "ok" as const, value: { ...current, rows, next: null } };
      assertEquals(page, expected);
    }
    for (const before of states) {
      for (const after of states.filter((state) => state.epoch === before.epoch)) {
        if (before.generation > after.generation) continue;
        await compareChanges(store, fixture, table, before, after, now);
      }
    }
  }
}

/** Applying the changes to the earlier state must give the later one, and nothing may be said that is no change. */
async function compareChanges(
  store: EdgeStore,
  fixture: OwnerFixture,
  table: 2 | 3,
  before: OwnerModel["states"][number],
  after: OwnerModel["states"][number],
  now: number,
): Promise<void> {
  const [had, has] = [before, after].map(({ rows }) => new Map(inOrder(rows, table).map((e) => [keyOf(e.place), e])));
  if (had === undefined || has === undefined) throw new Error("unreachable");
  const rows = [...has].filter(([key, { row }]) => had.get(key)?.row !== row).map(([, { row }]) => row);
  const removed = [...had].filter(([key]) => !has.has(key)).map(([, { place }]) => [token(place.token), place.number]);
  const found: { rows: Bytes[]; removed: (readonly [Bytes, number])[] } = { rows: [], removed: [] };
  const request = { table, epoch: after.epoch, since: before.generation, at: after.generation, limit: 2 };
  for (let next: Bytes | null = null;;) {
    const page = await store.changes(asManager(fixture), { ...request, after: next }, now);
    found.rows.push(...page.rows);
    found.removed.push(...page.removed);
    next = page.next;
    if (next === null) break;
  }
  assertEquals<unknown>(found, { rows, removed });
}

/** Whole pushes come more often than anything else: what the others do only shows between them. */
const PUSHES = STEPS.slice(0, 2);
const commands = fc.commands(
  [...STEPS, ...PUSHES, ...PUSHES].map((steps) =>
    fc.tuple(fc.constantFrom(0 as const, 0 as const, 1 as const), steps).map(([which, [name, step]]) =>
      new OwnersStep(name, which, step)
    )
  ),
  { maxCommands: 40, size: "max" },
);

/** Runs sequences; `open` gives a database for each of them. */
export async function checkAgainstModel(open: () => Promise<Database>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const owners = [await OwnerFixture.create(), await OwnerFixture.create()] as const;
      const database = await open();
      const store = await openStore(database, ...owners);
      const model: Model = { owners: [new OwnerModel(), new OwnerModel()], now: NOW };
      const real: Real = { store, owners, heads: [null, null], sent: [], next: 1 };
      await fc.asyncModelRun(() => ({ model, real }), sequence);
      for (const which of [0, 1] as const) await compare(model.owners[which], owners[which], model, real);
      await database.close();
    }),
    { numRuns, interruptAfterTimeLimit: 60_000 },
  );
}
