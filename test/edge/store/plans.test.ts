/**
 * How SQLite finds what it is asked for: a statement that walked through a table would get slower with every row
 * stored.
 */
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Statement } from "../../../shared/database/database.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assert, assertEquals } from "../../assert.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import {
  asDevice,
  asManager,
  counts,
  deviceRow,
  openStore,
  pushBody,
  pushRows,
  rawRow,
  sendChunk,
  sendNodes,
  token,
  tokenOf,
} from "./fixture.ts";
import { handIn, signedSubmission } from "./submission.ts";
import { recording } from "../../fixtures/recording_database.ts";

/** Does everything that a store can do. */
async function doEverything(store: EdgeStore, owner: OwnerFixture): Promise<void> {
  const device = await owner.device();
  const [manager, principal] = [asManager(owner), asDevice(owner, device)];
  await store.managerLoginData(owner.id);
  const chunk = { rows: [deviceRow(device), rawRow(2, token(1), 0)] };
  const head = await pushRows(store, owner, { body: pushBody(owner), chunk, tables: counts(1, 1), previous: null });
  const [dropped, aborted, body] = [1, 2, 3].map(() => pushBody(owner, { base: 1, full: false }));
  if (dropped === undefined || aborted === undefined || body === undefined) throw new Error("unreachable");
  await store.begin(manager, dropped, NOW);
  await store.pushed(manager, { id: body.id, table: 2, after: null, limit: 9 }, NOW).catch(() => {});
  const changes = {
    rows: [rawRow(2, token(1), 0), deviceRow(device)],
    remove: [[2, token(1), 0], [1, tokenOf(device), 0]],
  } as const;
  await sendChunk(store, manager, dropped.id, 0, changes);
  await store.begin(manager, aborted, NOW);
  await store.abort(manager, aborted.id, NOW);
  await store.begin(manager, body, NOW);
  for (let i = 0; i < 2; i++) await sendChunk(store, manager, body.id, 0, changes);
  const nodes = { blocks: [[2, "", encodeBlock([])]], history: [[0, 0, token(1)]] } as const;
  for (let i = 0; i < 2; i++) await sendNodes(store, manager, body.id, 0, nodes);
  await store.state(manager, NOW);
  const [part, unnamed] = [new Uint8Array(300), new Uint8Array(301)];
  for (const bytes of [part, unnamed]) await store.putPart(principal, sha256(bytes), bytes, NOW);
  const submission = await signedSubmission(owner, device, { parts: [{ hash: sha256(part), size: part.length }] });
  for (let i = 0; i < 2; i++) await handIn(store, principal, submission);
  for (const reader of [manager, principal]) {
    const list = { table: 2, epoch: 1, token: token(1) } as const;
    const page = { table: 2, epoch: 1, at: 1, after: null, limit: 9 } as const;
    for (const limit of [1, 1_000]) {
      await store.rows(reader, { ...list, from: 0, limit }, NOW);
      await store.rows(reader, { ...list, before: 9, limit }, NOW);
      await store.proven(reader, { ...list, from: 0, limit }, NOW);
      await store.proven(reader, { ...list, from: 1, limit }, NOW);
      await store.proven(reader, { ...list, before: 9, limit, epoch: 3 }, NOW).catch(() => {});
      await store.proven(reader, { ...list, from: 0, limit, epoch: 3 }, NOW).catch(() => {});
    }
    await store.table(reader, page, NOW);
    await store.changes(reader, { ...page, since: 1 }, NOW);
    await store.list(reader, 0, 9);
    await store.getPart(reader, sha256(part));
    await store.head(reader);
    await store.head(reader, 1);
    await store.record(reader);
  }
  const acks = [{ device: device.id, stream: new Uint8Array(16), number: 1, hash: new Uint8Array(32) }];
  const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(1, 1), acks });
  await store.commit(manager, body.id, { heads: [next.signed], statements: [], nodes: 1 }, NOW);
  await store.loginData(owner.id, device.id);
  await store.publicStatement(owner.id);
  await store.spendChallenge(owner.id, token(1), NOW);
  await store.endSession(principal, NOW);
  const idle = pushBody(owner, { base: 2, full: false });
  await store.begin(manager, idle, NOW);
  const sweep = async (now: number) => {
    while ((await store.sweep(now)).more);
  };
  await sweep(NOW + 1e9);
  await store.deleteTables(manager, 1, NOW);
  await sweep(NOW + 2e9);
}

/** Reads of what SQLite made itself, or of a list that was handed in. */
const HARMLESS_SCAN = /^SCAN (?:CONSTANT ROW|\(|(?:me|levels|ends|keys|ways?|w|x)\b|changed\b|[aj] VIRTUAL TABLE)/;
/** By the owner alone, which is all that an owner has; the tables left out have a handful of rows. */
const ONLY_BY_OWNER = [
  /INDEX (?:rows|devices|inbox|spent|ended)_\w+ \(owner=\?\)/,
  /SEARCH (?:push_chunks|devices|inbox\w*|[cdinr]) USING PRIMARY KEY \(owner=\?\)/,
];

Deno.test("every statement of the store finds its rows by an index", async () => {
  const database = await openDatabase(":memory:", {});
  const kept = new Map<string, Statement<unknown>>();
  const owner = await OwnerFixture.create();
  // What makes the tables may look at all of them.
  await openStore(database);
  await doEverything(await openStore(recording(database, kept), owner), owner);
  const slow: string[] = [];
  let explained = 0;
  for (const { sql, params } of kept.values()) {
    if (/^\s*(?:CREATE|SELECT "?(?:name|version))/i.test(sql)) continue;
    const { rows } = await database.execute<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}`, params });
    explained += 1;
    for (const { detail } of rows) {
      const scans = /^SCAN/.test(detail) && !HARMLESS_SCAN.test(detail);
      const unbounded = ONLY_BY_OWNER.some((one) => one.test(detail)) && !/inbox_usage|inbox_arrivals/.test(detail);
      if (scans || unbounded || /AUTOMATIC/.test(detail)) slow.push(`${detail}: ${sql.replaceAll(/\s+/g, " ")}`);
    }
  }
  assert(explained >= 80, `only ${explained} statements were seen`);
  assertEquals(slow, []);
});
