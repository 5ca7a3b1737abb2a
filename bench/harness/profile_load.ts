/** A profile of a server while it is under load. */
import { runLoad } from "../load/run_load.ts";
import type { Server } from "../servers/spawn.ts";
import type { Contestant, ContestOptions } from "./contest.ts";
import { hotSpotText } from "./profile.ts";
import type { Profile } from "./report.ts";

const PROFILE_SECONDS = 3;
/** Nothing is verified here. */
const SAMPLE_EVERY = 100_000;

/** Sends what the contestant is measured with, and says what the server's time went to. */
export async function profileUnderLoad(
  title: string,
  server: Server,
  contestant: Contestant,
  { connections }: Pick<ContestOptions, "connections">,
): Promise<Profile> {
  const { firstRequests, isRepeating = false } = contestant;
  const requests = await contestant.prepare(4 * firstRequests);
  const load = runLoad({
    ...{ port: server.port, connections, requests, isRepeating, sampleEvery: SAMPLE_EVERY },
    ...{ warmSeconds: 0.5, seconds: PROFILE_SECONDS + 1, serverProcesses: [server.pid] },
  });
  await new Promise((resume) => setTimeout(resume, 1_000));
  const spots = await server.profile(PROFILE_SECONDS);
  await load;
  return { title: `${title}, time in the functions themselves`, text: hotSpotText(spots) };
}
