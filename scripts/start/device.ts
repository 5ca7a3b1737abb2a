/** The device of `deno task start`: paired through the real texts, its keys, memory and local copy in DIR/device. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import {
  acceptGrant,
  createDeviceKeys,
  createMemory,
  type DeviceMemory,
  exportDevice,
  importDevice,
  pairingRequest,
  PosternDevice,
} from "../../shared/client/mod.ts";
import type { Database } from "../../shared/database/database.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { pairingText, parsePairingText } from "../../shared/protocol/pairing.ts";
import { openDeviceDatabase } from "../../shared/stores/device_database.ts";
import { pairDevice } from "../../manager/devices/pair.ts";
import { activateDevice } from "../../manager/devices/repository.ts";
import { makePrivateFolder, writeFileDurably } from "../../manager/files/durable.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";

/** The device, and the check code that both sides showed if it was paired now. */
export interface OpenDevice extends AsyncDisposable {
  readonly device: PosternDevice;
  readonly name: string;
  readonly checkCode: string | null;
}

/** Opens the device in a folder, which is paired with the manager if it is not there yet. */
export async function openDevice(folder: string, manager: Database): Promise<OpenDevice> {
  await makePrivateFolder(folder);
  const file = join(folder, "device.db");
  const path = join(folder, "device.txt");
  const text = await readIfThere(path);
  // A start that was cut off leaves memory without a device: the pairing begins anew, under another device id.
  if (text === null) await removeDatabase(file);
  const own = await openDatabase(`file:${file}`);
  try {
    const places = await openDeviceDatabase(own);
    const { checkCode, ...parts } = text === null
      ? await pair(path, places.memory, manager)
      : { ...await importDevice(new Redacted(new TextDecoder().decode(text))), checkCode: null };
    const device = new PosternDevice({ ...parts, ...places });
    return { device, name: nameOfDevice(), checkCode, [Symbol.asyncDispose]: () => own.close() };
  } catch (error) {
    await own.close();
    throw error;
  }
}

function nameOfDevice(): string {
  return `device on ${Deno.hostname()}`.slice(0, LIMITS.maxDeviceNameChars);
}

/** Pairs, and writes the device down once its memory is. @param path of what is written */
async function pair(path: string, memory: DeviceMemory, manager: Database) {
  const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);
  const request = await pairingRequest(
    keys,
    `${nameOfDevice()} ${Date.now().toString(36)}`.slice(0, LIMITS.maxDeviceNameChars),
    webCryptoRandom,
  );
  const options = { allowClassical: false };
  const pending = await pairDevice(manager, parsePairingText(request), options, Date.now(), webCryptoRandom);
  const accepted = await acceptGrant(keys, request, pairingText(pending.grant));
  if (accepted.checkCode !== pending.checkCode) {
    throw new PosternError("tampered", "Device and manager show different check codes: somebody stands between them");
  }
  await createMemory(memory, accepted.state);
  await writeFileDurably(path, utf8(reveal(exportDevice(accepted.profile, keys))));
  await activateDevice(manager, pending.device);
  return { profile: accepted.profile, keys, checkCode: accepted.checkCode };
}

async function removeDatabase(file: string): Promise<void> {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw fromOsError(error, `remove ${path}`);
    });
  }
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return await readBounded(path, LIMITS.maxBodyBytes);
  } catch (error) {
    if (isPosternError(error, "not_found")) return null;
    throw error;
  }
}
