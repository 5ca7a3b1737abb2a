import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { fromOsError } from "../files/os_error.ts";
import { type MailItem, mailMessage, mailProblem, tooLargeProblem } from "./item.ts";
import { type MboxPart, type MboxQuoting, MboxSplitter } from "./mbox_splitter.ts";

const READ_BYTES = 262_144;

/**
 * The messages of an mbox file (RFC 4155), in its order; of the file, never more than one message is in memory.
 *
 * @throws `not_found`, `storage`
 */
export async function* readMbox(
  path: string,
  options: { readonly quoting?: MboxQuoting; readonly channelHint?: string } = {},
): AsyncGenerator<MailItem> {
  const splitter = new MboxSplitter(LIMITS.maxMessageBytes, options.quoting);
  let number = 0;
  const toItem = (part: MboxPart): MailItem => {
    if (part.kind === "preamble") return preambleProblem(path, part.bytes);
    const source = `${path}#${++number}`;
    return part.kind === "too_large"
      ? tooLargeProblem(source, part.bytes)
      : mailMessage(source, part.raw, options.channelHint);
  };
  for await (const piece of pieces(path)) {
    for (const part of splitter.push(piece)) yield toItem(part);
  }
  for (const part of splitter.end()) yield toItem(part);
}

function preambleProblem(path: string, bytes: number): MailItem {
  const found = `${path} begins with ${bytes} bytes that belong to no message`;
  return mailProblem(path, new PosternError("malformed", `${found}: an mbox file begins with a line "From ..."`));
}

/** The same buffer again and again: each piece is used up before the next is read. */
async function* pieces(path: string): AsyncGenerator<Uint8Array> {
  try {
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(READ_BYTES);
    while (true) {
      const length = await file.read(buffer);
      if (length === null) return;
      yield buffer.subarray(0, length);
    }
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
}
