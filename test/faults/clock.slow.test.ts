/** A clock that jumps, between two turns or in the middle of one: `clock` with its remedy, and all is well after it. */
import { join } from "node:path";
import { assert, assertEquals } from "../assert.ts";
import { FAKETIME_LIBRARY, needs } from "../tools/needs.ts";
import { Household } from "./household.ts";
import { OPERATIONS } from "./operations.ts";
import type { Ended } from "./processes.ts";

/** Exit code of `clock`. */
const CLOCK = 72;
const MOST_STEPS = 100;
/** Only every so many-th request, for the time that it takes. */
const STRIDE = 4;

/** A turn by a process whose clock is off by what a file says, which may change at any moment. */
class OtherTime {
  readonly #household: Household;
  readonly #file: string;

  constructor(household: Household) {
    this.#household = household;
    this.#file = join(household.folder, "faketime");
  }

  /** @param offset of libfaketime's: `-1d`, `+3600` */
  async jump(offset: string): Promise<void> {
    await Deno.writeTextFile(this.#file, `${offset}\n`);
  }

  async sync(): Promise<Ended> {
    return await this.#household.start(["sync"], {
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    }).ended;
  }
}

/** What the owner does who is told that the clock was wrong, and has set it. */
async function heed(household: Household): Promise<void> {
  const { code, err } = await household.run(["sync"]);
  if (code === CLOCK) {
    assert(err.includes("postern clock confirm"), err);
    await household.json(["clock", "confirm", "--yes"]);
  }
  await household.json(["alarm", "clear"]);
}

for (const [offset, expected] of [["-1d", CLOCK], ["+1d", 0], ["+31d", CLOCK]] as const) {
  needs("faketime").test(`a manager's clock that is off by ${offset} is said, and mended by its owner`, async () => {
    await using household = await Household.open("file");
    await OPERATIONS.inbox.prepare(household);
    const other = new OtherTime(household);
    await other.jump(offset);
    const { code, err } = await other.sync();
    assertEquals(code, expected, err);
    if (code === CLOCK) assert(/clock/.test(err) && err.includes("postern clock confirm"), err);
    await heed(household);
    await household.requireRecovered(`clock ${offset}`);
  });
}

for (const offset of ["+3600", "-3600"]) {
  needs("faketime").test(`a clock that jumps by ${offset} seconds in the middle of a turn loses nothing`, async () => {
    await using household = await Household.open("file");
    const other = new OtherTime(household);
    for (let step = 1; step <= MOST_STEPS; step += STRIDE) {
      await OPERATIONS.inbox.prepare(household);
      await other.jump("+0");
      household.front.arm({ step, moment: "done", strike: async () => (await other.jump(offset), "go on") });
      const { code, err } = await other.sync();
      const { hasStruck } = household.front;
      assert(code === 0 || code === CLOCK, `at request ${step}: ${code} ${err}`);
      await heed(household);
      await household.requireRecovered(`clock ${offset} at request ${step}`);
      if (!hasStruck) return;
    }
  });
}
