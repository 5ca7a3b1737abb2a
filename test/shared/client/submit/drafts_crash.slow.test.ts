/** A device that hands in, loses its network and its power, while epochs turn; beside a model that is one list of texts. */
import fc from "fast-check";
import { assert, assertEquals } from "../../../assert.ts";
import { type Bytes, equalBytes, utf8 } from "../../../../shared/bytes/bytes.ts";
import { unpad } from "../../../../shared/bytes/padding.ts";
import type { PosternDevice } from "../../../../shared/client/device.ts";
import { decodeState } from "../../../../shared/client/memory/state.ts";
import { openHpke } from "../../../../shared/crypto/hpke.ts";
import { isPosternError } from "../../../../shared/errors.ts";
import { decodeSignedSubmission, inboxSealInfo } from "../../../../shared/protocol/submission.ts";
import { decodePayload } from "../../../../shared/protocol/submission_payload.ts";
import { restart, start, type Started } from "../start.ts";
import { INTERVAL } from "../world.ts";

const CRASH = "power cut";

type Step =
  | { readonly kind: "submit" | "flush"; readonly crashAt: number; readonly isDone: boolean }
  | { readonly kind: "network"; readonly is: "up" | "down" | "reads only" | "answers lost" }
  | { readonly kind: "turn" | "acknowledge" | "restart" | "late" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("submit" as const, "submit" as const, "flush" as const),
      // Past the last write in most cases: no crash then.
      crashAt: fc.nat(14),
      isDone: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("network" as const),
      is: fc.constantFrom(
        "up" as const,
        "up" as const,
        "down" as const,
        "reads only" as const,
        "answers lost" as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("turn", "acknowledge", "restart", "late") }) as fc.Arbitrary<Step>,
  },
);

class Run {
  readonly #started: Started;
  readonly #late: { millis: number };
  #device: PosternDevice;
  #count = 0;
  /** What was to be handed in, in order, and whether the device said that it has it: if not, it may have it or not. */
  readonly #asked: { readonly text: string; readonly isSure: boolean }[] = [];
  #isDown = false;

  private constructor(started: Started, late: { millis: number }) {
    this.#started = started;
    this.#late = late;
    this.#device = started.device;
  }

  static async create(): Promise<Run> {
    const late = { millis: 60_000 };
    const started = await start({ surroundings: { now: () => started.world.current.head.time + late.millis } });
    return new Run(started, late);
  }

  async do(step: Step): Promise<void> {
    const { world, edge } = this.#started;
    switch (step.kind) {
      case "submit":
        return await this.#submit(step);
      case "flush":
        await this.#untilCrash(step, () => this.#device.submit.flush());
        return;
      case "network":
        this.#isDown = step.is === "down";
        edge.before = (name) => {
          const isCut = step.is === "down" || (step.is === "reads only" && name === "inbox");
          if (isCut) throw new TypeError("no network");
        };
        edge.spoil = (name, answer) => {
          if (step.is === "answers lost" && name === "inbox") throw new TypeError("no answer");
          return answer;
        };
        return;
      case "turn":
        this.#late.millis = 60_000;
        await world.turn();
        return;
      case "acknowledge":
        return await this.#acknowledge();
      case "restart":
        this.#device = restart(this.#started);
        return;
      case "late":
        this.#late.millis = 10 * INTERVAL;
    }
  }

  /** Everybody is well again: all that was asked for is there, once and in order, and nothing else is kept. */
  async settle(): Promise<void> {
    await this.do({ kind: "network", is: "up" });
    await this.do({ kind: "turn" });
    await this.do({ kind: "restart" });
    assertEquals(await this.#device.submit.flush(), []);
    await this.#acknowledge();
    await this.#device.head();
    assertEquals((await this.#device.submit.status()).pending, []);
    const { memory } = this.#started;
    const { drafts } = decodeState(await memory.load("state") ?? utf8(""));
    // What a crash left of one that nobody was told to be kept lies under the number of the next.
    const left = memory.names().filter((name) => name.startsWith("draft-") && name !== `draft-${drafts.last + 1}`);
    assertEquals(left, [], "nothing of a draft is left");
    const texts = await this.#texts();
    assertEquals(new Set(texts).size, texts.length, "nothing is handed in twice");
    const kept = this.#asked.filter(({ text, isSure }) => isSure || texts.includes(text));
    assertEquals(texts, kept.map(({ text }) => text), "all of it, in order");
  }

  async #submit(step: { readonly crashAt: number; readonly isDone: boolean }): Promise<void> {
    const text = `message ${++this.#count}`;
    const submitted = await this.#untilCrash(step, () => {
      return this.#device.submit.message({ channel: "mail", raw: utf8(text) });
    });
    if (submitted !== "refused") this.#asked.push({ text, isSure: submitted !== "crashed" });
    if (typeof submitted !== "string") assertEquals(submitted.isDraft, submitted.number === 0);
  }

  /** Dies at a write or a removal in memory, before or after it, and goes on from what is left. */
  async #untilCrash<T>(
    { crashAt, isDone }: { readonly crashAt: number; readonly isDone: boolean },
    run: () => Promise<T>,
  ): Promise<T | "crashed" | "refused"> {
    const { memory, edge } = this.#started;
    const before = edge.inbox.length;
    const { save, remove } = memory;
    let left = crashAt;
    const crash = async (write: () => Promise<void>) => {
      const isNow = left-- === 0;
      // Who is dead writes nothing any more.
      if (left < -1 || (isNow && !isDone)) throw new Error(CRASH);
      await write();
      if (isNow) throw new Error(CRASH);
    };
    memory.save = (name, bytes) => {
      this.#requireSealedNow(name, bytes);
      return crash(() => save.call(memory, name, bytes));
    };
    memory.remove = (name) => crash(() => remove.call(memory, name));
    try {
      return await run();
    } catch (error) {
      if (isPosternError(error, "stale")) {
        assertEquals(edge.inbox.length, before, "nothing is sent under an overdue head");
        return "refused";
      }
      if (!(error instanceof Error) || error.message !== CRASH) throw error;
      this.#device = restart(this.#started);
      return "crashed";
    } finally {
      memory.save = save;
      memory.remove = remove;
    }
  }

  /** Whatever is sealed is sealed for its moment: with the network there, under a fresh head, in the present epoch. */
  #requireSealedNow(name: string, bytes: Bytes): void {
    if (!/^outbox-[0-9a-f]{32}-[0-9]+$/.test(name)) return;
    const { submission } = decodeSignedSubmission(bytes);
    assertEquals(submission.epoch, this.#started.world.current.head.epoch);
    assertEquals([this.#isDown, this.#late.millis], [false, 60_000]);
  }

  async #acknowledge(): Promise<void> {
    const { edge, world } = this.#started;
    const newest = new Map(edge.inbox.map(({ signed }) => {
      const { submission: { device, stream, number }, hash } = decodeSignedSubmission(signed);
      return [`${stream}`, { device, stream, number, hash }];
    }));
    world.acks = [...newest.values()];
    this.#late.millis = 60_000;
    await world.turn({ delta: true });
  }

  /** Everything that came, in order of arrival, each stream numbered and chained. */
  async #texts(): Promise<string[]> {
    const { edge, world } = this.#started;
    const last = new Map<string, { readonly number: number; readonly hash: Uint8Array }>();
    const texts: string[] = [];
    for (const { signed } of edge.inbox) {
      const { submission, hash } = decodeSignedSubmission(signed);
      const before = last.get(`${submission.stream}`);
      assertEquals(submission.number, (before?.number ?? 0) + 1);
      assert(
        before === undefined ? submission.previous === null : equalBytes(submission.previous ?? utf8(""), before.hash),
      );
      last.set(`${submission.stream}`, { number: submission.number, hash });
      const { sealed } = submission;
      const plain = await openHpke("xwing", world.owner.inbox, inboxSealInfo(submission), sealed);
      const payload = decodePayload(unpad(plain));
      if (payload.kind === "message") texts.push(new TextDecoder().decode(payload.inline ?? utf8("")));
    }
    return texts;
  }
}

Deno.test("whatever fails and whenever, all that was handed in comes once and in order, INBOX-03 INBOX-09 INBOX-15 INBOX-16", async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
    const run = await Run.create();
    for (const one of steps) await run.do(one);
    await run.settle();
  });
  await fc.assert(property, { numRuns: 25 });
});
