import { assert, assertEquals, assertRejects, assertThrows } from "../../../assert.ts";
import type { Bytes } from "../../../../shared/bytes/bytes.ts";
import { createDeviceKeys } from "../../../../shared/client/identity/device_keys.ts";
import {
  openRecord,
  readHead,
  rememberHead,
  rememberStatement,
  requireNamed,
  seenHead,
} from "../../../../shared/client/verify/judge.ts";
import type { Stream } from "../../../../shared/client/memory/state.ts";
import { secretKey } from "../../../../shared/crypto/brand.ts";
import { sealHpke } from "../../../../shared/crypto/hpke.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { appendToHistory, EMPTY_HISTORY, type History, historyRoot } from "../../../../shared/merkle/history.ts";
import { decodeSignedHead, type Head } from "../../../../shared/protocol/head.ts";
import { deriveEpochKeys } from "../../../../shared/protocol/epoch_keys.ts";
import { encodeDevice } from "../../../../shared/protocol/plaintexts.ts";
import { type DeviceExtra, sealRow } from "../../../../shared/protocol/row.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { wrapInfo } from "../../../../shared/protocol/wrap.ts";
import { NOW, OwnerFixture, signingKey } from "../../../fixtures/owner.ts";
import { naivePath } from "../../merkle/history_model.ts";
import { filled } from "../../protocol/epoch.ts";
import { NOTHING } from "../states.ts";

const edge = { origin: "https://edge.test", key: filled(32, 9) };
const owner = await OwnerFixture.create(edge);
const first = owner.statement;
const second = await owner.restate();
const INCARNATION = filled(16, 8);
const base = { generation: 7, head: filled(32, 7) };
const restored = await owner.restate({ incarnation: INCARNATION, base });
const restoredToNothing = await owner.restate({ number: 3, incarnation: INCARNATION, base: null });
const seen = { statement: 2, epoch: 5, generation: 9, hash: filled(32, 4), time: NOW };
const times = { nextDue: NOW + 1, verified: NOW };

Deno.test("rememberStatement() takes what the grant named or a later one, once, PAIR-02", () => {
  const granted = { number: 2, hash: second.hash };
  const state = { ...NOTHING, granted };
  assertThrows(() => rememberStatement(state, first, null), "rolled_back");
  assertThrows(
    () => rememberStatement({ ...state, granted: { ...granted, hash: first.hash } }, second, null),
    "forked",
  );
  const { state: after, result } = rememberStatement({ ...state, head: seen, times }, second, null);
  assertEquals(after, { ...NOTHING, statement: second.signed, head: seen, times });
  assertEquals(result, 0);
  rememberStatement({ ...state, granted: { number: 1, hash: first.hash } }, second, null);
});

Deno.test("rememberStatement() goes forward only, and remembers nothing new of the same, STMT-02", () => {
  const state = { ...NOTHING, statement: second.signed, head: seen, times };
  assertThrows(() => rememberStatement(state, first, second), "rolled_back");
  const judged = rememberStatement(state, second, second);
  assert(judged.state === state && judged.result === 0);
  assertEquals(rememberStatement(state, second, first), { state, result: 0 });
});

Deno.test("rememberStatement() asks about a restore, says what it lost, and goes on from its base, STMT-03 HEAD-03", () => {
  const state = { ...NOTHING, statement: second.signed, head: seen, times };
  assertThrows(() => rememberStatement(state, restored, second), "restored");
  const confirmed = { ...state, confirmed: INCARNATION };
  const fromBase = { statement: 3, epoch: 0, generation: 7, hash: base.head, time: 0 };
  const after = { ...confirmed, statement: restored.signed, head: fromBase, times: null };
  assertEquals(rememberStatement(confirmed, restored, second), { state: after, result: 2 });
  assertEquals(rememberStatement({ ...confirmed, head: null }, restored, second), { state: after, result: 0 });
  assertEquals(rememberStatement({ ...confirmed, head: { ...seen, generation: 3 } }, restored, second).result, 0);
  const toNothing = { ...confirmed, statement: restoredToNothing.signed, head: null, times: null };
  assertEquals(rememberStatement(confirmed, restoredToNothing, second), { state: toNothing, result: 9 });
  // Of the generation of the base, the head has to be the base.
  const otherBase = { ...confirmed, head: { ...seen, generation: 7 } };
  assertThrows(() => rememberStatement(otherBase, restored, second), "forked");
  const sameBase = { ...confirmed, head: { ...seen, generation: 7, hash: base.head } };
  assertEquals(rememberStatement(sameBase, restored, second), { state: after, result: 0 });
  assertEquals(seenHead(after), null);
  assertEquals(seenHead(state), seen);
  assertEquals(seenHead({ ...state, head: { ...seen, epoch: 0, statement: 0 } })?.generation, 9);
});

Deno.test("requireNamed() wants the edge in the statement, STMT-04", () => {
  requireNamed(second, edge);
  assertThrows(() => requireNamed(second, { ...edge, key: filled(32, 1) }), "untrusted");
});

/** Generations 1 to 4 under the second statement, each with its history, and the nodes that prove it. */
async function chain() {
  const heads: { signed: Bytes; hash: Bytes; head: Head }[] = [];
  let history: History = EMPTY_HISTORY;
  const own = await OwnerFixture.create(edge);
  await own.restate();
  for (let generation = 1; generation <= 4; generation++) {
    const previous = heads.at(-1)?.hash ?? null;
    const fields = { generation, previous, time: NOW + generation };
    const made = await own.head({ ...fields, history: { size: generation - 1, root: historyRoot(history) } });
    heads.push(made);
    history = appendToHistory(history, made.hash).history;
  }
  return { own, heads };
}

const { own, heads: [one, two, three, four] } = await chain();
assert(one && two && three && four);
const statement = own.statement;
const device = filled(16, 3);
const where = { edge, device, now: NOW + 50 };
const shown = (head: { signed: Bytes }, history: readonly Bytes[] | null = null) => ({ head: head.signed, history });

Deno.test("rememberHead() tells a head of an earlier and of a later statement apart, HEAD-02", async () => {
  const old = await own.restate({ number: 1 });
  const early = await own.head({ generation: 5, previous: null });
  const new3 = await own.restate({ number: 3 });
  const late = await own.head({ generation: 5, previous: null });
  own.statement = statement;
  await assertRejects(() => rememberHead(NOTHING, shown(early), statement, where), "rolled_back");
  await assertRejects(() => rememberHead(NOTHING, shown(late), statement, where), "withheld");
  await rememberHead(NOTHING, shown(early), old, where);
  await rememberHead(NOTHING, shown(late), new3, where);
});

Deno.test("rememberHead() and readHead() want the manager's signature and the owner's fields, HEAD-01 HEAD-02", async () => {
  const forged = await own.head({ generation: 5, previous: null }, await signingKey());
  await assertRejects(() => rememberHead(NOTHING, shown(forged), statement, where), "tampered");
  await assertRejects(() => readHead(forged.signed, statement, edge), "tampered");
  const foreign = await own.head({ generation: 5, previous: null, owner: filled(32, 1) });
  await assertRejects(() => rememberHead(NOTHING, shown(foreign), statement, where), "tampered");
  await assertRejects(() => readHead(foreign.signed, statement, edge), "tampered");
  assertEquals((await readHead(four.signed, statement, edge)).hash, four.hash);
});

Deno.test("rememberHead() remembers when it saw a head first, HEAD-03 HEAD-10", async () => {
  const judged = await rememberHead(NOTHING, shown(one), statement, where);
  const memory = { statement: 2, epoch: 1, generation: 1, hash: one.hash, time: NOW + 1 };
  const state = { ...NOTHING, head: memory, times: { nextDue: one.head.nextDue, verified: NOW + 50 } };
  assertEquals(judged.state, state);
  assertEquals(judged.result.hash, one.hash);
  const later = { ...where, now: NOW + 90 };
  assert((await rememberHead(state, shown(one), statement, later)).state === state);
  // What was remembered of the head, but not when it was seen: that of a grant, and of an earlier version.
  const again = { nextDue: one.head.nextDue, verified: NOW + 90 };
  assertEquals((await rememberHead({ ...state, times: null }, shown(one), statement, later)).state.times, again);
  const granted = { ...state, head: { ...memory, epoch: 0, statement: 0, time: 0 } };
  assertEquals((await rememberHead(granted, shown(one), statement, later)).state, { ...state, times: again });
  const next = await rememberHead(state, shown(two, []), statement, later);
  assertEquals(next.state.times, { nextDue: two.head.nextDue, verified: NOW + 90 });
});

Deno.test("rememberHead() asks how a later head builds on the one remembered, READ-07", async () => {
  const { state } = await rememberHead(NOTHING, shown(one), statement, where);
  const hashes = [one.hash, two.hash, three.hash];
  await assertRejects(() => rememberHead(state, shown(four), statement, where), "withheld");
  await assertRejects(() => rememberHead(state, shown(four, naivePath(hashes, 1)), statement, where), "forked");
  assertEquals(
    (await rememberHead(state, shown(four, naivePath(hashes, 0)), statement, where)).state.head?.generation,
    4,
  );
  // Nothing to build on: the base of a restore, and a grant from before it.
  const base = { statement: 2, epoch: 0, generation: 1, hash: filled(32, 1), time: 0 };
  await rememberHead({ ...NOTHING, head: base }, shown(four), statement, where);
  const grant = { ...base, statement: 0 };
  const restoredFrom = (generation: number) => ({ ...statement, base: { generation, head: filled(32, 1) } });
  await assertRejects(() => rememberHead({ ...NOTHING, head: grant }, shown(four), statement, where), "withheld");
  await rememberHead({ ...NOTHING, head: grant }, shown(four), restoredFrom(2), where);
  await rememberHead({ ...NOTHING, head: grant }, shown(four), restoredFrom(1), where);
  await assertRejects(() => rememberHead({ ...NOTHING, head: grant }, shown(four), restoredFrom(0), where), "withheld");
});

Deno.test("rememberHead() takes acknowledgements of a head that it knows already, INBOX-09", async () => {
  const stream: Stream = {
    ...{ id: filled(16, 5), incarnation: own.incarnation, closed: false, acknowledged: null },
    pending: [{ number: 1, hash: filled(32, 6), kind: "ping", parts: 0, time: 0, delivered: true, draft: null }],
  };
  const ack = { device, stream: stream.id, number: 1, hash: filled(32, 6) };
  const acking = await own.head({ generation: 1, previous: null, acks: [ack] });
  const { state } = await rememberHead(NOTHING, shown(acking), statement, where);
  const later = { ...where, now: NOW + 90 };
  const judged = await rememberHead({ ...state, streams: [stream] }, shown(acking), statement, later);
  assertEquals(judged.state.streams[0]?.acknowledged, { number: 1, hash: filled(32, 6) });
  assertEquals(judged.state.times, state.times);
});

Deno.test("openRecord() opens the device's own record, and no other, SESS-08 WRAP-01 KEY-03", async () => {
  const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);
  const profile = { owner: own.id, device, registration: 4, certificate: null, edge };
  const context = { owner: own.id, incarnation: own.incarnation, epoch: 1 };
  const recordOf = async (symKey: Bytes, change: Partial<DeviceExtra> = {}) => {
    const epochKeys = await deriveEpochKeys(secretKey<"SymKey">(symKey.slice(0, 32)), context, null);
    const info = wrapInfo(context, device, "xwing");
    const wrapped = await sealHpke("xwing", keys.kemPublicKey ?? new Uint8Array(), info, symKey);
    const extra = {
      ...{ device, registration: 4, publicKey: keys.publicKey, suite: "xwing" },
      ...{ encapsulated: wrapped.encapsulated, wrapped: wrapped.ciphertext, ...change },
    };
    const content = encodeDevice({
      ...{ id: extra.device, registration: extra.registration, name: "Phone", certificate: null },
      ...{ publicKey: extra.publicKey, suite: "xwing", kemPublicKey: keys.kemPublicKey, added: 0 },
    });
    const row = await sealRow(epochKeys, rowKey(epochKeys, LISTS.device(device), 0), extra, content, webCryptoRandom);
    const head = await own.head({ generation: 1, previous: null, commitment: epochKeys.commitment });
    return { row, head: decodeSignedHead(head.signed) };
  };
  const { row, head } = await recordOf(filled(32, 1));
  assertEquals((await openRecord(row, head, profile, keys)).epoch, 1);
  for (
    const change of [{ device: filled(16, 4) }, { registration: 5 }, { publicKey: (await signingKey()).publicKey }]
  ) {
    const other = await recordOf(filled(32, 1), change);
    await assertRejects(() => openRecord(other.row, other.head, profile, keys), "tampered");
  }
  const long = await recordOf(filled(33, 1));
  await assertRejects(() => openRecord(long.row, long.head, profile, keys), "tampered");
  const otherKey = await recordOf(filled(32, 2));
  await assertRejects(() => openRecord(row, otherKey.head, profile, keys), "tampered");
});
