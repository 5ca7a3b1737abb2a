/** Standard input and output of a process: of `postern`, and of the scripts of a publisher. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { EXIT } from "./exit_codes.ts";

/** All of standard input, at most so many bytes. @throws `too_large` */
export async function readInput(maxBytes: number): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw new PosternError("too_large", `The input is larger than ${maxBytes} bytes`);
  }
  return concat(...chunks);
}

/** Whole, also into a slow pipe; a reader that has gone away ends the program, as for any other tool. */
export function writeTo(stream: { writeSync(bytes: Uint8Array): number }): (text: string) => void {
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      Deno.exit(EXIT.ok);
    }
  };
}
