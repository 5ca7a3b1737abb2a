/** Backups of a test's managers: made, opened and attacked. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { backupManager } from "../../../manager/backup/backup_manager.ts";
import type { CreatedBackup } from "../../../manager/backup/create.ts";
import { openBackupFile } from "../../../manager/backup/file.ts";
import { readHeader } from "../../../manager/backup/header.ts";
import { type BackupContents, readBackup } from "../../../manager/backup/read.ts";
import { type BackupSecret, openBackupKey } from "../../../manager/backup/recipients.ts";
import type { Candidate } from "../../../manager/backup/judge.ts";
import { type Restored, restoreManager } from "../../../manager/backup/restore.ts";
import { createKeyFile, openKeyFile } from "../../../manager/keys/key_file.ts";
import { World } from "../../fixtures/world.ts";
import { surroundingsOf } from "../../fixtures/clock.ts";
import { kekOf, keyFileOf, type TestManager } from "../../fixtures/manager.ts";

/** Argon2id as cheap as it is read, so that a test can open a file hundreds of times. */
export const CHEAP = { memoryKib: 8_192, passes: 1, lanes: 1 };

export const PASSPHRASE = new Redacted("correct horse battery staple");

/** What a backup of this manager is opened with. */
export function recoveryOf({ recoverySeed }: TestManager): BackupSecret {
  return { kind: "recovery", seed: new Redacted(recoverySeed) };
}

export interface Making {
  readonly passphrase?: Redacted<string>;
  readonly isForRecovery?: boolean;
  readonly overwrite?: boolean;
}

/** Backs a manager up, as the command does. */
export async function backUp(manager: TestManager, file: string, making: Making = {}): Promise<CreatedBackup> {
  const { passphrase = null, isForRecovery = true, overwrite = false } = making;
  const network = surroundingsOf({ clock: manager.clock, fetch: manager.traffic.fetch });
  return await backupManager({
    ...{ folder: manager.folder, kek: () => Promise.resolve(kekOf(manager.folder)), file, overwrite },
    recipients: { passphrase, cost: CHEAP, isForRecovery },
    ...{ pid: Deno.pid, network, lockWaitMillis: 5_000 },
  }, webCryptoRandom);
}

export interface Restoring {
  readonly secret?: BackupSecret;
  /** Whether the edge is asked; it is, if absent. */
  readonly isOnline?: boolean;
  /** Whether the recovery key is at hand; it is, if absent. */
  readonly hasRecoveryKey?: boolean;
  /** Whom the owner confirms; everybody who may go on, if absent. */
  readonly confirm?: (candidates: readonly Candidate[]) => readonly Candidate[] | Promise<readonly Candidate[]>;
  /** What devices show of their heads, as text or code. */
  readonly heads?: readonly string[];
  readonly isLossAccepted?: boolean;
  /** Another folder than a new one. */
  readonly folder?: string;
}

/** Restores a manager into a new folder beside its own, as the command does, and opens it. */
export async function restore(
  world: World,
  file: string,
  restoring: Restoring = {},
): Promise<{ manager: TestManager; restored: Restored }> {
  const { manager } = world;
  const { secret = recoveryOf(manager), isOnline = true, hasRecoveryKey = true } = restoring;
  const confirm = restoring.confirm ?? ((all) => all.filter(({ atEdge }) => atEdge !== "gone"));
  const folder = restoring.folder ?? `${manager.folder}-restored-${crypto.randomUUID()}`;
  const keyFile = keyFileOf(folder);
  if (!await isThere(keyFile)) await createKeyFile(keyFile, webCryptoRandom);
  const restored = await restoreManager(
    {
      ...{ folder, kek: () => openKeyFile(keyFile, Deno.uid(), webCryptoRandom), kekPlace: { keyFile } },
      ...{ holder: { pid: Deno.pid, sinceMillis: manager.clock.now() }, file, secret: () => Promise.resolve(secret) },
      recoverySeed: hasRecoveryKey ? new Redacted(manager.recoverySeed) : null,
      root: null,
      network: isOnline ? surroundingsOf({ clock: manager.clock, fetch: manager.traffic.fetch }) : null,
      heads: (restoring.heads ?? []).map(parseOtherHead),
      isLossAccepted: restoring.isLossAccepted ?? false,
      confirm: async ({ candidates }) => await confirm(candidates),
    },
    manager.clock.now(),
    webCryptoRandom,
  );
  const again = await manager.reopened(folder);
  world.managers.push(again);
  return { manager: again, restored };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Reads a backup through. */
export async function readThrough(path: string, secret: BackupSecret): Promise<BackupContents> {
  using file = await openBackupFile(path);
  const header = await readHeader(file.read);
  return await readBackup(header, await openBackupKey(header, secret, webCryptoRandom), file.read);
}

/** Writes bytes into a file of a folder, and gives its path. */
export async function fileOf(folder: string, bytes: Bytes, name = "changed.backup"): Promise<string> {
  const path = join(folder, name);
  await Deno.writeFile(path, bytes);
  return path;
}

/** A message, as large as wanted. */
export const mail = (subject: string, size = 0): Bytes =>
  utf8(`From: a@example\r\nSubject: ${subject}\r\n\r\n${"x".repeat(size)}`);

/** A manager with a device and forty messages, pushed. */
export async function filledWorld(): Promise<World> {
  const world = await World.create();
  await world.pair("phone");
  for (let i = 0; i < 40; i++) await world.manager.receive("mail", mail(`no ${i}`, i * 4_000));
  await world.manager.sync();
  return world;
}
