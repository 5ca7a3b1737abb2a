/** Epochs on the manager's side: a fresh sym key, wrapped once for every device and for recovery. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { secretKey, type SymKey } from "../../shared/crypto/brand.ts";
import { sealHpke } from "../../shared/crypto/hpke.ts";
import { HPKE_SUITES, hpkePublicKeyOfSpki, type HpkeSuite, isHpkeSuite } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { deriveEpochKeys, type EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { RECOVERY_DEVICE, wrapInfo } from "../../shared/protocol/wrap.ts";
import { activeDevices } from "../devices/repository.ts";
import { currentStatement } from "../owner/statement.ts";
import { COUNTERS, next, readCounter } from "../store/counters.ts";
import { META, readBytes } from "../store/meta.ts";
import type { DevicesTable } from "../store/schema.ts";
import type { EpochsTable, WrapsTable } from "../store/schema_push.ts";
import { currentEpochRow, epochRow, insertEpoch, wrapsOf } from "./epoch_records.ts";

/** An epoch with its derived keys and the wraps of its sym key. */
export interface OpenEpoch {
  readonly row: EpochsTable;
  readonly keys: EpochKeys;
  /** By device id in hexadecimal. */
  readonly wraps: ReadonlyMap<string, WrapsTable>;
}

/** The epoch that the edge holds, or null before the first push. */
export async function currentEpoch(db: Database): Promise<OpenEpoch | null> {
  const { rows: [row] } = await db.execute(currentEpochRow);
  return row === undefined ? null : await open(db, row);
}

/** An epoch by its number. @throws `not_found` */
export async function readEpoch(db: Database, epoch: number): Promise<OpenEpoch> {
  const { rows: [row] } = await db.execute(epochRow.bind({ epoch }));
  if (row === undefined) throw new PosternError("not_found", `The manager does not know the epoch ${epoch}`);
  return await open(db, row);
}

/**
 * Starts the next epoch beside the current one: sym key, wraps for the active devices and the recovery key, all stored
 * before anything is sealed under it.
 *
 * @param atLeast an epoch number that the edge has seen; the new one is higher
 */
export async function startEpoch(db: Database, atLeast: number, now: number, random: RandomBytes): Promise<OpenEpoch> {
  // Read before the devices: one that comes meanwhile makes the epoch look outdated, never the other way round.
  const devicesVersion = await readCounter(db, COUNTERS.devicesVersion);
  const devices = await activeDevices(db);
  const { owner, incarnation, recoveryKey } = await currentStatement(db);
  const epoch = await next(db, COUNTERS.epoch, atLeast);
  const context = { owner, incarnation, epoch };
  const symKey = secretKey<"SymKey">(random(32));
  const wraps = await Promise.all(devices.map(async (device) => {
    const { suite, publicKey } = recipient(device);
    const sealed = await sealHpke(suite, publicKey, wrapInfo(context, device.id, suite), symKey);
    return { epoch, device: device.id, encapsulated: sealed.encapsulated, wrapped: sealed.ciphertext };
  }));
  const recovery = await sealHpke("xwing", recoveryKey, wrapInfo(context, RECOVERY_DEVICE, "xwing"), symKey);
  const row: EpochsTable = {
    ...{
      epoch,
      incarnation,
      sym_key: symKey,
      state: "building",
      created: now,
      sealed: 0,
      is_verified: 0,
      has_nodes: 0,
    },
    ...{ devices_version: devicesVersion, classical: devices.filter((d) => !recipient(d).quantumSafe).length },
    ...{ recovery_encapsulated: recovery.encapsulated, recovery_ciphertext: recovery.ciphertext },
  };
  await db.batch(insertEpoch(row, wraps));
  return await open(db, row);
}

/** Whether the list of active devices is still the one that the epoch is wrapped for. */
export async function isWrappedForAll(db: Database, { row }: OpenEpoch): Promise<boolean> {
  return row.devices_version === await readCounter(db, COUNTERS.devicesVersion);
}

async function open(db: Database, row: EpochsTable): Promise<OpenEpoch> {
  const context = { owner: await readBytes(db, META.owner), incarnation: row.incarnation, epoch: row.epoch };
  const keys = await deriveEpochKeys(row.sym_key as SymKey, context, null);
  const { rows } = await db.execute(wrapsOf.bind({ epoch: row.epoch }));
  return { row, keys, wraps: new Map(rows.map((wrap) => [toHex(wrap.device), wrap])) };
}

/** To which key a device's copy is wrapped (spec: WRAP-05, PAIR-05). */
function recipient(device: DevicesTable): { suite: HpkeSuite; publicKey: Bytes; quantumSafe: boolean } {
  const { suite } = device;
  if (!isHpkeSuite(suite)) {
    throw new PosternError("storage", `The device '${device.name}' has the unknown suite '${suite}'`);
  }
  const publicKey = device.kem_public_key ?? hpkePublicKeyOfSpki(device.public_key).publicKey;
  return { suite, publicKey, quantumSafe: HPKE_SUITES[suite].quantumSafe };
}
