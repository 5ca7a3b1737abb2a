/** Promise: a removed, added, swapped, stale or withheld row is always detected. As far as whole tables go. */
import { BLOCKS } from "../../edge/store/schema.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../shared/protocol/tables.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { addRow, type HeldRow, heldRows, hideRow, replaceBody, run, showRow } from "./edge_database.ts";
import { certificate, CHANNEL, mail, pushedWorld, type Setting, SUBJECTS } from "./setting.ts";

/** Tables that hold something in the setting. */
const FILLED: readonly TableName[] = TABLE_NAMES.filter((name) => name !== "changes");

async function rowsOf({ world }: Setting, name: TableName): Promise<HeldRow[]> {
  const rows = await heldRows(world.edge, TABLES[name]);
  assert(rows.length >= 2);
  return rows;
}

for (const name of FILLED) {
  Deno.test(`tables.verify() throws withheld when any single row of ${name} is removed (TREE-04)`, async () => {
    await using setting = await pushedWorld();
    const { device, world } = setting;
    await device.client.login();
    for (const row of await rowsOf(setting, name)) {
      await hideRow(world.edge, row);
      await assertRejects(() => device.client.tables.verify(name), "withheld");
      await showRow(world.edge, row);
    }
    assertEquals((await device.client.tables.verify(name)).rows, (await rowsOf(setting, name)).length);
  });

  Deno.test(`tables.verify() throws tampered when two rows of ${name} are swapped (ROW-07)`, async () => {
    await using setting = await pushedWorld();
    const { device, world } = setting;
    const [first, second] = await rowsOf(setting, name);
    assert(first !== undefined && second !== undefined);
    await replaceBody(world.edge, first, second.body);
    await replaceBody(world.edge, second, first.body);
    await assertRejects(() => device.client.tables.verify(name), "tampered");
  });

  Deno.test(`tables.verify() throws tampered when a row of ${name} stands there twice (TREE-04)`, async () => {
    await using setting = await pushedWorld();
    const { device, world } = setting;
    const [first] = await rowsOf(setting, name);
    assert(first !== undefined);
    await addRow(world.edge, { ...first, number: first.number + 1_000_000 });
    await assertRejects(() => device.client.tables.verify(name), "tampered");
  });
}

Deno.test("tables.verify() throws tampered when a row of another table is added (ROW-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const [message] = await rowsOf(setting, "messages");
  assert(message !== undefined);
  await addRow(world.edge, { ...message, table: TABLES.certificates });
  await assertRejects(() => device.client.tables.verify("certificates"), "tampered");
});

Deno.test("tables.verify() throws tampered when a row that was removed in the epoch is shown again (TREE-04)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const before = await heldRows(world.edge, TABLES.certificates);
  const subject = "CN=Late";
  await world.manager.trust(await certificate(subject));
  await world.manager.sync();
  const added = (await heldRows(world.edge, TABLES.certificates)).filter(({ id }) =>
    before.every((row) => row.id !== id)
  );
  assertEquals(added.length, 2);
  const { found: [entry] } = await device.client.certificates.bySubject(subject);
  assert(entry !== undefined);
  await world.manager.forget(entry.fingerprint);
  const { pushed } = await world.manager.sync();
  assert(!pushed.isFull);
  await device.client.head();
  assertEquals((await device.client.tables.verify("certificates")).rows, before.length);
  for (const row of added) await showRow(world.edge, row);
  await assertRejects(() => device.client.tables.verify("certificates"), "tampered");
});

Deno.test("tables.verify() throws tampered when a row is shown as it was in an earlier generation (TREE-04)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const before = await heldRows(world.edge, TABLES.certificates);
  const { found: [entry] } = await device.client.certificates.bySubject(SUBJECTS[0] ?? "");
  assert(entry !== undefined);
  await world.manager.block(entry.fingerprint);
  const { pushed } = await world.manager.sync();
  assert(!pushed.isFull);
  const { found: [now] } = await device.client.certificates.bySubject(SUBJECTS[0] ?? "");
  assertEquals(now?.status, "blocked");
  const after = await heldRows(world.edge, TABLES.certificates);
  const replaced = after.filter(({ id }) => before.every((row) => row.id !== id));
  assertEquals(replaced.length, 2);
  for (const row of replaced) {
    const old = before.find(({ token, number }) => number === row.number && String(token) === String(row.token));
    assert(old !== undefined);
    await replaceBody(world.edge, row, old.body);
  }
  await assertRejects(() => device.client.tables.verify("certificates"), "tampered");
  await assertRejects(() => device.client.verifyAll(), "tampered");
});

Deno.test("tables.verify() throws tampered when a row of the epoch before is shown (ROW-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const before = await heldRows(world.edge, TABLES.certificates);
  await world.manager.sync({ rotate: true });
  assertEquals((await device.client.login()).epoch, 2);
  const [row] = await heldRows(world.edge, TABLES.certificates);
  assert(row !== undefined);
  for (const { body, token, number } of before) {
    await replaceBody(world.edge, row, body);
    await assertRejects(() => device.client.tables.verify("certificates"), "tampered");
    await run(world.edge, "UPDATE rows SET token = ?, number = ? WHERE id = ?", token, number, row.id);
    await assertRejects(() => device.client.tables.verify("certificates"), "tampered");
  }
});

const LAST = `SELECT max(id) FROM rows WHERE tbl < ${BLOCKS}`;
const OF_CERTIFICATES = "tbl = 2 AND space = (SELECT max(space) FROM rows) ORDER BY token";

/** What an edge may do to the rows of a full push before it is committed. */
const DAMAGES = [
  ["withheld", "loses a row", `DELETE FROM rows WHERE id = (${LAST})`],
  [
    "tampered",
    "changes a row",
    `UPDATE rows SET body = CAST(substr(body, 1, length(body) - 8) || zeroblob(8) AS BLOB) WHERE id = (${LAST})`,
  ],
  [
    "tampered",
    "puts a row in the place of another",
    `UPDATE rows SET body = (SELECT body FROM rows WHERE ${OF_CERTIFICATES} DESC LIMIT 1)
      WHERE id = (SELECT id FROM rows WHERE ${OF_CERTIFICATES} LIMIT 1)`,
  ],
] as const;

for (const [code, what, sql] of DAMAGES) {
  Deno.test(`Manager.sync() throws ${code} when the edge ${what} of a rotation, before any device sees anything of it (PUSH-10, PUSH-21)`, async () => {
    await using setting = await pushedWorld();
    const { world, device } = setting;
    await device.client.login();
    // After the rows come the nodes of their trees.
    await run(world.edge, `CREATE TRIGGER damage AFTER INSERT ON push_nodes WHEN NEW.n = 0 BEGIN ${sql}; END`);
    const { exchanges } = world.manager.traffic;
    await assertRejects(() => world.manager.sync({ rotate: true }), code);
    assertEquals(exchanges.filter(({ request }) => request.url.endsWith("/commit")).length, 1, "the first push alone");
    const { generation, epoch } = await device.client.head();
    assertEquals([generation, epoch], [1, 1]);
    assertEquals((await device.client.verifyAll()).asOf.generation, 1);
    await run(world.edge, "DROP TRIGGER damage");
    const { pushed } = await world.manager.sync({ rotate: true });
    assertEquals([pushed.generation, pushed.isFull], [2, true]);
    assertEquals((await device.client.head()).epoch, pushed.epoch);
    assertEquals((await device.client.verifyAll()).asOf.generation, 2);
  });
}

Deno.test("messages.read() gives no bytes when any part of a message is missing (ROW-09)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { messages } = await device.client.messages.list(CHANNEL);
  const large = messages.find(({ parts }) => parts > 0);
  assert(large !== undefined);
  const parts = (await heldRows(world.edge, TABLES.messages)).filter(({ body }) => body.length > 100_000);
  assertEquals(parts.length, large.parts);
  for (const part of parts) {
    await hideRow(world.edge, part);
    await assertRejects(() => device.client.messages.read(large), "withheld");
    await showRow(world.edge, part);
  }
  assertEquals((await device.client.messages.read(large)).length, large.size);
});

Deno.test("messages.list() throws tampered when messages of a channel are shown in another order (READ-01)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await world.manager.receive("second", mail("alone"));
  await world.manager.sync();
  const rows = (await heldRows(world.edge, TABLES.messages)).filter(({ body }) => body.length < 100_000);
  const inChannel = Map.groupBy(rows, ({ token }) => String(token)).values().find((group) => group.length === 4);
  assert(inChannel !== undefined);
  const [first, ...others] = inChannel.toSorted((a, b) => a.number - b.number);
  assert(first !== undefined);
  await run(world.edge, "UPDATE rows SET number = 100 WHERE id = ?", first.id);
  await assertRejects(() => device.client.messages.list(CHANNEL), "tampered");
  await assertRejects(() => device.client.messages.list(CHANNEL, { after: 0 }), "tampered");
  assertEquals(others.length, 3);
});
