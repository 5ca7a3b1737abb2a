/** What a publisher's script takes from the machine: read here once, handed down, replaced in tests. */
import { concat } from "../../shared/bytes/bytes.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type RandomBytes, webCryptoRandom } from "../../shared/crypto/random.ts";
import { PosternError } from "../../shared/errors.ts";

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
  /** Null where the system has no numbers for users. */
  readonly uid: number | null;
  readonly isTerminal: boolean;
  /** An environment variable; undefined when it is not set or empty. */
  readonly env: (name: string) => string | undefined;
  readonly fetch: typeof fetch;
  /** Waits so many milliseconds. */
  readonly sleep: (millis: number) => Promise<void>;
}

/** Those of this process. */
export function scriptSurroundings(): ScriptSurroundings {
  return {
    cwd: Deno.cwd(),
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    readInput,
    now: () => Date.now(),
    random: webCryptoRandom,
    uid: Deno.uid(),
    isTerminal: Deno.stderr.isTerminal(),
    env: (name) => Deno.env.get(name) || undefined,
    fetch,
    sleep: (millis) => new Promise((resume) => setTimeout(resume, millis)),
  };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

async function readInput(maxBytes: number): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw new PosternError("too_large", `The input is larger than ${maxBytes} bytes`);
  }
  return concat(...chunks);
}
