/**
 * What a commit must prove about its heads, case by case: every one is broken by a single change to a commit that
 * passes.
 */
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { decodeSignedHead } from "../../../shared/protocol/head.ts";
import { packChunk } from "../../../edge/store/push/chunk_checks.ts";
import { checkCommit, type HeldState } from "../../../edge/store/push/checks.ts";
import { assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { NOW, OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import { asManager, rawRow, token } from "./fixture.ts";

/** An edge that holds generation 5 under the owner's first statement. */
async function held(owner: OwnerFixture) {
  const head = await owner.head({ generation: 5, previous: webCryptoRandom(32) });
  const { number, hash, signed } = owner.statement;
  const state: HeldState = { generation: 5, headHash: head.hash, statement: { number, hash, signed } };
  return { head, state, push: { epoch: 1, incarnation: owner.incarnation } };
}

const NOTHING: HeldState = { generation: 0, headHash: null, statement: null };

Deno.test("PUSH-05: checkCommit() accepts heads that follow each other and names the last", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const six = await owner.head({ generation: 6, previous: head.hash, epoch: 9 });
  const seven = await owner.head({ generation: 7, previous: six.hash });
  const body = { heads: [six.signed, seven.signed], statements: [] };
  const plan = await checkCommit(asManager(owner), state, push, body);
  assertEquals([plan.head.hash, plan.signed, plan.statement.hash], [seven.hash, seven.signed, owner.statement.hash]);
});

Deno.test("PUSH-05: checkCommit() accepts any first head when the edge holds none, with its statement", async () => {
  const owner = await OwnerFixture.create();
  const { push } = await held(owner);
  const { signed } = await owner.head({ generation: 77, previous: webCryptoRandom(32) });
  const statements = [owner.statement.signed];
  assertEquals(
    (await checkCommit(asManager(owner), NOTHING, push, { heads: [signed], statements })).head.head.generation,
    77,
  );
  const without = { heads: [signed], statements: [] };
  await assertRejects(() => checkCommit(asManager(owner), NOTHING, push, without), "conflict");
  await assertRejects(() => checkCommit(asManager(owner), NOTHING, push, { heads: [], statements }), "malformed");
});

Deno.test("PUSH-05, HEAD-03: checkCommit() refuses heads that do not follow", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const six = await owner.head({ generation: 6, previous: head.hash });
  const cases = [
    [await owner.head({ generation: 7, previous: head.hash })],
    [await owner.head({ generation: 5, previous: head.hash })],
    [await owner.head({ generation: 6, previous: null })],
    [await owner.head({ generation: 6, previous: webCryptoRandom(32) })],
    [six, await owner.head({ generation: 8, previous: six.hash })],
    [six, await owner.head({ generation: 7, previous: head.hash })],
    [six, six],
  ];
  for (const heads of cases) {
    const body = { heads: heads.map(({ signed }) => signed), statements: [] };
    await assertRejects(() => checkCommit(asManager(owner), state, push, body), "conflict");
  }
});

Deno.test("PUSH-05: checkCommit() refuses a last head of another epoch or incarnation than the push", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const six = await owner.head({ generation: 6, previous: head.hash });
  const body = { heads: [six.signed], statements: [] };
  for (const other of [{ ...push, epoch: 2 }, { ...push, incarnation: webCryptoRandom(16) }]) {
    await assertRejects(() => checkCommit(asManager(owner), state, other, body), "conflict");
  }
});

Deno.test("PUSH-05, HEAD-02: checkCommit() refuses heads that their statement does not cover", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const manager = asManager(owner);
  const fields = { generation: 6, previous: head.hash };
  const good = await owner.head(fields);
  const check = (signed: typeof good.signed, statements: typeof good.signed[] = []) => () =>
    checkCommit(manager, state, push, { heads: [signed], statements });
  await check(good.signed)();
  const foreign = await owner.head(fields, await signingKey());
  await assertRejects(check(foreign.signed), "malformed");
  const { bytes, signature } = decodeSignedHead(good.signed);
  signature[3] = (signature[3] ?? 0) ^ 1;
  await assertRejects(check(encodeCbor([bytes, signature])), "malformed");
  await assertRejects(check((await owner.head({ ...fields, owner: webCryptoRandom(32) })).signed), "malformed");
  const lost = await owner.head({ ...fields, incarnation: webCryptoRandom(16) });
  const elsewhere = { ...push, incarnation: lost.head.incarnation };
  const body = { heads: [lost.signed], statements: [] };
  await assertRejects(() => checkCommit(manager, state, elsewhere, body), "malformed");
  await assertRejects(check(good.signed, [good.signed]), "malformed");
  const stranger = await OwnerFixture.create();
  await assertRejects(check(good.signed, [stranger.statement.signed]), "malformed");
});

Deno.test("PUSH-05, SESS-03: checkCommit() wants the last head to name the session's statement", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const fields = { generation: 6, previous: head.hash };
  const before = asManager(owner);
  const old = await owner.head(fields);
  await owner.restate();
  const next = await owner.head(fields);
  const statements = [owner.statement.signed];
  const commit = (principal: typeof before, heads: typeof statements) => () =>
    checkCommit(principal, state, push, { heads, statements });
  await commit(asManager(owner), [next.signed])();
  await assertRejects(commit(before, [next.signed]), "conflict");
  await assertRejects(commit(asManager(owner), [old.signed]), "conflict");
  const twin = { ...asManager(owner), statement: webCryptoRandom(32) };
  await assertRejects(commit(twin, [next.signed]), "conflict");
});

Deno.test("PUSH-05: checkCommit() refuses statements whose numbers fall, or two of one number", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const second = await owner.restate();
  const underSecond = await owner.head({ generation: 6, previous: head.hash });
  const third = await owner.restate();
  const underThird = await owner.head({ generation: 6, previous: head.hash });
  const { number, hash } = second;
  const back = await owner.head({ generation: 7, previous: underThird.hash, statement: { number, hash } });
  const session = asManager(owner, second);
  const statements = [second.signed, third.signed];
  const falling = { heads: [underThird.signed, back.signed], statements };
  await assertRejects(() => checkCommit(session, state, push, falling), "conflict");
  const heads = [underSecond.signed];
  const holdingThird: HeldState = { ...state, statement: third };
  await checkCommit(session, state, push, { heads, statements });
  await assertRejects(() => checkCommit(session, holdingThird, push, { heads, statements }), "conflict");
  const twin = await owner.restate({ number: second.number, time: NOW + 1 });
  const both = { heads, statements: [second.signed, twin.signed] };
  await assertRejects(() => checkCommit(session, state, push, both), "conflict");
  const holdingTwin: HeldState = { ...state, statement: twin };
  await assertRejects(() => checkCommit(session, holdingTwin, push, { heads, statements }), "conflict");
});

Deno.test("PUSH-05, HEAD-02: checkCommit() refuses a head of a manager whose key is none", async () => {
  const owner = await OwnerFixture.create();
  const { head, state, push } = await held(owner);
  const manager = owner.manager;
  const nobodys = { publicKey: new Uint8Array(44), sign: manager.sign };
  const strange = await owner.restate({ manager: nobodys });
  const six = await owner.head({ generation: 6, previous: head.hash });
  const last = await owner.restate({ manager });
  const seven = await owner.head({ generation: 7, previous: six.hash });
  const body = { heads: [six.signed, seven.signed], statements: [strange.signed, last.signed] };
  await assertRejects(() => checkCommit(asManager(owner), state, push, body), "malformed");
});

Deno.test("packChunk() lays rows, tokens and places side by side, and counts them by table", () => {
  const rows = [rawRow(2, token(1), 5, 10), rawRow(4, token(2), 0, 300), rawRow(2, token(3), 7, 0)];
  const remove = [[3, token(8), 1], [2, token(9), 2]] as const;
  const chunk = packChunk({ rows, remove });
  const places = JSON.parse(chunk.places) as [number, number, number, number][];
  assertEquals(places.map(([table, number]) => [table, number]), [[2, 5], [4, 0], [2, 7]]);
  for (const [index, [, , offset, size]] of places.entries()) {
    assertEquals(chunk.bodies.slice(offset - 1, offset - 1 + size), rows[index]);
    assertEquals(chunk.tokens.slice(32 * index, 32 * index + 32), token(index + 1));
  }
  assertEquals([chunk.added, chunk.removed], [[0, 2, 0, 1], [0, 1, 1, 0]]);
  assertEquals(chunk.removedPlaces, "[[3,1],[2,2]]");
  assertEquals([chunk.removedTokens.slice(0, 32), chunk.removedTokens.slice(32)], [token(8), token(9)]);
  assertThrows(() => packChunk({ rows: [new Uint8Array(3)], remove: [] }), "malformed");
});
