import fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { NOW, OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { decodeSignedHead, requireHeadSignature, type SignedHead } from "../../../shared/protocol/head.ts";
import {
  freshness,
  type HeadMemory,
  judgeHead,
  judgeStatement,
  requireFresh,
  type StatementMemory,
} from "../../../shared/protocol/judge_head.ts";
import { filled } from "./epoch.ts";

const owner = await OwnerFixture.create();
const [edge] = owner.edges;
if (edge === undefined) throw new Error("the fixture names no edge");

async function headOf(fields: Parameters<OwnerFixture["head"]>[0]): Promise<SignedHead> {
  return decodeSignedHead((await owner.head(fields)).signed);
}

function codeOf(run: () => unknown): ErrorCode | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.code;
  }
}

Deno.test("requireHeadSignature() takes the manager's signature and nobody else's, HEAD-02", async () => {
  const head = await headOf({ generation: 1, previous: null });
  await requireHeadSignature(head, owner.manager.publicKey);
  const other = await signingKey();
  await assertRejects(() => requireHeadSignature(head, other.publicKey), "tampered");
  const byDevice = decodeSignedHead((await owner.head({ generation: 1, previous: null }, other)).signed);
  await assertRejects(() => requireHeadSignature(byDevice, owner.manager.publicKey), "tampered");
  const changed = { ...head, bytes: head.bytes.map((byte, at) => at === head.bytes.length - 1 ? byte ^ 1 : byte) };
  await assertRejects(() => requireHeadSignature(changed, owner.manager.publicKey), "tampered");
});

Deno.test("judgeHead() refuses a head of another owner, incarnation, statement or edge, HEAD-02 STMT-04", async () => {
  const { statement } = owner;
  const judge = (fields: Parameters<OwnerFixture["head"]>[0]) =>
    headOf(fields).then((head) => codeOf(() => judgeHead(head, statement, edge, null)));
  const base = { generation: 1, previous: null };
  assertEquals(await judge(base), null);
  assertEquals(await judge({ ...base, owner: filled(32, 9) }), "tampered");
  assertEquals(await judge({ ...base, incarnation: filled(16, 9) }), "tampered");
  assertEquals(await judge({ ...base, statement: { number: 2, hash: statement.hash } }), "tampered");
  assertEquals(await judge({ ...base, statement: { number: 1, hash: filled(32, 9) } }), "tampered");
  const head = await headOf(base);
  assertThrows(() => judgeHead(head, statement, { ...edge, key: filled(32, 9) }, null), "tampered");
  assertThrows(() => judgeHead(head, statement, { ...edge, origin: "https://other.test" }, null), "tampered");
});

/** What HEAD-03 says of a head that differs from the remembered one in these ways; written apart from the code under test. */
function expected(step: number, isSame: boolean, follows: boolean, epoch: number, time: number): ErrorCode | null {
  if (step < 0) return "rolled_back";
  if (step === 0) return isSame ? null : "forked";
  if (step === 1 && !follows) return "forked";
  return epoch < 0 || time < 0 ? "rolled_back" : null;
}

Deno.test("judgeHead() goes forward only, in every combination, HEAD-03", async () => {
  const seen = await headOf({ generation: 10, previous: filled(32, 1), epoch: 5, time: NOW });
  const memory = judgeHead(seen, owner.statement, edge, null);
  assertEquals(memory, { statement: 1, epoch: 5, generation: 10, hash: seen.hash, time: NOW });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -3, max: 3 }),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(-1, 0, 1),
      fc.constantFrom(-1, 0, 1),
      async (step, isSame, follows, epoch, time) => {
        const shown = step === 0 && isSame ? seen : await headOf({
          generation: 10 + step,
          previous: follows ? seen.hash : filled(32, 7),
          epoch: 5 + epoch,
          time: NOW + time * 1_000,
        });
        assertEquals(
          codeOf(() => judgeHead(shown, owner.statement, edge, memory)),
          expected(step, shown === seen, follows, epoch, time),
        );
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("judgeHead() takes an earlier time only under a new statement, HEAD-03", async () => {
  const memory: HeadMemory = { statement: 1, epoch: 1, generation: 1, hash: filled(32, 1), time: NOW };
  const back = await headOf({ generation: 3, previous: filled(32, 2), time: NOW - 1 });
  assertThrows(() => judgeHead(back, owner.statement, edge, memory), "rolled_back");
  assertEquals(judgeHead(back, owner.statement, edge, { ...memory, statement: 0 }).time, NOW - 1);
  assertThrows(() => judgeHead(back, owner.statement, edge, { ...memory, statement: 2, time: 0 }), "rolled_back");
});

Deno.test("a chain of heads is accepted in order, and any fork or return in it is not, HEAD-03", async () => {
  const heads: SignedHead[] = [];
  for (let generation = 1; generation <= 6; generation++) {
    const previous = heads.at(-1)?.hash ?? null;
    heads.push(await headOf({ generation, previous, time: NOW + generation, epoch: 1 + (generation >> 1) }));
  }
  const steps = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(steps, (order) => {
    let memory: HeadMemory | null = null;
    let newest = -1;
    for (const index of order) {
      const head = heads[index];
      assert(head !== undefined);
      const before: HeadMemory | null = memory;
      const code = codeOf(() => memory = judgeHead(head, owner.statement, edge, before));
      assertEquals(code, index < newest ? "rolled_back" : null);
      newest = Math.max(newest, index);
    }
  }));
});

const statementOf = (number: number, bytes: Bytes, incarnation: Bytes): StatementMemory & typeof owner.statement => ({
  ...owner.statement,
  ...{ number, bytes, incarnation },
});

Deno.test("judgeStatement() goes forward only, and asks about a new incarnation, STMT-02 STMT-03", () => {
  const incarnations = [filled(16, 1), filled(16, 2)];
  const memory = statementOf(5, filled(8, 5), filled(16, 1));
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 7 }),
      fc.boolean(),
      fc.constantFrom(...incarnations),
      fc.constantFrom(null, ...incarnations, filled(16, 3)),
      (number, isSame, incarnation, confirmed) => {
        const shown = statementOf(number, isSame ? memory.bytes : filled(8, 6), incarnation);
        const isKnown = equalBytes(incarnation, memory.incarnation) ||
          (confirmed !== null && equalBytes(confirmed, incarnation));
        const code = number < 5 ? "rolled_back" : number === 5 && !isSame ? "forked" : isKnown ? null : "restored";
        assertEquals(codeOf(() => judgeStatement(shown, memory, confirmed)), code);
      },
    ),
    { numRuns: 300 },
  );
  assertEquals(judgeStatement(memory, null, null), { number: 5, bytes: filled(8, 5), incarnation: filled(16, 1) });
});

Deno.test("freshness() has its limits to the millisecond, HEAD-04", () => {
  const head = { time: NOW, nextDue: NOW + 300_000 };
  const due = head.nextDue + LIMITS.headGraceMillis;
  assertEquals(freshness(head, due), "fresh");
  assertEquals(freshness(head, due + 1), "overdue");
  assertEquals(freshness(head, NOW - LIMITS.maxClockLeadMillis), "fresh");
  assertEquals(freshness(head, NOW - LIMITS.maxClockLeadMillis - 1), "ahead");
  requireFresh(head, due);
  assertThrows(() => requireFresh(head, due + 1), "stale");
  assertThrows(() => requireFresh(head, NOW - LIMITS.maxClockLeadMillis - 1), "clock");
});

Deno.test("times are milliseconds, CONV-07", async () => {
  const head = await headOf({ generation: 1, previous: null, time: Date.parse("2030-01-01T00:00:00.123Z") });
  assertEquals(new Date(head.head.time).toISOString(), "2030-01-01T00:00:00.123Z");
});
