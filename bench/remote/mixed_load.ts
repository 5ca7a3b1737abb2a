/** Prepared lookups from many connections, with real clients mixed in, for one turn of one edge. */
import { toBase64Url } from "../../shared/bytes/encoding.ts";
import { acceptGrant, exportDevice } from "../../shared/client/mod.ts";
import { encodeState } from "../../shared/client/memory/state.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { BenchDevice } from "../fixtures/owner.ts";
import type { Contestant } from "../harness/contest.ts";
import { startScript } from "../harness/scripts.ts";
import type { LoadResult } from "../load/plan.ts";
import { runLoad } from "../load/run_load.ts";
import type { LiveResult, LiveSettings } from "./live_clients.ts";

/** Real clients among the 32. */
export const LIVE_CLIENTS = 4;
export const PREPARED_CLIENTS = 28;
const LIVE_PAUSE_MILLIS = 250;
const WARM_SECONDS = 1;

/** One turn: prepared load and real clients over the same time. */
export interface MixedResult {
  readonly load: LoadResult;
  readonly live: LiveResult;
}

/** Runs both at once. Errors are counted, not thrown: whether there are any is what is asked. */
export async function runMixed(
  contestant: Contestant,
  devices: readonly BenchDevice[],
  subjects: readonly string[],
  requestCount: number,
  seconds: number,
): Promise<MixedResult> {
  const { port, processes } = contestant;
  const texts = await Promise.all(devices.map(textsOf));
  const requests = await contestant.prepare(requestCount);
  const settings: LiveSettings = {
    ...{ seconds: WARM_SECONDS + seconds, pauseMillis: LIVE_PAUSE_MILLIS, devices: texts, subjects },
    address: `http://127.0.0.1:${port}`,
  };
  const path = await Deno.makeTempFile({ prefix: "postern-live-" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(settings));
    const [load, live] = await Promise.all([
      runLoad({
        ...{ port, requests, seconds, isRepeating: false, serverProcesses: processes, warmSeconds: WARM_SECONDS },
        ...{ connections: PREPARED_CLIENTS, sampleEvery: Math.max(1, Math.floor(requests.length / 64)) },
      }),
      startScript("remote/live_clients.ts", [path]).result<LiveResult>(),
    ]);
    for (const sample of load.samples) if (sample.status === 200) await contestant.verify(sample);
    return { load, live };
  } finally {
    await Deno.remove(path);
  }
}

async function textsOf({ keys, request, grant }: BenchDevice): Promise<LiveSettings["devices"][number]> {
  const { profile, state } = await acceptGrant(keys, request, grant);
  return { device: reveal(exportDevice(profile, keys)), state: toBase64Url(encodeState(state)) };
}
