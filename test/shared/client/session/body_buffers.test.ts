import { LIMITS } from "../../../../shared/limits.ts";
import { BodyBuffers } from "../../../../shared/client/session/body_buffers.ts";
import { assert, assertEquals } from "../../../assert.ts";

const LARGE = LIMITS.maxBodyBytes;

Deno.test("BodyBuffers gives the same memory again, but never to two at once", async () => {
  const buffers = new BodyBuffers();
  const take = () => buffers.with((allocate) => Promise.resolve(allocate(LARGE)));
  assertEquals((await take()).buffer, (await take()).buffer);
  await buffers.with(async (outer) => {
    const mine = outer(LARGE);
    assert((await take()).buffer !== mine.buffer);
    // A second one for the same request is its own.
    assert(outer(LARGE).buffer !== mine.buffer);
  });
});

Deno.test("BodyBuffers takes memory back from a request that failed, and keeps none for small bodies", async () => {
  const buffers = new BodyBuffers();
  const seen: ArrayBufferLike[] = [];
  for (let n = 0; n < 2; n++) {
    await buffers.with((allocate) => {
      seen.push(allocate(LARGE).buffer);
      throw new RangeError("no");
    }).catch(() => {});
  }
  assert(seen[0] !== undefined && seen[0] === seen[1]);
  const small = await buffers.with((allocate) => Promise.resolve(allocate(100)));
  assertEquals([small.length, small.buffer.byteLength], [100, 100]);
  const tooLarge = await buffers.with((allocate) => Promise.resolve(allocate(LARGE + 1)));
  assertEquals(tooLarge.length, LARGE + 1);
});
