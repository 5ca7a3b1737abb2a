/** Promise: a removed, added, swapped, stale or withheld row is always detected. As far as single answers go, which come with proofs. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { SHA256_BYTES } from "../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { BLOCKS } from "../../edge/store/schema.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import type { Lies } from "../fixtures/edge.ts";
import { addRow, heldRows, hideRow, run, showRow } from "./edge_database.ts";
import { CHANNEL, mail, pushedWorld, type Setting, SUBJECTS } from "./setting.ts";

type Rows = NonNullable<Lies["proven"]>;
type Asked = Parameters<EdgeStore["proven"]>[1];
type Answer = Awaited<ReturnType<EdgeStore["proven"]>>;

/** A lie about rows: what the edge asks its store in the place of what it was asked, and what it makes of the answer. */
interface RowsLie {
  readonly name: string;
  readonly code: ErrorCode;
  readonly lie: (ask: (change?: Partial<Asked>) => Promise<Answer>, asked: Asked) => Promise<Answer>;
}

/** About the channel, of which the newest three messages are asked for: 5, 4 and 3. */
const LIES: readonly RowsLie[] = [
  { name: "without a proof", code: "withheld", lie: async (ask) => ({ ...await ask(), proof: null }) },
  { name: "with half a proof", code: "tampered", lie: async (ask) => halved(await ask()) },
  {
    name: "without one of the rows",
    code: "tampered",
    lie: async (ask) => {
      const answer = await ask();
      return { ...answer, rows: answer.rows.toSpliced(1, 1) };
    },
  },
  {
    name: "with a row twice",
    code: "tampered",
    lie: async (ask) => {
      const answer = await ask();
      return { ...answer, rows: [answer.rows[0], ...answer.rows].flatMap((row) => row ?? []) };
    },
  },
  {
    name: "without the newest message, as if there were none",
    code: "withheld",
    lie: async (ask) => await ask({ before: 5 }),
  },
  {
    name: "with the oldest messages as the newest",
    code: "withheld",
    lie: async (ask) => await ask({ before: 4 }),
  },
  {
    name: "cut short, as if the channel began there",
    code: "withheld",
    lie: async (ask) => ({ ...await ask({ limit: 2 }), more: false }),
  },
  {
    name: "as a channel without messages",
    code: "withheld",
    lie: async (ask) => await ask({ token: webCryptoRandom(32) }),
  },
  {
    name: "with the proof of another list",
    code: "tampered",
    lie: async (ask) => ({ ...await ask(), proof: (await ask({ token: webCryptoRandom(32) })).proof }),
  },
  {
    name: "with the proof of another table",
    code: "tampered",
    lie: async (ask) => ({ ...await ask(), proof: (await ask({ table: TABLES.certificates })).proof }),
  },
];

function halved(answer: Answer): Answer {
  return { ...answer, proof: answer.proof?.slice(0, answer.proof.length >> 1) ?? null };
}

function lying(lie: RowsLie["lie"]): Rows {
  return async (store, principal, asked, ...rest) => {
    const ask = (change: Partial<Asked> = {}) => store.proven(principal, { ...asked, ...change } as Asked, ...rest);
    return await lie(ask, asked);
  };
}

/** The world of the attacks with a fifth message, which came with generation 2 of the same epoch. */
async function atTwo(): Promise<Setting> {
  const setting = await pushedWorld();
  await setting.world.manager.receive(CHANNEL, mail("five"));
  await setting.world.manager.sync();
  await setting.device.client.login();
  return setting;
}

async function newest({ client }: TestDevice): Promise<number[]> {
  return (await client.messages.list(CHANNEL, { limit: 3 })).messages.map(({ position }) => position);
}

for (const { name, code, lie } of LIES) {
  Deno.test(`messages.list() throws ${code} for an answer ${name} (READ-06, READ-09, PROOF-01, PROOF-02)`, async () => {
    await using setting = await atTwo();
    const { device, world: { edge } } = setting;
    edge.lies.proven = lying(lie);
    await assertRejects(() => newest(device), code);
    delete edge.lies.proven;
    assertEquals(await newest(device), [5, 4, 3]);
  });
}

Deno.test("messages.list() throws tampered for rows and proof as they were a generation ago (READ-09)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const earlier = await EdgeStore.open((await world.copyEdge()).database);
  await world.manager.receive(CHANNEL, mail("five"));
  await world.manager.sync();
  const { generation, epoch } = await device.client.login();
  assertEquals([generation, epoch], [2, 1]);
  world.edge.lies.proven = async (_, ...asked) => ({ ...await earlier.proven(...asked), generation });
  await assertRejects(() => newest(device), "tampered");
});

Deno.test("certificates throw withheld when the edge denies one that is there (READ-09)", async () => {
  await using setting = await atTwo();
  const { device, world: { edge } } = setting;
  const [subject = ""] = SUBJECTS;
  const { found: [entry] } = await device.client.certificates.bySubject(subject);
  assert(entry?.certificate);
  const { fingerprint, certificate } = entry;
  edge.lies.proven = lying(async (ask) => await ask({ token: webCryptoRandom(32) }));
  const { certificates } = device.client;
  await assertRejects(() => certificates.byFingerprint(fingerprint), "withheld");
  await assertRejects(() => certificates.bySubject(subject), "withheld");
  await assertRejects(() => certificates.chain(certificate), "withheld");
  delete edge.lies.proven;
  assertEquals((await certificates.byFingerprint(fingerprint)).found?.status, "usable");
});

Deno.test("certificates.byFingerprint() says null only where that is proven, in one round trip (READ-09)", async () => {
  await using setting = await atTwo();
  const { device } = setting;
  const { exchanges } = device.traffic;
  const before = exchanges.length;
  assertEquals((await device.client.certificates.byFingerprint(webCryptoRandom(32))).found, null);
  assertEquals(exchanges.length, before + 1);
});

Deno.test("a first login and a verified read take three round trips (READ-07, READ-09)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  assertEquals((await device.client.certificates.bySubject(SUBJECTS[0] ?? "")).found.length, 1);
  assertEquals(device.traffic.exchanges.length, 3);
});

Deno.test("lookups throw withheld or tampered when a row is missing in the edge's database, and the blocks are not (PROOF-01)", async () => {
  await using setting = await atTwo();
  const { device, world: { edge } } = setting;
  const { client } = device;
  const read = async () => {
    for (const subject of SUBJECTS) await client.certificates.bySubject(subject);
  };
  const fingerprints: Bytes[] = [];
  for (const subject of SUBJECTS) {
    fingerprints.push(...(await client.certificates.bySubject(subject)).found.map(({ fingerprint }) => fingerprint));
  }
  let missed = 0;
  for (const row of await heldRows(edge, TABLES.certificates)) {
    await hideRow(edge, row);
    const outcomes = await Promise.allSettled([
      read(),
      ...fingerprints.map((fingerprint) => client.certificates.byFingerprint(fingerprint)),
    ]);
    if (outcomes.every(({ status }) => status === "fulfilled")) missed += 1;
    await showRow(edge, row);
  }
  assertEquals(missed, 0);
  await read();
});

Deno.test("messages.list() throws withheld when a row is added in the edge's database (PROOF-01)", async () => {
  await using setting = await atTwo();
  const { device, world: { edge } } = setting;
  const rows = await heldRows(edge, TABLES.messages);
  for (const row of rows) await addRow(edge, { ...row, number: row.number + 1_000 });
  // No proof can be made of it.
  await assertRejects(() => newest(device), "withheld");
});

Deno.test("lookups throw withheld when the edge lost the blocks of its tables (READ-06)", async () => {
  await using setting = await atTwo();
  const { device, world: { edge } } = setting;
  await run(edge, "DELETE FROM rows WHERE tbl >= ?", BLOCKS);
  await edge.restart();
  await assertRejects(() => newest(device), "withheld");
  await assertRejects(() => device.client.certificates.bySubject("CN=Nobody"), "withheld");
});

Deno.test("lookups never show other rows when blocks are damaged in the edge's database (PROOF-01, PROOF-02)", async () => {
  await using setting = await atTwo();
  const { device, world: { edge } } = setting;
  const { rows } = await edge.database.execute<{ readonly id: number; readonly body: Bytes }>({
    sql: "SELECT id, body FROM rows WHERE tbl = ?",
    params: [BLOCKS + TABLES.messages],
  });
  const codes = new Set<string>();
  for (const { id, body } of rows) {
    // Every hash and leaf of a block is met, so that those on the way are among them wherever tokens fall.
    for (let at = body.length - 1; at > 0; at -= SHA256_BYTES) {
      const damaged = body.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await run(edge, "UPDATE rows SET body = ? WHERE id = ?", damaged, id);
      await edge.restart();
      const outcome = await newest(device).catch((error) => isPosternError(error) ? error.code : Promise.reject(error));
      if (typeof outcome === "string") codes.add(outcome);
      else assertEquals(outcome, [5, 4, 3]);
    }
    await run(edge, "UPDATE rows SET body = ? WHERE id = ?", body, id);
  }
  await edge.restart();
  assertEquals(await newest(device), [5, 4, 3]);
  const refusals = ["malformed", "tampered", "withheld"];
  assert(codes.size > 0 && [...codes].every((code) => refusals.includes(code)), [...codes].join());
});
