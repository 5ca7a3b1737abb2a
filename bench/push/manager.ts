/**
 * A manager in a process of its own, as it runs at home: opens its database, re-encrypts everything, pushes, reads back.
 *
 *   deno run -A bench/push/manager.ts SETTINGS.json [--profile]     prints a PushResult
 */
import { fromHex } from "../../shared/bytes/encoding.ts";
import { runtimeSurroundings } from "../../shared/client/surroundings.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { connectEdge } from "../../manager/edge/connect.ts";
import type { EdgeLink } from "../../manager/edge/link.ts";
import { sweepEpochs } from "../../manager/push/epoch_records.ts";
import { push } from "../../manager/push/push.ts";
import { cpuSeconds } from "../harness/processes.ts";
import { type HotSpot } from "../harness/profile.ts";
import { profileWhile } from "../harness/profile_self.ts";

/** Where the manager's database is. */
export interface ManagerSettings {
  readonly databasePath: string;
  /** Hexadecimal. */
  readonly encryptionKey: string;
}

/** What a push took. */
export interface PushResult {
  readonly rows: number;
  readonly pushSeconds: number;
  readonly readBackSeconds: number;
  readonly generation: number;
  /** Of this process with all its threads, the reading back included. */
  readonly cpuSeconds: number;
  /** Empty unless asked for. */
  readonly hotSpots: readonly HotSpot[];
}

async function run(settings: ManagerSettings, isProfiled: boolean): Promise<PushResult> {
  const db = await openDatabase(`file:${settings.databasePath}`, { encryptionKey: fromHex(settings.encryptionKey) });
  const surroundings = runtimeSurroundings();
  const link = timed(await connectEdge(db, surroundings));
  const { generation, head } = await link.state();
  const env = { db, link, now: surroundings.now, random: surroundings.random };
  const { epoch: edgeEpoch, statement } = head?.head ?? { epoch: 0, statement: { number: 0 } };
  const request = {
    base: generation,
    edgeEpoch,
    heldStatement: statement.number,
    within: null,
    ...{ coverRows: 0, isSmall: false },
    listing: null,
  };
  const pushAll = () => push(env, request);
  const [cpuBefore, started] = [cpuSeconds([Deno.pid]), performance.now()];
  const [pushed, hotSpots] = isProfiled ? await profileWhile(pushAll) : [await pushAll(), []];
  const [cpuAfter, committed] = [cpuSeconds([Deno.pid]), performance.now()];
  const readBackSeconds = link.readBackMillis() / 1000;
  await sweepEpochs(db);
  await db.close();
  return {
    ...{ rows: pushed.rows, generation: pushed.generation, cpuSeconds: cpuAfter - cpuBefore, hotSpots },
    ...{ pushSeconds: (committed - started) / 1000 - readBackSeconds, readBackSeconds },
  };
}

/** Notes how long the push is read back: from the first page to the commit. */
function timed(link: EdgeLink): EdgeLink & { readonly readBackMillis: () => number } {
  let [from, to] = [0, 0];
  const noted = {
    pushedPage: (...asked: Parameters<EdgeLink["pushedPage"]>) => {
      if (from === 0) from = performance.now();
      return link.pushedPage(...asked);
    },
    commit: (...asked: Parameters<EdgeLink["commit"]>) => {
      to = performance.now();
      return link.commit(...asked);
    },
    readBackMillis: () => to - from,
  };
  return new Proxy(link, {
    get(target, name) {
      const own: unknown = Reflect.get(noted, name);
      if (own !== undefined) return own;
      const method: unknown = Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  }) as EdgeLink & typeof noted;
}

if (import.meta.main) {
  const settings = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")) as ManagerSettings;
  console.log(JSON.stringify(await run(settings, Deno.args.includes("--profile"))));
}
