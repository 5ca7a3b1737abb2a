import { LIMITS } from "../../../shared/limits.ts";
import { ChunkMemories, ChunkMemory } from "../../../manager/push/send/chunk_memory.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("ChunkMemory hands out room that nothing else has, even when it is used up", () => {
  const memory = new ChunkMemory();
  const lengths = [10, 0, LIMITS.maxBodyBytes - 20, 11, 10, 1];
  const rooms = lengths.map((length, index) => memory.allocate(length).fill(index + 1));
  for (const [index, room] of rooms.entries()) {
    assertEquals(room.length, lengths[index]);
    assert(room.every((byte) => byte === index + 1));
  }
});

Deno.test("ChunkMemories gives a memory out again only when it was given back, and then from its start", () => {
  const memories = new ChunkMemories();
  const [first, second] = [memories.take(), memories.take()];
  assert(first !== second);
  const room = first.allocate(8);
  memories.giveBack(first);
  assertEquals(memories.take(), first);
  const again = first.allocate(8);
  assertEquals([again.buffer, again.byteOffset], [room.buffer, room.byteOffset]);
});
