/** The device of `deno task start`: paired through the real texts, its keys and memory in DIR/device. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import {
  acceptGrant,
  createDeviceKeys,
  createMemory,
  exportDevice,
  importDevice,
  pairingRequest,
  PosternDevice,
} from "../../shared/client/mod.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { pairingText, parsePairingText } from "../../shared/protocol/pairing.ts";
import { pairDevice } from "../../manager/devices/pair.ts";
import { activateDevice } from "../../manager/devices/repository.ts";
import { makePrivateFolder, writeFileDurably } from "../../manager/files/durable.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { FileMemory } from "./file_memory.ts";

/** The device, and the check code that both sides showed if it was paired now. */
export interface OpenDevice {
  readonly device: PosternDevice;
  readonly name: string;
  readonly checkCode: string | null;
}

/** Opens the device in a folder, which is paired with the manager if it is not there yet. */
export async function openDevice(folder: string, db: Database): Promise<OpenDevice> {
  await makePrivateFolder(folder);
  const path = join(folder, "device.txt");
  const memory = new FileMemory(join(folder, "memory"));
  const name = `device on ${Deno.hostname()}`.slice(0, LIMITS.maxDeviceNameChars);
  const text = await readIfThere(path);
  if (text !== null) {
    const { profile, keys } = await importDevice(new Redacted(new TextDecoder().decode(text)));
    return { device: new PosternDevice({ profile, keys, memory }), name, checkCode: null };
  }
  // A start that was cut off here leaves memory without a device: the pairing begins anew, under another device id.
  await memory.clear();
  const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);
  const request = await pairingRequest(
    keys,
    `${name} ${Date.now().toString(36)}`.slice(0, LIMITS.maxDeviceNameChars),
    webCryptoRandom,
  );
  const options = { allowClassical: false };
  const pending = await pairDevice(db, parsePairingText(request), options, Date.now(), webCryptoRandom);
  const accepted = await acceptGrant(keys, request, pairingText(pending.grant));
  if (accepted.checkCode !== pending.checkCode) {
    throw new PosternError("tampered", "Device and manager show different check codes: somebody stands between them");
  }
  await createMemory(memory, accepted.state);
  await writeFileDurably(path, utf8(reveal(exportDevice(accepted.profile, keys))));
  await activateDevice(db, pending.device);
  const device = new PosternDevice({ profile: accepted.profile, keys, memory });
  return { device, name, checkCode: accepted.checkCode };
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return await readBounded(path, LIMITS.maxBodyBytes);
  } catch (error) {
    if (isPosternError(error, "not_found")) return null;
    throw error;
  }
}
