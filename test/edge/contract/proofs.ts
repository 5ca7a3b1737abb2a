/** Proofs, and what they are made of: honest ones verify, and what a lying manager brings is refused or of no use. */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import { historyLeafHash } from "../../../shared/merkle/history.ts";
import { verifyInclusion } from "../../../shared/merkle/history_proofs.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import { decodeRow, rowHash } from "../../../shared/protocol/row.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import type { HeadFixture } from "../../fixtures/owner.ts";
import { type Ask, deviceLogin, managerLogin, type RawClient, type RawSession } from "./client.ts";
import { entry, Household, nodesBody, sendPush } from "./household.ts";
import { nobody } from "./target.ts";

/** A question about the list `box` from a number on, or below one. */
interface Question {
  readonly token: Bytes;
  readonly from?: number;
  readonly before?: number;
  readonly limit?: number;
}

/** Asks, and verifies the answer against the head as READ-09 says; the numbers of the rows. */
async function proven(session: RawSession, head: HeadFixture, question: Question): Promise<number[]> {
  const { token, from, before = 0 } = question;
  const query = { epoch: head.head.epoch, ...question, proof: 1 };
  const answer = await session.ask("rows", { route: "rows", path: { table: "messages" }, query });
  assertEquals(answer.generation, head.head.generation);
  assert(answer.proof, "there is no proof");
  const rows = answer.rows.map((row) => {
    const { number } = decodeRow(row);
    return { number, key: treeKey(token, number), rowHash: rowHash(row) };
  });
  const end = answer.more ? rows.at(-1)?.key : undefined;
  const claim = from === undefined
    ? { lowest: end ?? treeKey(token, 0), highest: treeKey(token, before - 1), rows: rows.toReversed() }
    : { lowest: treeKey(token, from), highest: end ?? concat(token, new Uint8Array(8).fill(255)), rows };
  verifyProof(answer.proof, claim, head.head.tables.messages.root);
  return rows.map(({ number }) => number);
}

export async function proofContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const home = await Household.move(client);
  const device = await home.asDevice();
  const manager = await home.asManager();
  const { token } = home.box();
  const heads: HeadFixture[] = [];
  const newest = (): HeadFixture => {
    const { head } = home.manager;
    assert(head);
    return head;
  };
  heads.push(newest());

  await t.step(
    "rows come with a proof that they are all there are, if it is asked for (READ-06, READ-09)",
    async () => {
      for (const session of [device, manager]) {
        assertEquals(await proven(session, newest(), { token, from: 0 }), [1, 2, 3]);
        assertEquals(await proven(session, newest(), { token, from: 2, limit: 1 }), [2]);
        assertEquals(await proven(session, newest(), { token, from: 4 }), []);
        assertEquals(await proven(session, newest(), { token, before: 3, limit: 1 }), [2]);
        assertEquals(await proven(session, newest(), { token, before: 1 }), []);
        assertEquals(await proven(session, newest(), { token: nobody(32), from: 0 }), []);
      }
      const ask: Ask = { route: "rows", path: { table: "messages" }, query: { ...home.box(), from: 0 } };
      assertEquals((await device.ask("rows", ask)).proof, null);
      for (const proof of ["0", "2", "true", ""]) {
        const query = { ...home.box(), from: 0, proof };
        assertEquals(await device.refused({ ...ask, query }), "malformed", proof);
      }
    },
  );

  await t.step(
    "a delta brings the blocks that it changes, and later answers are proven (PUSH-13, READ-09)",
    async () => {
      await sendPush(manager, await home.manager.delta([entry(4), entry(2, "again")], [entry(1)]));
      heads.push(newest());
      assertEquals(await proven(device, newest(), { token, from: 0 }), [2, 3, 4]);
      assertEquals(await proven(device, newest(), { token, from: 0, limit: 2 }), [2, 3]);
      await sendPush(manager, await home.manager.delta([]));
      heads.push(newest());
      assertEquals(await proven(device, newest(), { token, before: 9 }), [4, 3, 2]);
    },
  );

  await t.step("head, record and login prove the head that the reader has seen (READ-07, PUSH-14)", async () => {
    const now = newest();
    const { size, root } = now.head.history;
    for (const seen of heads.slice(0, -1)) {
      const { generation } = seen.head;
      const ofDevice = { ...deviceLogin(home.owner, home.device()), seen: generation };
      const ofManager = { ...managerLogin(home.owner), seen: generation };
      const paths = [
        (await device.ask("head", { route: "head", query: { seen: generation } })).history,
        (await device.ask("record", { route: "record", query: { seen: generation } })).history,
        (await client.login(ofDevice)).answer.history,
        (await client.login(ofManager)).answer.history,
      ];
      for (const path of paths) {
        const index = size - (now.head.generation - generation);
        verifyInclusion({ index, size, root, leafHash: historyLeafHash(seen.hash) }, path ?? []);
        assert(path !== null);
      }
    }
    for (const query of [{}, { seen: now.head.generation }, { seen: 99 }]) {
      assertEquals((await device.ask("head", { route: "head", query })).history, null);
    }
    assertEquals(await device.refused({ route: "head", query: "?seen=0" }), "malformed");
  });

  await t.step("nodes are refused unless they are exactly what they must be (PUSH-13, PUSH-14, TREE-07)", async () => {
    const { body } = await home.manager.delta([]);
    await manager.ask("pushBegin", { method: "POST", route: "push", body: { ...body } });
    const put = (bytes: Bytes, n: number | string = 0): Ask => (
      { method: "PUT", route: "pushNodes", path: { id: body.id, n }, bytes }
    );
    const hash = nobody(32);
    const block = encodeBlock([0, hash, hash]);
    const bad: Record<string, Parameters<typeof encodeCbor>[0]> = {
      "no history": { blocks: [] },
      "an unknown key": { blocks: [], history: [], more: 1 },
      "table 5": { blocks: [[5, "", block]], history: [] },
      "a path in upper case": { blocks: [[1, "A", block]], history: [] },
      "a path of 80 digits": { blocks: [[1, "0".repeat(80), block]], history: [] },
      "a path as bytes": { blocks: [[1, hash, block]], history: [] },
      "a block of another path": { blocks: [[1, "a", block]], history: [] },
      "a block that is cut off": { blocks: [[1, "", block.slice(0, 40)]], history: [] },
      "an empty block below": { blocks: [[1, "a", encodeBlock([])]], history: [] },
      "no block": { blocks: [[1, "", new Uint8Array(0)]], history: [] },
      "a block that is too large": { blocks: [[1, "", nobody(LIMITS.maxBlockBytes + 1)]], history: [] },
      "too many blocks": {
        blocks: Array.from({ length: LIMITS.maxBodyNodes + 1 }, () => [1, "", null]),
        history: [],
      },
      "too many nodes": {
        blocks: [],
        history: Array.from({ length: LIMITS.maxBodyNodes + 1 }, (_, i) => [0, i, hash]),
      },
      "a level that no history has": { blocks: [], history: [[53, 0, hash]] },
      "a short hash": { blocks: [], history: [[0, 0, hash.slice(1)]] },
      "a negative index": { blocks: [], history: [[0, -1, hash]] },
    };
    for (const [what, value] of Object.entries(bad)) {
      assertEquals(await manager.refused(put(encodeCbor(value))), "malformed", what);
    }
    const none = encodeCbor({ blocks: [], history: [] });
    for (const n of ["01", "-1", LIMITS.maxPushNodeBodies]) {
      assertEquals(await manager.refused(put(none, n)), "malformed");
    }
    for (const twice of [[[1, "0", null], [1, "0", null]], [[1, "0", null]]]) {
      assertEquals(await manager.refused(put(encodeCbor({ blocks: twice, history: [] }))), "conflict");
    }
    await manager.ask("empty", { method: "DELETE", route: "pushOne", path: { id: body.id } });
  });

  await t.step(
    "blocks of another tree prove nothing, and a push without any is answered without proof (READ-06)",
    async () => {
      const honest = await home.manager.full();
      const [nodes] = honest.nodes;
      assert(nodes);
      const forged = nodes.blocks.map(([table, path, block]) => {
        const copy = block?.slice() ?? null;
        // A block ends with a hash, unless it is the empty one.
        if (copy !== null && copy.length > 1) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
        return [table, path, copy] as const;
      });
      await sendPush(manager, { ...honest, nodes: [{ ...nodes, blocks: forged }] });
      const absent = { token: nobody(32), from: 0 };
      const tampered = await proven(device, newest(), absent).then(() => undefined, (error: unknown) => error);
      assertThrows(() => {
        throw tampered;
      }, "tampered");
      const bare = await home.manager.full();
      await sendPush(manager, { ...bare, nodes: [], commit: { ...bare.commit, nodes: 0 } });
      const query = { ...home.box(), from: 0, proof: 1 };
      const answer = await device.ask("rows", { route: "rows", path: { table: "messages" }, query });
      assertEquals([answer.rows.length, answer.proof], [3, null]);
      const body = nodesBody(nodes);
      const late: Ask = { method: "PUT", route: "pushNodes", path: { id: bare.body.id, n: 0 }, body };
      assertEquals(await manager.refused(late), "conflict");
    },
  );
}
