import { join } from "node:path";
import { concat, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { BACKUP_TABLES } from "../../../manager/backup/tables.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { backUp, fileOf, filledWorld, mail, PASSPHRASE, readThrough, recoveryOf } from "./backups.ts";

Deno.test("backupManager() writes one private file that the recovery key or the passphrase opens (BACKUP-07)", async () => {
  await using world = await filledWorld();
  const { manager, folder } = world;
  const file = join(folder, "one.backup");
  const created = await backUp(manager, file, { passphrase: PASSPHRASE });
  const { mode } = await Deno.stat(file);
  assert(mode === null || (mode & 0o777) === 0o600);
  assertEquals(created.size, (await Deno.stat(file)).size);
  for (const secret of [recoveryOf(manager), { kind: "passphrase", passphrase: PASSPHRASE }] as const) {
    const found = await readThrough(file, secret);
    assert(equalBytes(found.owner, manager.owner));
    assertEquals([found.head?.generation, found.devices.map(({ name }) => name), found.hasRoot], [1, ["phone"], true]);
    assertEquals(found.tables.find(({ name }) => name === "messages")?.count, 40);
  }
  // Neither a half file nor a copy of the database is left anywhere.
  const left = [...Deno.readDirSync(folder), ...Deno.readDirSync(manager.folder)].map(({ name }) => name);
  assertEquals(left.filter((name) => name.endsWith(".tmp") || name.includes(".tmp-")), []);
  // What is inside shows nowhere.
  const bytes = new TextDecoder("latin1").decode(await Deno.readFile(file));
  for (const secret of ["Subject", "phone", "SQLite format"]) assert(!bytes.includes(secret));
});

Deno.test("backupManager() throws conflict for a file that is there, and replaces it when asked (BACKUP-07)", async () => {
  await using world = await filledWorld();
  const file = await fileOf(world.folder, utf8("a photo"));
  await assertRejects(() => backUp(world.manager, file), "conflict");
  assertEquals(await Deno.readTextFile(file), "a photo");
  await backUp(world.manager, file, { overwrite: true });
  await readThrough(file, recoveryOf(world.manager));
});

Deno.test("backupManager() throws usage for a backup that nobody could open", async () => {
  await using world = await filledWorld();
  const file = join(world.folder, "none.backup");
  await assertRejects(() => backUp(world.manager, file, { isForRecovery: false }), "usage");
  await assertRejects(
    () => Deno.stat(file).catch(() => backUp(world.manager, join(file, "in", "a", "file"))),
    "not_found",
  );
});

Deno.test("openBackupKey() throws wrong_key for another passphrase or recovery key (BACKUP-01)", async () => {
  await using world = await filledWorld();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file, { passphrase: PASSPHRASE });
  const wrong = { kind: "passphrase", passphrase: new Redacted("correct horse battery stapler") } as const;
  await assertRejects(() => readThrough(file, wrong), "wrong_key");
  const other = { kind: "recovery", seed: new Redacted(webCryptoRandom(32)) } as const;
  await assertRejects(() => readThrough(file, other), "wrong_key");
  const alone = join(world.folder, "alone.backup");
  await backUp(world.manager, alone);
  await assertRejects(() => readThrough(alone, { kind: "passphrase", passphrase: PASSPHRASE }), "wrong_key");
});

Deno.test("readBackup() throws tampered for a file cut off at any border of chunks, or continued (BACKUP-03)", async () => {
  await using world = await filledWorld();
  const file = join(world.folder, "one.backup");
  const { size } = await backUp(world.manager, file);
  const whole = new Uint8Array(await Deno.readFile(file));
  const sealed = LIMITS.backupChunkBytes + 16;
  const beginning = size % sealed === 0 ? sealed : size - Math.floor(size / sealed) * sealed;
  const recovery = recoveryOf(world.manager);
  const cuts = [];
  for (let at = size - sealed; at > 0; at -= sealed) cuts.push(at);
  for (const cut of [...cuts, size - 1, beginning, 5_000, 800]) {
    const path = await fileOf(world.folder, whole.slice(0, cut));
    await assertRejects(() => readThrough(path, recovery), cut === 800 ? "malformed" : "tampered");
  }
  const longer = await fileOf(world.folder, concat(whole, new Uint8Array(1)));
  await assertRejects(() => readThrough(longer, recovery), "tampered");
  const twice = await fileOf(world.folder, concat(whole, whole.slice(-sealed)));
  await assertRejects(() => readThrough(twice, recovery), "tampered");
});

Deno.test("BACKUP_TABLES names every table of the manager's database, and no other (BACKUP-04)", async () => {
  await using world = await World.create();
  const { rows } = await world.manager.db.execute<{ name: string }>({
    sql:
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'",
    params: [],
  });
  const there = rows.map(({ name }) => name).filter((name) => name !== "postern_migrations");
  assertEquals(there.sort(), Object.keys(BACKUP_TABLES).sort());
});

Deno.test("backupManager() takes one state while others write (BACKUP-04)", async () => {
  await using world = await filledWorld();
  const { manager, folder } = world;
  const file = join(folder, "one.backup");
  const writing = (async () => {
    for (let i = 0; i < 30; i++) await manager.receive("more", mail(`more ${i}`));
  })();
  const [created] = await Promise.all([backUp(manager, file), writing]);
  const counted = (name: string) => created.tables.find((table) => table.name === name)?.count ?? 0;
  // A message and its entries are one step: whatever was caught, they belong together. Its channel comes first, in a step of its own.
  const { messages, channels } = { messages: counted("messages"), channels: counted("channels") };
  assert(messages >= 40 && messages <= 70, `${messages} messages`);
  assert(channels === 2 || (messages === 40 && channels === 1), `${messages} messages in ${channels} channels`);
});
