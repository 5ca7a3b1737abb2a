// Slow, and so by itself: the memory of the process is what is measured, and other tests share it.
import { MboxSplitter } from "../../../manager/mail/mbox_splitter.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("MboxSplitter keeps its memory when a file holds one endless line, message or run of quotes", () => {
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
  assertEquals(kinds, ["too_large", "too_large", "too_large"]);
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 6 * LIMITS.maxMessageBytes, `memory grew by ${grown} bytes for 300 MiB of input`);
});
