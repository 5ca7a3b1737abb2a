/**
 * What every server that is measured shares: it says where it listens, profiles itself on request, and ends when its
 * standard input does. Messages are lines of JSON.
 */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { type CpuProfile, type HotSpot, hotSpots } from "../harness/profile.ts";

/** First line of a server. */
export interface Ready {
  readonly port: number;
}

/** What it is asked: a profile of the next so many seconds. */
export interface ProfileRequest {
  readonly profileSeconds: number;
}

/** Functions in a profile. */
const SPOTS = 25;

/** Announces the port and serves requests for profiles until standard input ends. */
export async function serveControl(ready: Ready): Promise<void> {
  console.log(JSON.stringify(ready));
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      const { profileSeconds } = JSON.parse(line) as ProfileRequest;
      console.log(JSON.stringify(await profileFor(profileSeconds)));
    }
  }
}

/** Loaded only when asked for: an inspector that is there at all might cost something. */
async function profileFor(seconds: number): Promise<HotSpot[]> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  const post = <T>(method: string): Promise<T> =>
    new Promise((resolve, reject) =>
      session.post(method, {}, (error: Error | null, result?: object) => error ? reject(error) : resolve(result as T))
    );
  await post("Profiler.enable");
  await post("Profiler.start");
  await new Promise((resume) => setTimeout(resume, 1000 * seconds));
  const { profile } = await post<{ profile: CpuProfile }>("Profiler.stop");
  session.disconnect();
  return hotSpots(profile, SPOTS, PROJECT_ROOT);
}
