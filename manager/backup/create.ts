/** Makes a backup: one state of the database in one encrypted file, read back before it has its name (shared/spec/backup.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { managerKey } from "../owner/keys.ts";
import { currentStatement } from "../owner/statement.ts";
import { ChunkSealer } from "./chunks.ts";
import { openBackupFile, writeChecked } from "./file.ts";
import { type BackupHeader, chunkKey, encodeHeader, fileBeginning, readHeader } from "./header.ts";
import { type BackupContents, endToSign, readBackup } from "./read.ts";
import { type BackupRecipients, openBackupKey, wrapFileKey } from "./recipients.ts";
import { RecordWriter } from "./records.ts";
import { backupTables, readTable, schemaVersion } from "./tables.ts";
import { growingBackup } from "./writers.ts";

export interface BackupOptions {
  /** Absolute. */
  readonly file: string;
  readonly overwrite: boolean;
  readonly recipients: Pick<BackupRecipients, "passphrase" | "cost"> & { readonly isForRecovery: boolean };
  /** Rows written, of how many; and bytes read back, of how many. */
  readonly onProgress?: (step: "write" | "read back", done: number, total: number) => void;
}

export interface CreatedBackup extends BackupContents {
  /** Bytes of the file. */
  readonly size: number;
}

const FILE_KEY_BYTES = 32;
/** Zeros are sealed so many at a time. */
const FILLER_BYTES = 65_536;

/**
 * Writes a backup of a database that nobody else writes to, such as a snapshot.
 *
 * @param now Millis
 * @throws `conflict` when the file is there; `storage`, `usage`
 */
export async function createBackup(
  db: Database,
  options: BackupOptions,
  now: number,
  random: RandomBytes,
): Promise<CreatedBackup> {
  const { file, recipients, onProgress } = options;
  const { owner, recoveryKey } = await currentStatement(db);
  const named = { owner, id: random(16) };
  const fileKey = new Redacted(random(FILE_KEY_BYTES));
  const wrapped = await wrapFileKey(
    named,
    fileKey,
    { ...recipients, recoveryKey: recipients.isForRecovery ? recoveryKey : null },
    random,
  );
  const header = encodeHeader({ ...named, recipients: wrapped });
  const { key, check } = await chunkKey(header, fileKey);
  let created: CreatedBackup | undefined;
  await writeChecked(file, growingBackup(file, owner), options.overwrite, async (put) => {
    await put(fileBeginning(header, check));
    const sealer = new ChunkSealer(key);
    await writeStream(db, named, now, async (bytes) => await put(await sealer.add(bytes)), onProgress);
    await put(await sealer.finish());
  }, async (temporary) => {
    created = await readWritten(temporary, key, options, random);
  });
  if (created === undefined) throw new PosternError("storage", "The backup was not read back");
  return created;
}

/** Everything inside: the rows, the signature, the filler. */
async function writeStream(
  db: Database,
  header: Pick<BackupHeader, "owner" | "id">,
  now: number,
  put: (bytes: Bytes) => Promise<void>,
  onProgress: BackupOptions["onProgress"],
): Promise<void> {
  const writer = new RecordWriter();
  const tables = await backupTables(db);
  const total = tables.reduce((sum, { count }) => sum + count, 0);
  let done = 0;
  await put(writer.frame({ kind: "begin", time: now, schema: await schemaVersion(db), tables }));
  for (const [index, table] of tables.entries()) {
    for await (const rows of readTable(db, table)) {
      await put(writer.frame({ kind: "rows", table: index, rows }));
      onProgress?.("write", done += rows.length, total);
    }
  }
  const { managerKey: publicKey } = await currentStatement(db);
  const { sign } = await managerKey(db, publicKey);
  await put(writer.frame({ kind: "end", signature: await sign(endToSign(header, writer.digest())) }));
  for (let left = writer.filler(); left > 0; left -= FILLER_BYTES) {
    await put(new Uint8Array(Math.min(left, FILLER_BYTES)));
  }
}

/** As a reader would, from the file: by the passphrase, if it has one. Only the recovery key is not here to try. */
// spec: BACKUP-07
async function readWritten(
  path: string,
  fileKey: CryptoKey,
  { recipients: { passphrase }, onProgress }: BackupOptions,
  random: RandomBytes,
): Promise<CreatedBackup> {
  using file = await openBackupFile(path);
  const header = await readHeader(file.read);
  const key = passphrase === null ? fileKey : await openBackupKey(header, { kind: "passphrase", passphrase }, random);
  const contents = await readBackup(header, key, async (most) => {
    onProgress?.("read back", file.at, file.size);
    return await file.read(most);
  });
  return { ...contents, size: file.size };
}
