/** A registry as publishers have it, of instances that the test holds the keys of. */
import { memberKeys } from "../../../shared/cover/member.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey, sign } from "../../../shared/crypto/signature.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import type { InstanceKeys, Mdk } from "../../../shared/manifest/instance_keys.ts";
import {
  instanceIdOf,
  makeRegistrationRequest,
  type MdkPublicKeys,
  readRegistrationRequest,
} from "../../../shared/manifest/registration_request.ts";
import { openRegistry } from "../../../scripts/publisher/registry/folder.ts";
import type { HandedIn, Registered, Registry } from "../../../scripts/publisher/registry/registry.ts";
import type { Workshop } from "./workshop.ts";

/** A request by a new identity. */
export async function requestOf(keys: MdkPublicKeys, time = 1): Promise<HandedIn> {
  const pair = await generateSigningKey("Ed25519", true);
  const asked = { identityKey: await exportSpki(pair.publicKey), keys, time, nonce: webCryptoRandom(16) };
  const bytes = await makeRegistrationRequest(asked, (body) => sign(pair.privateKey, body));
  return { bytes, read: await readRegistrationRequest(bytes) };
}

export async function newMdk(): Promise<Mdk> {
  const [xwing, x25519] = await Promise.all([importHpkeKey("xwing", webCryptoRandom(32)), generateX25519()]);
  return { version: 1, xwing, x25519 };
}

export function publicKeysOf({ version, xwing, x25519 }: Mdk): MdkPublicKeys {
  return { version, xwing: xwing.publicKey, x25519: x25519.publicKey };
}

/**
 * Makes a registry of `count` instances in the workshop, and one more that was revoked, all with one and the same MDK.
 *
 * @returns the keys of the first instance, and those of the revoked one
 */
export async function writeRegistry(
  workshop: Workshop,
  folder: string,
  count: number,
): Promise<{ first: InstanceKeys; revoked: InstanceKeys }> {
  await workshop.ok(`instance init --registry ${folder}`);
  await using registry = await openRegistry({ registry: folder }, workshop.surroundings());
  const mdk = await newMdk();
  const register = async () => {
    const request = await requestOf(publicKeysOf(mdk));
    return (await registry.register(request, workshop.now, webCryptoRandom)).instance;
  };
  const revoked = await register();
  await registry.revoke(revoked.id, workshop.now);
  const instances = [];
  for (let n = 0; n < count; n++) instances.push(await register());
  return { first: keysOf(registry, instances[0] ?? revoked, mdk), revoked: keysOf(registry, revoked, mdk) };
}

function keysOf({ secret }: Registry, { id, leaf }: Registered, mdk: Mdk): InstanceKeys {
  const member = memberKeys(secret.cover(), leaf);
  return { mdks: [mdk], registrations: [{ entrySecret: secret.entrySecret(id), member }], shared: [] };
}

/** The id that a request is of. */
export function idOf({ read }: HandedIn) {
  return instanceIdOf(read.identityKey);
}
