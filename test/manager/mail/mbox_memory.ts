/** Splits a file of three endless lines, messages or runs of quotes, and prints what came of it and by how much memory grew. */
import { MboxSplitter } from "../../../manager/mail/mbox_splitter.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";

const splitter = new MboxSplitter(LIMITS.maxMessageBytes);
const piece = new Uint8Array(1_048_576);
const separator = utf8("\n\nFrom a@b Thu Nov 13 10:22:33 2023\n");
const kinds: string[] = [];
const before = Deno.memoryUsage().rss;
for (const byte of [120, 62, 10]) {
  kinds.push(...splitter.push(separator).map((part) => part.kind));
  for (let i = 0; i < 100; i++) kinds.push(...splitter.push(piece.fill(byte)).map((part) => part.kind));
}
kinds.push(...splitter.end().map((part) => part.kind));
console.log(JSON.stringify({ kinds, grown: Deno.memoryUsage().rss - before }));
