/** What a publisher's script takes from the machine: read here once, handed down, replaced in tests. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type RandomBytes, webCryptoRandom } from "../../shared/crypto/random.ts";
import { readInput, writeTo } from "../../manager/cli/console.ts";

export interface ScriptSurroundings {
  /** Working directory, absolute. */
  readonly cwd: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of standard input, at most so many bytes. @throws `too_large` */
  readonly readInput: (maxBytes: number) => Promise<Bytes>;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Number of this process. */
  readonly pid: number;
  /** Null where the system has no numbers for users. */
  readonly uid: number | null;
  readonly isTerminal: boolean;
  /** An environment variable; undefined when it is not set or empty. */
  readonly env: (name: string) => string | undefined;
  readonly fetch: typeof fetch;
  /** Waits so many milliseconds. */
  readonly sleep: (millis: number) => Promise<void>;
  /** Aborts after so many milliseconds. */
  readonly timeout: (millis: number) => AbortSignal;
}

/** Those of this process. */
export function scriptSurroundings(): ScriptSurroundings {
  return {
    cwd: Deno.cwd(),
    out: writeTo(Deno.stdout),
    err: writeTo(Deno.stderr),
    readInput,
    now: () => Date.now(),
    random: webCryptoRandom,
    pid: Deno.pid,
    uid: Deno.uid(),
    isTerminal: Deno.stderr.isTerminal(),
    env: (name) => Deno.env.get(name) || undefined,
    fetch,
    sleep: (millis) => new Promise((resume) => setTimeout(resume, millis)),
    timeout: (millis) => AbortSignal.timeout(millis),
  };
}
