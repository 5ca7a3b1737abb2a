/** Profiles the process that this runs in. */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { type CpuProfile, type HotSpot, hotSpots } from "./profile.ts";

/** Functions in a profile. */
const SPOTS = 25;

/**
 * Runs something and says what its time went to. The inspector is loaded only here: one that is there at all might cost
 * something.
 */
export async function profileWhile<T>(run: () => Promise<T>): Promise<[T, HotSpot[]]> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  const post = <R>(method: string): Promise<R> =>
    new Promise((resolve, reject) =>
      session.post(method, {}, (error: Error | null, result?: object) => error ? reject(error) : resolve(result as R))
    );
  await post("Profiler.enable");
  await post("Profiler.start");
  const value = await run();
  const { profile } = await post<{ profile: CpuProfile }>("Profiler.stop");
  session.disconnect();
  return [value, hotSpots(profile, SPOTS, PROJECT_ROOT)];
}
