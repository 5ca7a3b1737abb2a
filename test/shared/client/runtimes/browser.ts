/** The scenario's entry in browsers: keys lie in IndexedDB, which keeps CryptoKeys without showing them. */
import { type DeviceKeys, deviceKeysOf, type DeviceProfile } from "../../../../shared/client/mod.ts";
import { finishPairing, type ScenarioInput, type ScenarioReport } from "./scenario.ts";

export { runScenario, startPairing } from "./scenario.ts";

/** Like `finishPairing`, with keys that have been through IndexedDB. */
export async function finishPairingInBrowser(
  grant: string,
  input: Omit<ScenarioInput, "device" | "state">,
): Promise<ScenarioReport & { readonly checkCode: string }> {
  return await finishPairing(grant, input, keepInDatabase);
}

async function keepInDatabase(_: DeviceProfile, keys: DeviceKeys): Promise<DeviceKeys> {
  const { publicKey, signingKey, kem, kemPublicKey } = keys;
  const kept = await throughDatabase({ publicKey, signingKey, kem, kemPublicKey });
  return deviceKeysOf(kept.publicKey, kept.signingKey, kept.kem, kept.kemPublicKey);
}

async function throughDatabase<T>(value: T): Promise<T> {
  const opening = indexedDB.open("postern-test", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("devices");
  const database = await resultOf(opening);
  const store = (mode: "readonly" | "readwrite") => database.transaction("devices", mode).objectStore("devices");
  await resultOf(store("readwrite").put(value, "own"));
  const kept = await resultOf(store("readonly").get("own")) as T;
  database.close();
  return kept;
}

/** As much of an IDBRequest as is used; Deno's own library does not describe IndexedDB. */
interface Request<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

function resultOf<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

interface Store {
  put(value: unknown, key: string): Request<unknown>;
  get(key: string): Request<unknown>;
}

interface Database {
  createObjectStore(name: string): void;
  transaction(name: string, mode: "readonly" | "readwrite"): { objectStore(name: string): Store };
  close(): void;
}

declare const indexedDB: {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null };
};
