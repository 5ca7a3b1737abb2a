/** Files that somebody else makes: well sealed to the recovery key, which is public, and signed by nobody. */
import { join } from "node:path";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { exportSpki, generateSigningKey, sign } from "../../../shared/crypto/signature.ts";
import { signStatement } from "../../../shared/protocol/statement.ts";
import { ChunkSealer, openChunks } from "../../../manager/backup/chunks.ts";
import { openBackupFile } from "../../../manager/backup/file.ts";
import { chunkKey, encodeHeader, fileBeginning, readHeader } from "../../../manager/backup/header.ts";
import { endToSign } from "../../../manager/backup/read.ts";
import { openBackupKey, wrapFileKey } from "../../../manager/backup/recipients.ts";
import { type BackupRecord, readRecords, RecordWriter } from "../../../manager/backup/records.ts";
import { managerKey } from "../../../manager/owner/keys.ts";
import { currentStatement } from "../../../manager/owner/statement.ts";
import { assert, assertRejects } from "../../assert.ts";
import type { TestManager } from "../../fixtures/manager.ts";
import { World } from "../../fixtures/world.ts";
import { backUp, fileOf, readThrough, recoveryOf, restore } from "./backups.ts";

type Signer = (message: Bytes) => Promise<Bytes>;

/** The signature of a manager's, and so what only a manager can make. */
async function managers({ db }: TestManager): Promise<Signer> {
  return (await managerKey(db, (await currentStatement(db)).managerKey)).sign;
}

async function recordsOf(manager: TestManager, path: string): Promise<BackupRecord[]> {
  using file = await openBackupFile(path);
  const header = await readHeader(file.read);
  const key = await openBackupKey(header, recoveryOf(manager), webCryptoRandom);
  const records = [];
  for await (const { record } of readRecords(openChunks(key, file.read))) records.push(record);
  return records;
}

/** Seals records as anybody can who knows the owner statement. `tail` comes behind the end, before the filler. */
async function seal(
  manager: TestManager,
  records: readonly BackupRecord[],
  signer: Signer | null,
  tail: Bytes = new Uint8Array(0),
): Promise<string> {
  const { owner, recoveryKey } = await currentStatement(manager.db);
  const named = { owner, id: webCryptoRandom(16) };
  const fileKey = new Redacted(webCryptoRandom(32));
  const recipients = await wrapFileKey(named, fileKey, { recoveryKey, passphrase: null }, webCryptoRandom);
  const header = encodeHeader({ ...named, recipients });
  const { key, check } = await chunkKey(header, fileKey);
  const writer = new RecordWriter();
  const stream: Bytes[] = [];
  for (const record of records) {
    const signature = record.kind === "end" && signer !== null ? await signer(endToSign(named, writer.digest())) : null;
    stream.push(writer.frame(signature === null ? record : { kind: "end", signature }));
  }
  const sealer = new ChunkSealer(key);
  const sealed = await sealer.add(concat(...stream, tail, new Uint8Array(Math.max(0, writer.filler() - tail.length))));
  return await fileOf(`${manager.folder}/..`, concat(fileBeginning(header, check), sealed, await sealer.finish()));
}

async function setting(): Promise<{ world: World; manager: TestManager; records: BackupRecord[]; file: string }> {
  const world = await World.create();
  await world.pair("phone");
  await world.manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file);
  return { world, manager: world.manager, records: await recordsOf(world.manager, file), file };
}

Deno.test("readBackup() takes what the manager signed, and nothing that anybody else did (BACKUP-06)", async () => {
  const { world, manager, records } = await setting();
  await using _ = world;
  const genuine = await managers(manager);
  await readThrough(await seal(manager, records, genuine), recoveryOf(manager));
  const { privateKey } = await generateSigningKey("Ed25519", true);
  for (const signer of [null, (message: Bytes) => sign(privateKey, message)]) {
    const forged = await seal(manager, records, signer);
    await assertRejects(() => readThrough(forged, recoveryOf(manager)), "tampered");
    await assertRejects(() => restore(world, forged), "tampered");
  }
  // With a statement of the forger's own, that names the forger's key: the root has not signed it.
  const { publicKey, privateKey: mine } = await generateSigningKey("Ed25519", true);
  const { root, bytes: _b, signed: _s, hash: _h, ...statement } = await currentStatement(manager.db);
  const own = { ...statement, number: 9, managerKey: await exportSpki(publicKey) };
  const signed = await signStatement(root, own, (bytes) => sign(mine, bytes));
  const changed = withRows(
    records,
    "statements",
    (row) => row.map((value) => value instanceof Uint8Array ? signed : value),
  );
  const forged = await seal(manager, changed, (message) => sign(mine, message));
  await assertRejects(() => readThrough(forged, recoveryOf(manager)), "tampered");
});

Deno.test("readBackup() throws tampered when a row is changed, and the signature is of before (BACKUP-06)", async () => {
  const { world, manager, records } = await setting();
  await using _ = world;
  const changed = withRows(records, "devices", (row) => row.map((value) => value === "phone" ? "thief" : value));
  await assertRejects(async () => readThrough(await seal(manager, changed, null), recoveryOf(manager)), "tampered");
});

Deno.test("readBackup() throws tampered for records that do not make a backup, signed or not (BACKUP-05)", async () => {
  const { world, manager, records } = await setting();
  await using _ = world;
  const genuine = await managers(manager);
  const [begin, ...others] = records;
  const end = others.at(-1);
  assert(begin?.kind === "begin" && end?.kind === "end");
  const rows = others.slice(0, -1);
  const first = rows[0];
  assert(first?.kind === "rows");
  const longer = { ...first, rows: [...first.rows, ...first.rows] };
  const wider = { ...first, rows: first.rows.map((row) => [...row, 1]) };
  const bad: Record<string, readonly BackupRecord[]> = {
    "no beginning": [...rows, end],
    "a second beginning": [begin, begin, ...rows, end],
    "no end": [begin, ...rows],
    "too few rows": [begin, ...rows.slice(0, -1), end],
    "too many rows": [begin, longer, ...rows, end],
    "other columns": [begin, wider, ...rows.slice(1), end],
    "tables out of order": [begin, ...rows.toReversed(), end],
    "a table that is not announced": [begin, ...rows, { kind: "rows", table: 99, rows: [] }, end],
  };
  for (const [name, forged] of Object.entries(bad)) {
    const path = await seal(manager, forged, genuine);
    await assertRejects(() => readThrough(path, recoveryOf(manager)), "tampered").catch((error) => {
      throw new Error(name, { cause: error });
    });
  }
  const behind = await seal(manager, records, genuine, new Uint8Array([0, 0, 7]));
  await assertRejects(() => readThrough(behind, recoveryOf(manager)), "tampered");
});

Deno.test("restoreManager() puts no name out of a file into SQL, and knows no newer schema (BACKUP-05)", async () => {
  const { world, manager, records } = await setting();
  await using _ = world;
  const genuine = await managers(manager);
  const [begin, ...others] = records;
  assert(begin?.kind === "begin");
  const evil = begin.tables.map((table) =>
    table.name === "alarms" ? { ...table, name: `alarms" (id) SELECT 1; --` } : table
  );
  await assertRejects(
    async () => await restore(world, await seal(manager, [{ ...begin, tables: evil }, ...others], genuine)),
    "tampered",
  );
  const newer = { ...begin, schema: begin.schema + 1 };
  await assertRejects(
    async () => await restore(world, await seal(manager, [newer, ...others], genuine)),
    "unsupported",
  );
});

function withRows(
  records: readonly BackupRecord[],
  table: string,
  change: (row: readonly (null | number | string | Bytes)[]) => (null | number | string | Bytes)[],
): BackupRecord[] {
  const [begin] = records;
  assert(begin?.kind === "begin");
  const index = begin.tables.findIndex(({ name }) => name === table);
  return records.map((one) =>
    one.kind === "rows" && one.table === index ? { ...one, rows: one.rows.map(change) } : one
  );
}
