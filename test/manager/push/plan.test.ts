import fc from "fast-check";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { deriveEpochKeys } from "../../../shared/protocol/epoch_keys.ts";
import { sealRow } from "../../../shared/protocol/row.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { EntryList } from "../../../manager/push/plan/entry_list.ts";
import { planChunks } from "../../../manager/push/plan/plan.ts";
import { assert, assertEquals } from "../../assert.ts";

const secret = new Uint8Array(32).fill(7);
const entries = fc.array(
  fc.record({ tbl: fc.integer({ min: 1, max: 3 }), size: fc.integer({ min: 1, max: LIMITS.messagePartBytes + 64 }) }),
  { maxLength: 60 },
).map((list) => list.map((entry, index) => ({ id: index + 1, ...entry })));

Deno.test("planChunks() sends every entry once, in chunks within the limits, PUSH-02", () => {
  fc.assert(fc.property(entries, fc.integer({ min: 0, max: 2_500 }), (list, removals) => {
    const gone = Array.from(
      { length: removals },
      (_, number) => ({ table: 2 as const, token: new Uint8Array(32), number, contentKey: new Uint8Array(40) }),
    );
    const chunks = planChunks(EntryList.of(list), gone, secret);
    assertEquals(chunks.flatMap((chunk) => chunk.entries).sort((a, b) => a - b), list.map(({ id }) => id));
    assertEquals(
      chunks.flatMap((chunk) => chunk.remove.map(({ number }) => number)).sort((a, b) => a - b),
      gone.map(({ number }) => number),
    );
    for (const { entries, remove } of chunks) {
      assert(entries.length <= LIMITS.maxChunkRows && remove.length <= LIMITS.maxChunkRows);
      assert(entries.length + remove.length > 0, "no chunk is empty");
    }
  }));
});

Deno.test("planChunks() keeps even the largest rows within one body, CONV-08", async () => {
  const context = { owner: new Uint8Array(32), incarnation: new Uint8Array(16), epoch: 1_000_000 };
  const keys = await deriveEpochKeys(secretKey<"SymKey">(new Uint8Array(32)), context, null);
  const extra = {
    ...{ device: new Uint8Array(16), registration: 1_000_000, publicKey: new Uint8Array(LIMITS.maxSpkiBytes) },
    ...{ suite: "rsa-oaep-256", encapsulated: new Uint8Array(LIMITS.maxEncapsulatedBytes) },
    wrapped: new Uint8Array(LIMITS.maxWrappedKeyBytes),
  };
  for (const size of [1, 100, 256, 4_096, 70_000, LIMITS.messagePartBytes + 64]) {
    for (const tbl of [1, 2, 3] as const) {
      const list = Array.from({ length: Math.min(2_000, Math.ceil(2_000_000 / size)) }, (_, id) => ({ id, tbl, size }));
      const [first] = planChunks(EntryList.of(list), [], secret);
      assert(first !== undefined);
      const row = await sealRow(
        keys,
        { table: tbl satisfies TableNumber, token: new Uint8Array(32), number: 2 ** 50 },
        tbl === 1 ? extra : null,
        new Uint8Array(size),
        webCryptoRandom,
      );
      const body = encodeCbor({ rows: first.entries.map(() => row), remove: [] });
      assert(body.length <= LIMITS.maxBodyBytes, `a chunk of rows of ${size} bytes has ${body.length} bytes`);
    }
  }
});

Deno.test("planChunks() gives the same chunks again for the same secret", () => {
  fc.assert(
    fc.property(
      entries,
      (list) => assertEquals(planChunks(EntryList.of(list), [], secret), planChunks(EntryList.of(list), [], secret)),
    ),
  );
});
