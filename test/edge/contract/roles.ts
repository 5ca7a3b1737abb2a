/** Who may do what: devices, managers, other owners; and each way in from beginning to end. */
import { sha256 } from "../../../shared/crypto/hash.ts";
import { headHash } from "../../../shared/protocol/head.ts";
import {
  encodeSubmission,
  signSubmission,
  type Submission,
  submissionHash,
} from "../../../shared/protocol/submission.ts";
import { assertEquals } from "../../assert.ts";
import { NOW } from "../../fixtures/owner.ts";
import { type Ask, bodyOf, type RawClient, type RawSession, send } from "./client.ts";
import { entry, Household, nodesBody, sendPush } from "./household.ts";
import { nobody } from "./target.ts";

/** A submission of a device's, sealed to nobody. */
async function submission(home: Household, fields: Partial<Submission> = {}, device = 0) {
  const { owner } = home;
  const { id, signing } = home.device(device);
  const bytes = encodeSubmission({
    ...{ owner: owner.id, incarnation: owner.incarnation, device: id, stream: nobody(), number: 1, previous: null },
    ...{ statement: owner.statement.number, epoch: 1, seen: { generation: 1, head: headHash(nobody()) }, time: NOW },
    ...{ sealed: { encapsulated: nobody(1120), ciphertext: nobody(300) }, parts: [], copy: null, ...fields },
  });
  return { signed: await signSubmission(bytes, signing.sign), hash: submissionHash(bytes) };
}

const submit = (signed: Uint8Array): Ask => ({ method: "POST", route: "inbox", body: { submission: signed } });

export async function roleContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const home = await Household.move(client);
  const device = await home.asDevice();
  const manager = await home.asManager();
  const id = nobody();

  await t.step("devices are refused whatever is the manager's alone (CONV-09)", async () => {
    const begin = { id, base: 1, epoch: 1, incarnation: home.owner.incarnation, full: false, chunks: 0 };
    const asks: readonly Ask[] = [
      { method: "POST", route: "push", body: begin },
      { route: "push" },
      { method: "PUT", route: "pushChunk", path: { id, n: 0 }, body: { rows: [], remove: [] } },
      // Of what may not be asked at all, the body is not read.
      { method: "PUT", route: "pushNodes", path: { id, n: 0 }, body: {} },
      { route: "pushTable", path: { id, table: "messages" } },
      { method: "POST", route: "pushCommit", path: { id }, body: { heads: [nobody(100)], statements: [] } },
      { method: "DELETE", route: "pushOne", path: { id } },
      { method: "DELETE", route: "tables", body: { number: 1 } },
    ];
    for (const ask of asks) assertEquals(await device.refused(ask), "forbidden", `${ask.method} ${ask.route}`);
    assertEquals((await manager.ask("push", { route: "push" })).push, null);
  });

  await t.step("the manager may read everything, and hand in nothing (INBOX-05)", async () => {
    const box = home.box();
    const rows: Ask = { route: "rows", path: { table: "messages" }, query: { ...box, from: 1 } };
    assertEquals(await manager.ask("rows", rows), await device.ask("rows", rows));
    assertEquals((await manager.ask("record", { route: "record" })).record, null);
    assertEquals(await manager.refused(submit((await submission(home)).signed)), "forbidden");
    const part = nobody(272);
    const put: Ask = { method: "PUT", route: "inboxPart", path: { hash: sha256(part) }, body: { part } };
    assertEquals(await manager.refused(put), "forbidden");
  });

  await t.step(
    "a submission and its parts come to the manager, once, until they are acknowledged (INBOX-04, INBOX-05, INBOX-06)",
    async () => {
      const part = nobody(272);
      const hash = sha256(part);
      const put: Ask = { method: "PUT", route: "inboxPart", path: { hash }, body: { part } };
      const stream = nobody();
      const { signed, hash: name } = await submission(home, { stream, parts: [{ hash, size: part.length }] });
      assertEquals(await device.refused(submit(signed)), "not_found");
      assertEquals(await device.refused({ ...put, path: { hash: nobody(32) } }), "malformed");
      await device.ask("empty", put);
      await device.ask("empty", submit(signed));
      await device.ask("empty", submit(signed));
      const other = await submission(home, { stream });
      assertEquals(await device.refused(submit(other.signed)), "conflict");

      const { entries, next } = await manager.ask("inbox", { route: "inbox", query: { after: 0 } });
      assertEquals([entries.length, entries[0]?.[1], next], [1, signed, null]);
      assertEquals((await manager.ask("inboxPart", { route: "inboxPart", path: { hash } })).part, part);
      assertEquals((await device.ask("inboxPart", { route: "inboxPart", path: { hash } })).part, part);
      const second = await home.asDevice(1);
      assertEquals(await second.refused({ route: "inboxPart", path: { hash } }), "not_found");
      assertEquals((await second.ask("inbox", { route: "inbox" })).entries, entries);
      assertEquals(await second.refused(submit(signed)), "forbidden");

      const acks = [{ device: home.device().id, stream, number: 1, hash: name }];
      await sendPush(manager, await home.manager.delta([entry(4)], [], { acks }));
      assertEquals((await manager.ask("inbox", { route: "inbox" })).entries, []);
    },
  );

  await t.step("a push is visible when it is committed, and not before (PUSH-01, PUSH-04, PUSH-06)", async () => {
    const push = await home.manager.delta([entry(5)], [entry(1)]);
    const { body, chunks, nodes, commit } = push;
    const begin: Ask = { method: "POST", route: "push", body: { ...body } };
    const box = home.box();
    const rows: Ask = { route: "rows", path: { table: "messages" }, query: { ...box, from: 0 } };
    const before = await device.ask("rows", rows);
    assertEquals((await manager.ask("pushBegin", begin)).received, []);
    assertEquals((await manager.ask("push", { route: "push" })).push, { ...body, received: [] });
    const [chunk] = chunks;
    const put: Ask = {
      ...{ method: "PUT", route: "pushChunk", path: { id: body.id, n: 0 } },
      body: { rows: chunk?.rows ?? [], remove: (chunk?.remove ?? []).map((key) => [...key]) },
    };
    const finish: Ask = { method: "POST", route: "pushCommit", path: { id: body.id }, body: { ...commit } };
    assertEquals(await manager.refused(finish), "conflict");
    await manager.ask("empty", put);
    await manager.ask("empty", put);
    assertEquals(await manager.refused({ ...put, body: { rows: chunk?.rows ?? [], remove: [] } }), "conflict");
    assertEquals(await manager.refused({ ...put, path: { id: body.id, n: 1 } }), "malformed");
    assertEquals(await manager.refused({ ...put, path: { id: nobody(), n: 0 } }), "not_found");
    assertEquals(await manager.refused(finish), "conflict");
    for (const [n, one] of nodes.entries()) {
      const put: Ask = { method: "PUT", route: "pushNodes", path: { id: body.id, n }, body: nodesBody(one) };
      assertEquals(await device.refused(put), "forbidden");
      await manager.ask("empty", put);
      await manager.ask("empty", put);
      assertEquals(await manager.refused({ ...put, body: { blocks: [], history: [] } }), "conflict");
      assertEquals(await manager.refused({ ...put, path: { id: nobody(), n } }), "not_found");
    }
    assertEquals(await device.ask("rows", rows), before);
    assertEquals((await manager.ask("pushCommit", finish)).generation, 3);
    assertEquals((await manager.ask("pushCommit", finish)).generation, 3);
    push.adopt();
    const after = await device.ask("rows", rows);
    assertEquals([after.generation, after.rows.length], [3, before.rows.length]);
    assertEquals((await device.ask("head", { route: "head" })).head, push.head.signed);
  });

  await t.step("a push is refused that does not fit what the edge holds (PUSH-05)", async () => {
    const wrongBase = await home.manager.delta([]);
    const begin = { ...wrongBase.body, base: 1 };
    assertEquals(await manager.refused({ method: "POST", route: "push", body: begin }), "conflict");
    const counted = await home.manager.delta([entry(6)], [], {
      tables: { ...(await home.manager.delta([])).head.head.tables },
    });
    assertEquals(await tryPush(manager, counted), "conflict");
    const chained = await home.manager.delta([entry(6)], [], { previous: nobody(32) });
    assertEquals(await tryPush(manager, chained), "conflict");
    const { owner } = home;
    const forged = await owner.head(
      { ...chained.head.head, previous: home.manager.head?.hash ?? null },
      home.device().signing,
    );
    const byDevice = { ...chained, commit: { ...chained.commit, heads: [forged.signed], statements: [] } };
    assertEquals(await tryPush(manager, byDevice), "malformed");
    const { push } = await manager.ask("push", { route: "push" });
    await manager.ask("empty", { method: "DELETE", route: "pushOne", path: { id: push?.id ?? nobody() } });
    assertEquals((await manager.ask("push", { route: "push" })).push, null);
  });

  await t.step("owners see nothing of each other (STORE-02)", async () => {
    const neighbour = await Household.move(client);
    const theirs = await neighbour.asDevice();
    const { token } = home.box();
    const rows: Ask = { route: "rows", path: { table: "messages" }, query: { epoch: 1, token, from: 0 } };
    assertEquals((await theirs.ask("rows", rows)).rows, []);
    assertEquals((await theirs.ask("inbox", { route: "inbox" })).entries, []);
    assertEquals((await theirs.ask("head", { route: "head" })).head, neighbour.manager.head?.signed ?? null);
    assertEquals(await theirs.refused(submit((await submission(home)).signed)), "forbidden");
    await (await neighbour.asManager()).ask("empty", { method: "DELETE", route: "tables", body: { number: 1 } });
    assertEquals((await device.ask("rows", { ...rows, query: { ...home.box(), from: 0 } })).rows.length, 4);
    assertEquals(await theirs.refused({ route: "head" }), "unauthorized");
  });

  await t.step(
    "a new epoch opens to a device within its session, and the old one stays for a while (READ-02, READ-04)",
    async () => {
      const { epoch, token } = home.box();
      const old: Ask = { route: "rows", path: { table: "messages" }, query: { epoch, token, from: 0 } };
      const before = await device.ask("rows", old);
      await sendPush(manager, await home.manager.full());
      const between = await device.ask("rows", old);
      assertEquals([between.rows, between.epoch], [before.rows, 2]);
      const { record } = await device.ask("record", { route: "record" });
      assertEquals(home.manager.rows(1).some((row) => String(row) === String(record)), true);
      const fresh = await device.ask("rows", { ...old, query: { ...home.box(), from: 0 } });
      assertEquals([fresh.rows.length, fresh.epoch], [before.rows.length, 2]);
      const { clock } = client.target;
      if (clock === null) return;
      clock.advance(600_001);
      assertEquals(await device.refused(old), "epoch_gone");
    },
  );

  await t.step(
    "the statement in force is told to everybody, and to nobody for an unknown owner (STMT-02)",
    async () => {
      const told = async (owner: Uint8Array<ArrayBuffer>) =>
        bodyOf(await send(client.target, client.at("statement", { owner })), "statement").statement;
      assertEquals(await told(home.owner.id), home.owner.statement.signed);
      assertEquals(await told(client.cast.stranger.id), null);
      assertEquals(await told(nobody(32)), null);
    },
  );
}

async function tryPush(session: RawSession, push: Awaited<ReturnType<Household["manager"]["delta"]>>): Promise<string> {
  return await sendPush(session, push).then(() => "committed", (error: Error) => {
    const code = /"code":"(\w+)"/.exec(error.message)?.[1];
    if (code === undefined) throw error;
    return code;
  });
}
