/** A second device of a household, as a program that is killed at each of its writes and started again on what it left. */
import { join } from "node:path";
import { createMemory, PosternDevice, runtimeSurroundings } from "../../shared/client/mod.ts";
import { exportDevice, importDevice } from "../../shared/client/identity/profile.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { openDeviceDatabase } from "../../shared/stores/device_database.ts";
import { assert, assertEquals } from "../assert.ts";
import { Household } from "./household.ts";
import { type Ended, runDevice } from "./processes.ts";

/** What a device does that is struck, and what makes work for it before. */
export interface DeviceOperation {
  readonly name: string;
  readonly prepare: (device: KilledDevice) => Promise<void>;
  readonly args: readonly string[];
}

export const DEVICE_OPERATIONS: readonly DeviceOperation[] = [
  { name: "handing in", prepare: () => Promise.resolve(), args: ["hand-in", "2"] },
  { name: "handing in what was kept, and following", prepare: (device) => device.keepOffline(), args: ["settle"] },
];

const MOST_POINTS = 100;

/** A device whose program can be killed. */
export class KilledDevice {
  readonly household: Household;
  readonly #folder: string;

  private constructor(household: Household, folder: string) {
    this.household = household;
    this.#folder = folder;
  }

  static async pair(household: Household): Promise<KilledDevice> {
    const folder = join(household.folder, "device");
    await Deno.mkdir(folder);
    const { profile, keys, state } = await household.pair("pocket");
    await Deno.writeTextFile(join(folder, "device"), reveal(exportDevice(profile, keys)));
    const db = await openDatabase(`file:${join(folder, "device.db")}`);
    await createMemory((await openDeviceDatabase(db)).memory, state);
    await db.close();
    await Deno.writeTextFile(join(folder, "kept"), "");
    await household.requireRecovered("a second device");
    return new KilledDevice(household, folder);
  }

  /** Runs its program, to its end or to the write of this number. @returns whether it was killed */
  async run(args: readonly string[], write: number | null = null): Promise<Ended & { readonly isKilled: boolean }> {
    const file = join(this.#folder, "fault");
    if (write !== null) await Deno.writeTextFile(file, String(write));
    const ended = await runDevice(args, { FAULT_DEVICE: this.#folder, FAULT_AT_WRITE: file });
    if (write !== null) await Deno.remove(file).catch(() => {});
    return { ...ended, isKilled: ended.signal === "SIGKILL" };
  }

  /** Hands in while there is no edge, which has something new to follow afterwards. */
  async keepOffline(): Promise<void> {
    await this.household.importMail();
    await this.household.requireTurn("something new");
    await this.household.killEdge();
    const { code, err } = await this.run(["hand-in", "2"]);
    assertEquals(code, 0, err);
    await this.household.ensureEdge();
  }

  /** Started again: all that it kept is at the manager once, and its copy is that of the newest head. */
  async requireRecovered(what: string): Promise<void> {
    await this.#settle(what);
    await this.household.requireTurn(what);
    await this.#requireKept(what);
    await this.household.requireRecovered(what);
    await this.#settle(what);
    await this.#requireCopy(what);
  }

  async #settle(what: string): Promise<void> {
    const { code, err } = await this.run(["settle"]);
    assertEquals(code, 0, `${what}: ${err}`);
  }

  /** What was under way when it was killed may have been kept or not. */
  async #requireKept(what: string): Promise<void> {
    const kept = (await Deno.readTextFile(join(this.#folder, "kept"))).split("\n").filter((name) => name !== "");
    const list = ["message", "list", "--channel", "sent", "--limit", "1000"];
    const { messages } = await this.household.json<{ messages: { subject: string }[] }>(list);
    const subjects = messages.map(({ subject }) => subject);
    assertEquals(new Set(subjects).size, subjects.length, `${what}: something was handed in twice`);
    for (const name of kept) assert(subjects.includes(name), `${what}: what was kept is lost`);
    this.household.account.outgoing = subjects.length;
  }

  /** Read without an edge, by a program that knows nothing but the files. */
  async #requireCopy(what: string): Promise<void> {
    const { imported, outgoing } = this.household.account;
    const db = await openDatabase(`file:${join(this.#folder, "device.db")}`);
    try {
      const { memory, copy } = await openDeviceDatabase(db);
      const { profile, keys } = await importDevice(new Redacted(await Deno.readTextFile(join(this.#folder, "device"))));
      const surroundings = { ...runtimeSurroundings(), fetch: () => Promise.reject(new TypeError("no edge")) };
      const device = new PosternDevice({ profile, keys, memory, copy, surroundings });
      let count = 0;
      for (const { name } of (await device.copy?.messages.channels())?.found ?? []) {
        count += (await device.copy?.messages.list(name, { limit: 1_000 }))?.messages.length ?? 0;
      }
      assertEquals(count, imported + outgoing, `${what}: the local copy`);
    } finally {
      await db.close();
    }
  }
}

/**
 * Kills a device at each of its writes.
 *
 * @param first the first one that is played, and after it every so many-th
 * @returns how many were played; each was recovered from
 */
export async function killDevice({ name, prepare, args }: DeviceOperation, first = 1, stride = 1): Promise<number> {
  await using household = await Household.open("file");
  const device = await KilledDevice.pair(household);
  for (let point = first, played = 0; point <= MOST_POINTS; point += stride, played++) {
    await prepare(device);
    const { isKilled, code, err } = await device.run(args, point);
    assert(isKilled || code === 0, `${name}, write ${point}: ${err}`);
    await device.requireRecovered(`${name}, killed at write ${point}`);
    if (!isKilled) return played;
  }
  throw new Error(`${name}: more than ${MOST_POINTS} writes`);
}
