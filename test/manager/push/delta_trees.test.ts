import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { TABLE_NAMES } from "../../../shared/protocol/tables.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { applyStagedBlocks, stagedTableBlocks } from "../../../manager/push/trees/blocks.ts";
import { stageTrees } from "../../../manager/push/trees/delta_trees.ts";
import { placeTrees } from "../../../manager/push/trees/full_trees.ts";
import { applyStaged } from "../../../manager/push/trees/placed.ts";
import type { StateRoots } from "../../../manager/push/trees/roots.ts";
import { forgetStaged, stageChunk, type StagedRow } from "../../../manager/push/plan/staged.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { assertEquals } from "../../assert.ts";
import { keptBlocks, rebuiltBlocks } from "./kept_blocks.ts";

const EPOCH = 1;
const NOBODY = { blocks: () => Promise.resolve(), progress: () => {} };

/** A row by a small number, so that rounds meet the same ones. */
interface Step {
  readonly tbl: number;
  readonly list: number;
  readonly number: number;
  /** Null to take it away, else what it says. */
  readonly value: number | null;
}

const steps: fc.Arbitrary<Step[]> = fc.uniqueArray(
  fc.record({
    tbl: fc.integer({ min: 1, max: 4 }),
    list: fc.nat(3),
    number: fc.nat(6),
    value: fc.option(fc.nat(9), { freq: 2 }),
  }),
  { selector: ({ tbl, list, number }) => `${tbl} ${list} ${number}`, maxLength: 30 },
);

const idOf = ({ tbl, list, number }: Step) => `${tbl} ${list} ${number}`;

/** What a push stages for a step: a row that is replaced goes and comes. */
function stagedRows(step: Step, isThere: boolean): StagedRow[] {
  const { tbl, list, number, value } = step;
  const place = { contentKey: treeKey(sha256(Uint8Array.of(tbl, list, number)), 0), tbl, number };
  const token = sha256(Uint8Array.of(tbl, list));
  const rows: StagedRow[] = isThere ? [{ ...place, token, contentHash: null, rowHash: null }] : [];
  if (value === null) return rows;
  return [...rows, { ...place, token, contentHash: sha256(Uint8Array.of(value)), rowHash: hashOf(value, step) }];
}

function hashOf(value: number, { number }: Step): Bytes {
  return sha256(Uint8Array.of(value, number, 1));
}

async function settle(db: Database, ...more: Statement<never>[]): Promise<void> {
  await db.batch([...applyStaged(EPOCH), forgetStaged(), ...more]);
}

async function play(db: Database, rounds: readonly (readonly Step[])[], few: number): Promise<void> {
  const there = new Set<string>();
  let roots: StateRoots = await placeTrees(db, EPOCH, NOBODY);
  for (const round of rounds) {
    const rows = round.flatMap((step) => stagedRows(step, there.has(idOf(step))));
    for (const step of round) {
      if (step.value === null) there.delete(idOf(step));
      else there.add(idOf(step));
    }
    await db.batch(stageChunk(0, rows));
    roots = await stageTrees(db, EPOCH, roots, few);
    // Once more, as after a crash: it comes out the same.
    const staged = (await Array.fromAsync(stagedTableBlocks(db))).flat();
    assertEquals(await stageTrees(db, EPOCH, roots, few).then(({ contentRoot }) => contentRoot), roots.contentRoot);
    assertEquals((await Array.fromAsync(stagedTableBlocks(db))).flat(), staged);
    await settle(db, ...applyStagedBlocks(EPOCH));
    assertEquals(await keptBlocks(db), await rebuiltBlocks(db));
  }
  const before = await keptBlocks(db);
  assertEquals(roots, await placeTrees(db, EPOCH, NOBODY));
  assertEquals(await keptBlocks(db), before);
  assertEquals(TABLE_NAMES.reduce((sum, name) => sum + roots.tables[name].count, 0), there.size);
}

for (const [few, name] of [[4_000, "one by one"], [2, "by a pass where there are many"]] as const) {
  Deno.test(`TREE-07: stageTrees() keeps the blocks and roots that a rebuild gives, ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 5 }), async (rounds) => {
        const db = await openDatabase(":memory:");
        try {
          await migrate(db, MIGRATIONS);
          await db.execute({
            sql: `INSERT INTO epochs VALUES (1, x'', x'', 'current', 1, 1, x'', x'', 0, 0, 0, 1)`,
            params: [],
          });
          await play(db, rounds, few);
        } finally {
          await db.close();
        }
      }),
      { numRuns: 25 },
    );
  });
}
