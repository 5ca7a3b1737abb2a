import fc from "fast-check";
import { isFinal, nextWait } from "../../../manager/service/schedule.ts";
import { runService, type TurnReport } from "../../../manager/service/loop.ts";
import type { TurnDone } from "../../../manager/service/turn.ts";
import { presentReport, turnLine } from "../../../manager/cli/texts/turn.ts";
import { ERROR_CODES, type ErrorCode, PosternError } from "../../../shared/errors.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";

const MINUTE = 60_000;

/** A real turn's result, to be reported. */
async function someTurn(): Promise<TurnDone> {
  await using world = await World.create();
  return { ...await world.manager.sync(), millis: 1_200, hasRecovered: false };
}

const DONE = await someTurn();

Deno.test("nextWait() spreads the interval by a tenth, and retries sooner, then ever later, within bounds", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10_000, max: 86_400_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (interval, chance) => {
        const wait = nextWait(interval, 0, chance);
        assert(wait >= 0.9 * interval - 1 && wait <= 1.1 * interval + 1);
      },
    ),
  );
  assertEquals([1, 2, 3, 4].map((failures) => nextWait(5 * MINUTE, failures, 0.5)), [10_000, 20_000, 40_000, 80_000]);
  assertEquals(nextWait(5 * MINUTE, 50, 0.5), 15 * MINUTE);
  assertEquals(nextWait(60 * MINUTE, 50, 0.5), 60 * MINUTE);
});

Deno.test("isFinal() ends the service only for what another turn cannot mend", () => {
  const final = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(isFinal);
  assertEquals(final.sort(), ["configuration", "forked", "usage", "wrong_key"]);
});

/** Runs the service with these turns; it is stopped when they are used up. Returns what it reported, and how long it waited. */
async function serve(...turns: (() => Promise<TurnDone>)[]): Promise<{ reports: TurnReport[]; waits: number[] }> {
  const stop = new AbortController();
  const reports: TurnReport[] = [];
  const waits: number[] = [];
  await runService({
    network: {
      random: webCryptoRandom,
      wait: (millis, signal) => {
        waits.push(millis);
        if (turns.length === 0) stop.abort(new Error("stop"));
        return signal?.aborted === true ? Promise.reject(signal.reason) : Promise.resolve();
      },
    },
    turn: () => turns.shift()?.() ?? Promise.reject(new Error("one turn too many")),
    intervalMillis: () => Promise.resolve(5 * MINUTE),
    report: (report) => void reports.push(report),
    stop: stop.signal,
  });
  return { reports, waits };
}

const fails = (code: ErrorCode) => () => Promise.reject(new PosternError(code, "no luck"));

Deno.test("runService() backs off while turns fail, and is back at the interval after one that did not", async () => {
  const good = () => Promise.resolve(DONE);
  const { reports, waits } = await serve(good, fails("network"), fails("storage"), fails("clock"), good);
  assertEquals(reports.map((report) => report.ok ? 0 : report.failures), [0, 1, 2, 3, 0]);
  const near = (wait: number | undefined, expected: number) =>
    wait !== undefined && Math.abs(wait - expected) <= expected / 10 + 1;
  const expected = [5 * MINUTE, 10_000, 20_000, 40_000, 5 * MINUTE];
  assert(expected.every((millis, index) => near(waits[index], millis)), waits.join());
});

Deno.test("runService() ends when another copy of the manager signs, and passes on a bug", async () => {
  await assertRejects(() => serve(fails("forked")), "forked");
  await serve(() => Promise.reject(new RangeError("bug"))).then(
    () => assert(false, "the bug was swallowed"),
    (error) => assert(error instanceof RangeError),
  );
});

Deno.test("runService() does no turn at all when it is stopped before", async () => {
  const stop = AbortSignal.abort(new Error("stopped"));
  await runService({
    network: { random: webCryptoRandom, wait: () => Promise.reject(stop.reason) },
    turn: () => Promise.reject(new Error("a turn")),
    intervalMillis: () => Promise.resolve(MINUTE),
    report: () => assert(false),
    stop,
  });
});

Deno.test("turnLine() says in one line what a turn did", () => {
  assertEquals(turnLine(DONE), "generation 1, epoch 1: 0 rows anew (the first push); read back; 1.2 s");
  const inbox = { done: 2, held: 1, refused: 1, ignored: 1, contradicting: [], gaps: ["a/b"] };
  const delta = {
    ...DONE,
    reason: null,
    inbox,
    hasRecovered: true,
    pushed: { ...DONE.pushed, isFull: false, rows: 3, removed: 1 },
  };
  assertEquals(
    turnLine(delta),
    "generation 1, epoch 1: went on after a crash; 3 rows changed, 1 removed; " +
      "inbox: 2 taken, 1 held for you, 1 refused, 1 not from your devices, 1 stream with a gap; read back; 1.2 s",
  );
  const failed = presentReport({
    ok: false,
    error: new PosternError("network", "gone"),
    failures: 3,
    nextMillis: 40_000,
  });
  assertEquals(failed.text, "failed (network, 3 times now): gone; next in 40 s");
});
