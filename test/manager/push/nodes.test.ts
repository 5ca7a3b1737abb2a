import fc from "fast-check";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { HistoryNode } from "../../../shared/merkle/history.ts";
import type { EdgeLink, PushedBlock } from "../../../manager/edge/link.ts";
import { NodeBodies } from "../../../manager/push/send/nodes.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const ID = new Uint8Array(16);

interface Body {
  readonly n: number;
  readonly blocks: readonly PushedBlock[];
  readonly history: readonly HistoryNode[];
}

/** An edge that takes bodies, some time later, or fails from one on. */
function edge(failsAt = Number.MAX_SAFE_INTEGER): { link: EdgeLink; bodies: Body[]; most: () => number } {
  const bodies: Body[] = [];
  let [underWay, most] = [0, 0];
  const nodes: EdgeLink["nodes"] = async (_id, n, blocks, history) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 0));
    underWay--;
    if (n >= failsAt) throw new PosternError("network", "gone");
    bodies.push({ n, blocks, history });
  };
  return { link: { nodes } as EdgeLink, bodies, most: () => most };
}

const block = (i: number, bytes: number | null): PushedBlock => ({
  tbl: 1 + i % 4,
  path: i.toString(16).padStart(i % 80, "0"),
  block: bytes === null ? null : new Uint8Array(bytes).fill(i),
});
const node = (index: number): HistoryNode => ({ level: 52, index: 2 ** 52 + index, hash: new Uint8Array(32) });

const sizes = fc.array(fc.option(fc.integer({ min: 1, max: LIMITS.maxBlockBytes })), { maxLength: 3_500 });

function wire({ blocks, history }: Body): Bytes {
  return encodeCbor({
    blocks: blocks.map(({ tbl, path, block }) => [tbl, path, block]),
    history: history.map(({ level, index, hash }) => [level, index, hash]),
  });
}

Deno.test("PUSH-13: NodeBodies sends each node once, in numbered bodies within the limits, the same each time", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(2_500), async (list, nodes) => {
      const runs = [edge(), edge()];
      const blocks = list.map((bytes, i) => block(i, bytes));
      const history = Array.from({ length: nodes }, (_, index) => node(index));
      for (const { link, bodies, most } of runs) {
        const sender = new NodeBodies(link, ID);
        await sender.addBlocks(blocks);
        await sender.addHistory(history);
        assertEquals(await sender.finish(), bodies.length);
        bodies.sort((a, b) => a.n - b.n);
        assertEquals(bodies.map(({ n }) => n), bodies.map((_, i) => i));
        assertEquals(bodies.flatMap((body) => body.blocks), blocks);
        assertEquals(bodies.flatMap((body) => body.history), history);
        for (const body of bodies) {
          assert(body.blocks.length <= LIMITS.maxBodyNodes && body.history.length <= LIMITS.maxBodyNodes);
          assert(wire(body).length <= LIMITS.maxBodyBytes, "a body is too large, CONV-08");
        }
        assert(most() <= 3);
      }
      assertEquals(runs[0]?.bodies, runs[1]?.bodies);
    }),
    { numRuns: 15 },
  );
});

Deno.test("NodeBodies starts nothing more after a failure, and says which it was", async () => {
  const { link, bodies } = edge(2);
  const sender = new NodeBodies(link, ID);
  await assertRejects(async () => {
    await sender.addBlocks(Array.from({ length: 9_000 }, (_, i) => block(i, 10)));
    await sender.finish();
  }, "network");
  await sender.settled();
  assertEquals(bodies.map(({ n }) => n).sort(), [0, 1]);
});
