/** A device in a page, whose places lie in IndexedDB: before the browser is killed, and after. */
import {
  createMemory,
  importDevice,
  PosternDevice,
  runtimeSurroundings,
  type Surroundings,
} from "../../../shared/client/mod.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { decodeState } from "../../../shared/client/memory/state.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { isPosternError } from "../../../shared/errors.ts";
import type { IdbGlobals } from "../../../shared/stores/idb_types.ts";
import { openDeviceIndexedDb } from "../../../shared/stores/indexed_db.ts";
import type { ScenarioInput } from "../client/runtimes/scenario.ts";
import { checkCopyStore, checkMemory } from "./contract.ts";

const globals = globalThis as unknown as IdbGlobals;

/** Throws for what the places do otherwise than they have to. */
export async function checkContract(): Promise<void> {
  await checkCopyStore(async () => (await openDeviceIndexedDb(globals, "contract of copies")).copy);
  await checkMemory(async () => (await openDeviceIndexedDb(globals, "contract of memories")).memory);
}

/** A change that cannot be asked for to its end: whether it failed, and how many rows are there before and after. */
export async function breakOff(): Promise<readonly [boolean, number, number]> {
  const { copy } = await openDeviceIndexedDb(globals, "broken off");
  const state = { statement: Uint8Array.of(1), head: Uint8Array.of(2), note: null };
  const rows = [1, 2].map((
    byte,
  ) => ({ table: "messages", key: new Uint8Array(40).fill(byte), bytes: state.head } as const));
  await copy.apply({ state, isWhole: true, put: rows, remove: [] });
  const before = (await Array.fromAsync(copy.rows())).length;
  const none = { table: "messages", key: state.head, bytes: null as unknown as typeof state.head } as const;
  const failed = await copy.apply({ state, isWhole: true, put: [none], remove: [] }).then(() => false, () => true);
  return [failed, before, (await Array.fromAsync(copy.rows())).length];
}

/** What the page found, as JSON. */
export interface Found {
  readonly isWhole: boolean | string;
  readonly generation: number;
  readonly subjects: readonly string[];
  readonly pending: number;
}

/** Copies everything, and hands a message in while there is no network: it waits. */
export async function beginDevice(input: ScenarioInput): Promise<Found> {
  const { device, memory, copy, offline } = await start(input);
  await createMemory(memory, decodeState(fromHex(input.state)));
  const { isWhole } = await copy.sync();
  offline(true);
  const { delivered } = await device.submit.message({ channel: "out", raw: utf8("Subject: kept\r\n\r\nHello") });
  if (delivered) throw new Error("there is no network");
  return await found(device, copy, isWhole);
}

/** What is still there without a network, then what comes of it with one. */
export async function resumeDevice(input: ScenarioInput): Promise<readonly [Found, Found]> {
  const { device, copy, offline } = await start(input);
  offline(true);
  const first = await found(device, copy, await copy.sync().then(({ isWhole }) => isWhole, codeOf));
  offline(false);
  await device.submit.flush();
  await device.submit.flush();
  const { isWhole } = await copy.sync();
  return [first, await found(device, copy, isWhole)];
}

async function start(input: ScenarioInput) {
  const { memory, copy: store } = await openDeviceIndexedDb(globals, "device");
  const { profile, keys } = await importDevice(new Redacted(input.device));
  let isOffline = false;
  const here = runtimeSurroundings();
  const surroundings: Surroundings = {
    ...here,
    now: () => input.now,
    fetch: (url, init) => isOffline ? Promise.reject(new TypeError("no network")) : here.fetch(url, init),
  };
  const device = new PosternDevice({ profile, keys, memory, surroundings, copy: store });
  if (device.copy === null) throw new Error("no copy");
  return { device, memory, copy: device.copy, offline: (is: boolean) => void (isOffline = is) };
}

type Started = Awaited<ReturnType<typeof start>>;

async function found(device: PosternDevice, copy: Started["copy"], isWhole: Found["isWhole"]): Promise<Found> {
  const { generation } = await copy.asOf();
  const { messages } = await copy.messages.list("mail", { after: 0 });
  const { pending } = await device.submit.status();
  const waiting = pending.filter(({ delivered }) => !delivered);
  return { isWhole, generation, subjects: messages.map(({ summary }) => summary.subject), pending: waiting.length };
}

function codeOf(error: unknown): string {
  return isPosternError(error) ? error.code : String(error);
}
