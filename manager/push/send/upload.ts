/** Seals and sends the chunks of a push; those under way at once hide the way to the edge and back. */
import type { Database } from "../../../shared/database/database.ts";
import type { EdgeLink, OpenPush } from "../../edge/link.ts";
import type { PushesTable } from "../../store/schema_push.ts";
import { readEntries } from "../plan/changes.ts";
import type { OpenEpoch } from "../epoch.ts";
import type { RowSizes } from "../plan/pad_store.ts";
import type { PlannedChunk } from "../plan/plan.ts";
import { recordStaged } from "../records.ts";
import { stageChunk, type StagedRow } from "../plan/staged.ts";
import { ChunkMemories, type ChunkMemory } from "./chunk_memory.ts";
import { RowSealer, type SealedRow } from "./seal_rows.ts";
import { Sending } from "./sending.ts";

/** What is sent. */
export interface Upload {
  readonly push: PushesTable;
  readonly epoch: OpenEpoch;
  readonly chunks: readonly PlannedChunk[];
  readonly sizes: RowSizes;
  /** Called after each chunk: how many of how many rows are there. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Rows read and sealed at once: measured, more gain nothing, and their plaintexts would stay in memory for longer. */
const SEAL_BATCH = 128;
/** Chunks on their way at once: more gain nothing beside the sealing, and each is a MiB in four places at once. */
const CHUNKS_AT_ONCE = 2;

/**
 * Sends what the edge has not received. The rows of a chunk are staged before it is sent, so what the edge may have is always known.
 *
 * @returns how many rows the push has
 */
export async function upload(
  db: Database,
  link: EdgeLink,
  { push, epoch, chunks, sizes, onProgress }: Upload,
): Promise<number> {
  const received = await link.begin({
    ...{ id: push.id, base: push.base, epoch: push.epoch, incarnation: epoch.row.incarnation },
    ...{ full: push.is_full === 1, chunks: push.chunks },
  });
  const isThere = receivedChunks(received, chunks.length);
  const total = chunks.reduce((sum, { entries }) => sum + entries.length, 0);
  const sending = new Sending(CHUNKS_AT_ONCE);
  const sealer = new RowSealer(epoch, push.secret, sizes);
  const memories = new ChunkMemories();
  let done = 0;
  try {
    for (const [n, chunk] of chunks.entries()) {
      if (n >= push.staged || isThere[n] !== 1) {
        const memory = memories.take();
        const sealed = await sealChunk(db, chunk, sealer, memory);
        await db.batch([...stageChunk(n, stagedRows(chunk, sealed)), recordStaged(push.id, n + 1)]);
        const rows = sealed.map(({ bytes }) => bytes);
        await sending.start(() => link.chunk(push.id, n, rows, chunk.remove).finally(() => memories.giveBack(memory)));
      }
      done += chunk.entries.length;
      onProgress?.(done, total);
    }
  } finally {
    await sending.settled();
  }
  sending.throwFailure();
  return done;
}

async function sealChunk(
  db: Database,
  { entries }: PlannedChunk,
  sealer: RowSealer,
  { allocate }: ChunkMemory,
): Promise<SealedRow[]> {
  const sealed: SealedRow[] = [];
  for (let at = 0; at < entries.length; at += SEAL_BATCH) {
    sealed.push(...await sealer.seal(await readEntries(db, entries.slice(at, at + SEAL_BATCH)), allocate));
  }
  return sealed;
}

function stagedRows({ remove }: PlannedChunk, sealed: readonly SealedRow[]): StagedRow[] {
  const going = remove.map(({ contentKey, table, token, number }) => ({
    ...{ contentKey, contentHash: null, tbl: table, token, number, rowHash: null },
  }));
  return [...going, ...sealed.map(({ staged }) => staged)];
}

/** 1 for each chunk that the edge says it has. */
function receivedChunks(ranges: OpenPush["received"], chunks: number): Uint8Array {
  const isThere = new Uint8Array(chunks);
  for (const [first, last] of ranges) isThere.fill(1, first, Math.min(last + 1, chunks));
  return isThere;
}
