/**
 * What every server that is measured shares: it says where it listens, profiles itself on request, and ends when its
 * standard input does. Messages are lines of JSON.
 */
import { profileWhile } from "../harness/profile_self.ts";

/** First line of a server. */
export interface Ready {
  readonly port: number;
}

/** What it is asked: a profile of the next so many seconds. */
export interface ProfileRequest {
  readonly profileSeconds: number;
}

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
      const [, spots] = await profileWhile(() => new Promise((resume) => setTimeout(resume, 1000 * profileSeconds)));
      console.log(JSON.stringify(spots));
    }
  }
}
