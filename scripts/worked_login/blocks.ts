/** The blocks of values that stand in a page between marks, each made by code: how they are written, and how they get there. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { PosternError } from "../../shared/errors.ts";

/** A value by its name in the text: bytes, a number, or a text of one or more lines. */
export type Entry = readonly [name: string, value: Uint8Array | number | string];

/** Blocks by the name of their mark. */
export type Blocks = ReadonlyMap<string, readonly Entry[]>;

const LINE_DIGITS = 96;
/** Longer values are named by their ends, their length and their hash. */
const WHOLE_BYTES = 768;
const END_BYTES = 24;

const MARKED = /<!-- made: ([a-z-]+) -->\n[\s\S]*?<!-- \/made -->/g;

/**
 * The page with every marked place filled anew.
 *
 * @throws `usage` when a mark names no block, or a block has no mark
 */
export function fill(page: string, blocks: Blocks): string {
  const used = new Set<string>();
  const filled = page.replace(MARKED, (_, name: string) => {
    const entries = blocks.get(name);
    if (entries === undefined) throw new PosternError("usage", `The page has a mark '${name}', which nothing makes`);
    used.add(name);
    return `<!-- made: ${name} -->\n\n\`\`\`\n${entries.map(write).join("\n")}\n\`\`\`\n\n<!-- /made -->`;
  });
  const unused = [...blocks.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) throw new PosternError("usage", `The page has no mark for ${unused.join(", ")}`);
  return filled;
}

function write([name, value]: Entry): string {
  if (typeof value === "number") return `${name} = ${value}`;
  if (value instanceof Uint8Array) return named(name, hexLines(value));
  return named(name, value.split("\n"));
}

function named(name: string, [first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? `${name} = ${first}` : [`${name} =`, first, ...others].join("\n  ");
}

function hexLines(bytes: Uint8Array): string[] {
  if (bytes.length > WHOLE_BYTES) {
    const [head, tail] = [bytes.subarray(0, END_BYTES), bytes.subarray(-END_BYTES)].map(toHex);
    return [`${head}…${tail}`, `(${bytes.length} bytes, SHA-256 ${toHex(sha256(bytes))})`];
  }
  return toHex(bytes).match(new RegExp(`.{1,${LINE_DIGITS}}`, "g")) ?? [""];
}
