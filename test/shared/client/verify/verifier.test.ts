import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import type { Bytes } from "../../../../shared/bytes/bytes.ts";
import { createDeviceKeys } from "../../../../shared/client/identity/device_keys.ts";
import { createMemory, MemoryInProcess } from "../../../../shared/client/memory/memory.ts";
import type { DeviceState } from "../../../../shared/client/memory/state.ts";
import { Verifier } from "../../../../shared/client/verify/verifier.ts";
import { secretKey } from "../../../../shared/crypto/brand.ts";
import { sealHpke } from "../../../../shared/crypto/hpke.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { appendToHistory, EMPTY_HISTORY, type History, historyRoot } from "../../../../shared/merkle/history.ts";
import { deriveEpochKeys } from "../../../../shared/protocol/epoch_keys.ts";
import { sealHeadSecrets } from "../../../../shared/protocol/head.ts";
import { encodeDevice } from "../../../../shared/protocol/plaintexts.ts";
import { sealRow } from "../../../../shared/protocol/row.ts";
import type { EdgeName } from "../../../../shared/protocol/statement.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { wrapInfo } from "../../../../shared/protocol/wrap.ts";
import { NOW, OwnerFixture } from "../../../fixtures/owner.ts";
import { filled } from "../../protocol/epoch.ts";
import { NOTHING } from "../states.ts";

const edge = { origin: "https://edge.test", key: filled(32, 9) };
const moved = { origin: "https://other.test", key: filled(32, 8) };
const owner = await OwnerFixture.create(edge);
const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);
const device = filled(16, 3);

async function start(state: Partial<DeviceState> = {}, at: EdgeName = edge): Promise<Verifier> {
  const memory = new MemoryInProcess();
  await createMemory(memory, { ...NOTHING, ...state });
  const profile = { owner: owner.id, device, registration: 4, certificate: null, edge: at };
  return new Verifier(profile, keys, memory, () => NOW + 50);
}

/** Statement, head and record of an epoch in which the device is; `earlier` are the hashes of all heads before. */
async function world(epoch = 1, ...earlier: readonly Bytes[]) {
  const generation = earlier.length + 1;
  const history = earlier.reduce((before: History, hash) => appendToHistory(before, hash).history, EMPTY_HISTORY);
  const context = { owner: owner.id, incarnation: owner.incarnation, epoch };
  const symKey = filled(32, epoch);
  const epochKeys = await deriveEpochKeys(secretKey<"SymKey">(symKey.slice()), context, null);
  const info = wrapInfo(context, device, "xwing");
  const { encapsulated, ciphertext } = await sealHpke("xwing", keys.kemPublicKey ?? new Uint8Array(), info, symKey);
  const fields = { registration: 4, publicKey: keys.publicKey, suite: "xwing" };
  const content = encodeDevice({
    ...{ ...fields, id: device, name: "Phone", certificate: null, kemPublicKey: keys.kemPublicKey, added: 0 },
  });
  const extra = { ...fields, device, encapsulated, wrapped: ciphertext };
  const place = rowKey(epochKeys, LISTS.device(device), 0);
  const record = await sealRow(epochKeys, place, extra, content, webCryptoRandom);
  const secrets = { contentRoot: filled(32, 1), alarm: null, listed: null };
  const sealed = await sealHeadSecrets(epochKeys, generation, secrets, webCryptoRandom);
  const head = await owner.head({
    ...{ generation, previous: earlier.at(-1) ?? null, epoch, commitment: epochKeys.commitment, sealed },
    history: { size: earlier.length, root: historyRoot(history) },
  });
  return { head, record, shown: { statement: owner.statement.signed, head: head.signed, record, history: null } };
}

const { head, shown } = await world();

Deno.test("enter() wants statement, head and record, each judged, SESS-08", async () => {
  const verifier = await start();
  for (const missing of ["statement", "head", "record"] as const) {
    await assertRejects(() => verifier.enter({ ...shown, [missing]: null }, edge), "withheld");
  }
  await assertRejects(async () => (await start()).enter(shown, moved), "untrusted");
  const view = await verifier.enter(shown, edge);
  assertEquals([view.head.hash, view.keys.epoch, view.edge], [head.hash, 1, edge]);
  assertEquals(verifier.verified.hashOf(1, owner.incarnation), head.hash);
  assertEquals(verifier.verified.last, NOW + 50);
});

Deno.test("advance() goes on within the epoch and the statement, and leaves others to a new record", async () => {
  const verifier = await start();
  const view = await verifier.enter(shown, edge);
  const next = await world(1, head.hash);
  assertEquals((await verifier.advance(view, { head: next.head.signed, history: [] }))?.head.hash, next.head.hash);
  const ofNextEpoch = await world(2, head.hash, next.head.hash);
  assertEquals(await verifier.advance(view, { head: ofNextEpoch.head.signed, history: [] }), null);
  const { statement } = owner;
  await owner.restate();
  const restated = await world(1, head.hash, next.head.hash);
  owner.statement = statement;
  assertEquals(await verifier.advance(view, { head: restated.head.signed, history: [] }), null);
});

Deno.test("newest() names a head that was verified itself, HEAD-09", async () => {
  const statement = owner.statement.signed;
  const memory = { statement: 1, epoch: 1, generation: 7, hash: filled(32, 7), time: NOW };
  const times = { nextDue: NOW, verified: NOW };
  const named = { owner: owner.id, incarnation: owner.incarnation, generation: 7, hash: memory.hash };
  assertEquals(await (await start({ statement, head: memory, times })).newest(), named);
  // Remembered by an earlier version, which kept no times.
  assertEquals(await (await start({ statement, head: memory })).newest(), named);
  assertEquals(await (await start({ statement, head: { ...memory, epoch: 0 } })).newest(), null);
  assertEquals(await (await start({ statement })).newest(), null);
  assertEquals(await (await start({ head: memory, times })).newest(), null);
});

Deno.test("edge() is that of pairing, at its key in the newest statement, or the first that one names, STMT-04", async () => {
  const statement = owner.statement.signed;
  const { origin } = edge;
  assertEquals(await (await start({}, moved)).edge(), moved);
  assertEquals(await (await start({ statement }, { origin, key: filled(32, 1) })).edge(), edge);
  assertEquals(await (await start({ statement }, moved)).edge(), edge);
  const several = await OwnerFixture.create(moved);
  (several.edges as EdgeName[]).push(edge);
  const both = await several.restate();
  const memory = new MemoryInProcess();
  await createMemory(memory, { ...NOTHING, statement: both.signed });
  const profile = { owner: several.id, device, registration: 4, certificate: null, edge };
  assertEquals(await new Verifier(profile, keys, memory, () => NOW).edge(), edge);
});

Deno.test("statement() keeps a restore in mind until that incarnation is confirmed, STMT-03", async () => {
  const before = owner.statement;
  const [incarnation, other] = [filled(16, 1), filled(16, 2)];
  const second = await owner.restate({ number: before.number + 1 });
  const base = { generation: 5, head: filled(32, 5) };
  const restored = await owner.restate({ number: before.number + 2, incarnation, base, time: NOW + 1 });
  owner.statement = before;
  const memory = { statement: 1, epoch: 1, generation: 7, hash: filled(32, 7), time: NOW };
  const verifier = await start({ statement: second.signed, head: memory });
  await assertRejects(() => verifier.statement(before.signed), "rolled_back");
  assertEquals(verifier.restore, null);
  await assertRejects(() => verifier.statement(restored.signed), "restored");
  const restore = { incarnation, statement: restored.number, time: NOW + 1, lostGenerations: 2 };
  assertEquals(verifier.restore, restore);
  await verifier.confirm(other);
  assertEquals(verifier.restore, restore);
  await assertRejects(() => verifier.statement(restored.signed), "restored");
  await verifier.confirm(incarnation);
  assertEquals(verifier.restore, null);
  assertEquals((await verifier.statement(restored.signed)).number, restored.number);
  const stranger = await OwnerFixture.create(edge);
  await assertRejects(() => verifier.statement(stranger.statement.signed), "tampered");
});

Deno.test("reopen() opens a copy of a head that the device has seen, and of no other, HEAD-03", async () => {
  const known = { statement: owner.statement.signed, head: head.signed };
  const copy = known as Parameters<Verifier["reopen"]>[0];
  const rows = [shown.record];
  const verifier = await start();
  assertEquals(await verifier.reopen(copy, rows), null);
  await verifier.enter(shown, edge);
  assertEquals((await verifier.reopen(copy, rows))?.head.hash, head.hash);
  assertEquals(await verifier.reopen(copy, []), null);
  // Another head of the newest generation, and one of a later.
  for (const [generation, time] of [[1, NOW + 1], [2, NOW]] as const) {
    const unseen = await owner.head({ generation, previous: null, time });
    assertEquals(await verifier.reopen({ ...copy, head: unseen.signed }, rows), null);
  }
  const later = await world(1, head.hash);
  const entered = await start();
  await entered.enter(later.shown, edge);
  assertEquals((await entered.reopen(copy, rows))?.head.hash, head.hash);
  assert(await (await start({ head: null, statement: owner.statement.signed })).reopen(copy, rows) === null);
  const before = owner.statement;
  const restored = await owner.restate({ incarnation: filled(16, 1) });
  owner.statement = before;
  const afterRestore = await start({ statement: restored.signed, head: { ...later.head.head, ...memoryOf(later) } });
  assertEquals(await afterRestore.reopen(copy, rows), null);
});

function memoryOf({ head: { hash } }: { readonly head: { readonly hash: Bytes } }) {
  return { statement: 2, epoch: 1, generation: 2, hash, time: NOW };
}
