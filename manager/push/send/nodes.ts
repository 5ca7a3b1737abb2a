/** Sends what the edge makes proofs from: blocks of the trees and nodes of the history, in numbered bodies (spec: PUSH-13, PUSH-14). */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { HistoryNode } from "../../../shared/merkle/history.ts";
import { decodeSignedHead } from "../../../shared/protocol/head.ts";
import type { EdgeLink, PushedBlock } from "../../edge/link.ts";
import { historyNodes } from "../../heads/history.ts";
import { findHead, generationsAfter } from "../../heads/repository.ts";
import type { PushesTable } from "../../store/schema_push.ts";
import type { OpenEpoch } from "../epoch.ts";
import { Sending } from "./sending.ts";

/** Bodies on their way at once: each is up to a MiB, in three places at once. */
const BODIES_AT_ONCE = 2;
/** What CBOR and the number of the table take beside a block's path and bytes. */
const BLOCK_OVERHEAD_BYTES = 12;
/** A node of the history at most. */
const HISTORY_NODE_BYTES = 48;
/** Room for the body's own CBOR. */
const BODY_BYTES = LIMITS.maxBodyBytes - 4_096;

/** Gathers nodes into bodies and sends them: the same nodes in the same order are the same bodies, so a push can be resumed. */
export class NodeBodies {
  readonly #link: EdgeLink;
  readonly #push: Bytes;
  readonly #sending = new Sending(BODIES_AT_ONCE);
  #blocks: PushedBlock[] = [];
  #history: HistoryNode[] = [];
  #bytes = 0;
  #bodies = 0;

  constructor(link: EdgeLink, push: Bytes) {
    this.#link = link;
    this.#push = push;
  }

  async addBlocks(blocks: readonly PushedBlock[]): Promise<void> {
    for (const block of blocks) {
      await this.#makeRoom(this.#blocks.length, BLOCK_OVERHEAD_BYTES + block.path.length + (block.block?.length ?? 0));
      this.#blocks.push(block);
    }
  }

  async addHistory(nodes: readonly HistoryNode[]): Promise<void> {
    for (const node of nodes) {
      await this.#makeRoom(this.#history.length, HISTORY_NODE_BYTES);
      this.#history.push(node);
    }
  }

  /** Sends what is gathered, if anything: what follows goes into the next body. */
  async flush(): Promise<void> {
    if (this.#blocks.length + this.#history.length === 0) return;
    const [n, blocks, history] = [this.#bodies, this.#blocks, this.#history];
    this.#bodies += 1;
    this.#blocks = [];
    this.#history = [];
    this.#bytes = 0;
    await this.#sending.start(() => this.#link.nodes(this.#push, n, blocks, history));
  }

  /** Resolves when the edge has them all; returns how many bodies there were. */
  async finish(): Promise<number> {
    await this.flush();
    await this.settled();
    this.#sending.throwFailure();
    return this.#bodies;
  }

  /** Resolves when nothing is on its way any more, whatever became of it. */
  async settled(): Promise<void> {
    await this.#sending.settled();
  }

  async #makeRoom(ofItsKind: number, bytes: number): Promise<void> {
    if (ofItsKind === LIMITS.maxBodyNodes || this.#bytes + bytes > BODY_BYTES) await this.flush();
    this.#bytes += bytes;
  }
}

/**
 * The nodes of the history that the edge may lack. Those of heads that this push itself has signed before it was cut off come last
 * and each in a body of their own: so the bodies before are the same again.
 */
export async function addHistory(db: Database, bodies: NodeBodies, push: PushesTable, epoch: OpenEpoch): Promise<void> {
  const first = await isOfIncarnation(db, push.base, epoch) ? push.base : 0;
  for await (const page of historyNodes(db, first, push.newest)) await bodies.addHistory(page);
  for (const generation of await generationsAfter(db, Math.max(first - 1, push.newest))) {
    await bodies.flush();
    for await (const page of historyNodes(db, generation, generation)) await bodies.addHistory(page);
  }
}

/** Whether the edge's head belongs to the history that it has the nodes of. */
async function isOfIncarnation(db: Database, base: number, { row }: OpenEpoch): Promise<boolean> {
  const held = await findHead(db, base);
  return held !== null && held.signed.length > 0 &&
    equalBytes(decodeSignedHead(held.signed).head.incarnation, row.incarnation);
}
