/** The book of heads notices two of one generation, and keeps that. */
import { type Bytes, concat, utf8 } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { encodeHead, signHead } from "../../shared/protocol/head.ts";
import { assertEquals } from "../assert.ts";
import { World } from "../fixtures/world.ts";
import { lastHead, managersSigner } from "../threats/forge.ts";
import { HeadBook } from "./head_book.ts";

function commitOf(signed: Bytes): Bytes {
  const body = encodeCbor({ heads: [signed], statements: [], nodes: 0 });
  return concat(utf8(`POST /v1/owner/push/id/commit HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n`), body);
}

Deno.test("HeadBook keeps generations of which two heads were signed, and no others", async () => {
  await using world = await World.create();
  await world.manager.sync();
  const signer = await managersSigner(world.manager);
  const head = await lastHead(world.manager);
  const signed = await signHead(encodeHead(head), signer);
  const book = new HeadBook();
  for (const one of [signed, signed]) book.see(commitOf(one));
  book.see(commitOf(await signHead(encodeHead({ ...head, generation: head.generation + 1 }), signer)));
  assertEquals([book.size, book.contradicted], [2, []]);
  book.see(commitOf(await signHead(encodeHead({ ...head, time: head.time + 1 }), signer)));
  book.see(commitOf(signed));
  assertEquals(book.contradicted, [head.generation]);
});
