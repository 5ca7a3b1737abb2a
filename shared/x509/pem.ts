/**
 * PEM text (RFC 7468), read strictly block by block and written in the one form of section 2.
 *
 * Text outside of blocks is explanation and skipped, as section 5.2 allows. A block that is wrong is reported and
 * reading goes on behind it, so that one bad block does not cost the rest of a bundle.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { fromBase64, toBase64 } from "../bytes/encoding.ts";
import { isPosternError, PosternError } from "../errors.ts";

/** One block; `line` is where it begins, counted from 1. */
export interface PemBlock {
  readonly label: string;
  readonly line: number;
  readonly bytes: Bytes;
}

/** A block that could not be read; `label` is what it said it would be. */
export interface BadPemBlock {
  readonly label: string;
  readonly line: number;
  readonly error: PosternError;
}

// RFC 7468 section 3: words of printable characters, parted by single spaces or hyphens.
const BOUNDARY = /^-----(BEGIN|END) ((?:[!-,.-~]+(?:[ -][!-,.-~]+)*)?)-----$/;

/** Yields the blocks of a text one after the other, the bad ones as such. Never throws. */
export function* pemBlocks(text: string): Generator<PemBlock | BadPemBlock> {
  let open: { label: string; line: number; body: string[] } | undefined;
  let line = 0;
  for (const raw of lines(text)) {
    line++;
    const trimmed = raw.trimEnd();
    const boundary = trimmed.startsWith("-----") ? BOUNDARY.exec(trimmed) : null;
    if (open === undefined) {
      if (boundary?.[1] === "BEGIN") open = { label: boundary[2] ?? "", line, body: [] };
      else if (boundary !== null) yield bad(boundary[2] ?? "", line, "an END without its BEGIN");
    } else if (boundary === null) {
      open.body.push(trimmed);
    } else {
      if (boundary[1] === "BEGIN") {
        yield bad(open.label, open.line, `a BEGIN in line ${line} before the END`);
        open = { label: boundary[2] ?? "", line, body: [] };
        continue;
      }
      yield boundary[2] === open.label
        ? readBlock(open.label, open.line, open.body)
        : bad(open.label, open.line, `an END of '${boundary[2]}'`);
      open = undefined;
    }
  }
  if (open !== undefined) yield bad(open.label, open.line, "no END");
}

/**
 * All blocks of a text.
 *
 * @throws `malformed` or `unsupported` at the first bad block, naming its line.
 */
export function readPem(text: string): PemBlock[] {
  return Array.from(pemBlocks(text), (block) => {
    if ("error" in block) throw block.error;
    return block;
  });
}

/** Writes one block: 64 characters a line, a newline at the end. */
export function writePem(label: string, bytes: Uint8Array): string {
  if (BOUNDARY.exec(`-----BEGIN ${label}-----`)?.[2] !== label) {
    throw new PosternError("malformed", `'${label}' cannot be the label of a PEM block`);
  }
  const body = toBase64(bytes).replace(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`;
}

function* lines(text: string): Generator<string> {
  const end = /\r\n|\r|\n/g;
  let start = 0;
  for (let found = end.exec(text); found !== null; found = end.exec(text)) {
    yield text.slice(start, found.index);
    start = end.lastIndex;
  }
  yield text.slice(start);
}

function readBlock(label: string, line: number, body: readonly string[]): PemBlock | BadPemBlock {
  if (body.some((row) => row.includes(":"))) {
    const error = new PosternError("unsupported", `${where(label, line)}: headers, as encrypted keys have them`);
    return { label, line, error };
  }
  try {
    return { label, line, bytes: fromBase64(body.join("")) };
  } catch (error) {
    if (!isPosternError(error, "malformed")) throw error;
    return bad(label, line, "a body that is not base64", error);
  }
}

function bad(label: string, line: number, found: string, cause?: PosternError): BadPemBlock {
  return { label, line, error: new PosternError("malformed", `${where(label, line)}: ${found}`, { cause }) };
}

function where(label: string, line: number): string {
  return `PEM block '${label}' in line ${line}`;
}
