import fc from "fast-check";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { importAeadKey } from "../../../shared/crypto/aead.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { ChunkSealer, openChunks } from "../../../manager/backup/chunks.ts";
import { paddedStreamLength } from "../../../manager/backup/padding.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const CHUNK = LIMITS.backupChunkBytes;
const SEALED = CHUNK + 16;

const key = await importAeadKey(new Uint8Array(32).fill(7));

async function seal(pieces: readonly Bytes[], under = key): Promise<Bytes> {
  const sealer = new ChunkSealer(under);
  const out: Bytes[] = [];
  for (const piece of pieces) out.push(await sealer.add(piece));
  out.push(await sealer.finish());
  return concat(...out);
}

async function open(sealed: Bytes): Promise<Bytes> {
  let at = 0;
  const read = (most: number) => Promise.resolve(sealed.slice(at, at += most));
  const parts: Bytes[] = [];
  for await (const part of openChunks(key, read)) parts.push(part);
  return concat(...parts);
}

function bytes(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 16)) & 0xff);
}

/** Lengths around borders of chunks, and any others. */
const length = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -2, max: 2 })).map(([n, d]) => Math.max(1, n * CHUNK + d)),
  fc.integer({ min: 1, max: 3 * CHUNK }),
);

Deno.test("openChunks gives back what ChunkSealer took, however it was cut up", async () => {
  await fc.assert(
    fc.asyncProperty(length, fc.array(fc.integer({ min: 0, max: 2 * CHUNK }), { maxLength: 6 }), async (size, cuts) => {
      const plain = bytes(size);
      const at = [0, ...cuts.filter((cut) => cut < size).sort((a, b) => a - b), size];
      const pieces = at.slice(1).map((end, i) => plain.slice(at[i], end));
      const sealed = await seal(pieces);
      assertEquals(sealed.length, size + 16 * Math.ceil(size / CHUNK));
      assertEquals(await open(sealed), plain);
    }),
    { numRuns: 40 },
  );
});

Deno.test("openChunks throws tampered for any stream but the one that was sealed (BACKUP-03)", async () => {
  const kinds = ["cut", "flip", "append", "swap", "double", "drop"] as const;
  await fc.assert(
    fc.asyncProperty(length, fc.constantFrom(...kinds), fc.nat(), fc.integer({ min: 1, max: 255 }), async (...args) => {
      const [size, kind, place, change] = args;
      const sealed = await seal([bytes(size)]);
      const changed = attack(sealed, kind, place, change);
      if (changed === null) return;
      try {
        await open(changed);
      } catch (error) {
        if (isPosternError(error, "tampered")) return;
        throw error;
      }
      throw new Error(`${kind} was not noticed`);
    }),
    { numRuns: 150 },
  );
});

type Attack = "cut" | "flip" | "append" | "swap" | "double" | "drop";

function attack(sealed: Bytes, kind: Attack, place: number, change: number): Bytes | null {
  const count = Math.ceil(sealed.length / SEALED);
  const chunks = Array.from({ length: count }, (_, i) => sealed.slice(i * SEALED, (i + 1) * SEALED));
  const one = place % count;
  switch (kind) {
    case "cut":
      return sealed.slice(0, place % sealed.length);
    case "flip": {
      const copy = sealed.slice();
      const at = place % sealed.length;
      copy[at] = (copy[at] ?? 0) ^ change;
      return copy;
    }
    case "append":
      return concat(sealed, new Uint8Array(1 + place % (2 * SEALED)).fill(change));
    case "swap": {
      if (count < 2) return null;
      const other = (one + 1) % count;
      const swapped = [...chunks];
      [swapped[one], swapped[other]] = [chunks[other] as Bytes, chunks[one] as Bytes];
      return concat(...swapped);
    }
    case "double":
      return concat(...chunks.slice(0, one + 1), ...chunks.slice(one));
    case "drop":
      return concat(...chunks.filter((_, i) => i !== one));
  }
}

Deno.test("openChunks throws tampered for a stream cut off at every border of chunks (BACKUP-03)", async () => {
  const sealed = await seal([bytes(3 * CHUNK + 5)]);
  for (let count = 0; count <= 3; count++) {
    await assertRejects(() => open(sealed.slice(0, count * SEALED)), "tampered");
  }
});

Deno.test("openChunks throws tampered for a chunk of another stream (BACKUP-03)", async () => {
  const other = await importAeadKey(new Uint8Array(32).fill(8));
  const [mine, theirs] = [await seal([bytes(2 * CHUNK)]), await seal([bytes(2 * CHUNK)], other)];
  await assertRejects(() => open(concat(mine.slice(0, SEALED), theirs.slice(SEALED))), "tampered");
});

Deno.test("ChunkSealer.finish() throws usage for an empty stream", async () => {
  await assertRejects(() => new ChunkSealer(key).finish(), "usage");
});

Deno.test("paddedStreamLength() never shrinks, costs at most an eighth, and hides small sizes (CONV-11)", () => {
  assertEquals(paddedStreamLength(0), CHUNK);
  assertEquals(paddedStreamLength(CHUNK), CHUNK);
  fc.assert(fc.property(fc.integer({ min: CHUNK, max: 2 ** 45 }), (size) => {
    const padded = paddedStreamLength(size);
    assert(padded >= size && padded <= size * 1.125 && paddedStreamLength(padded) === padded);
  }));
});
