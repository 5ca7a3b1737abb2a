/** Instances of a publisher's, as many as are asked for, of which the last one can open. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { exportSpki, generateSigningKey, sign } from "../../shared/crypto/signature.ts";
import { importX25519 } from "../../shared/crypto/x25519.ts";
import type { Recipient } from "../../shared/manifest/encrypt.ts";
import type { Wrap } from "../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../shared/manifest/instance_keys.ts";
import {
  instanceIdOf,
  makeRegistrationRequest,
  type MdkPublicKeys,
} from "../../shared/manifest/registration_request.ts";
import type { KnownInstance } from "../../scripts/publisher/recipients.ts";
import type { HandedIn } from "../../scripts/publisher/registry/registry.ts";
import { RegistrySecret } from "../../scripts/publisher/registry/secret.ts";
import { KEY_NAME } from "../fixtures/instance.ts";
import { PRODUCT } from "../fixtures/release.ts";

/** Key pairs that all but the last have in turns: making ten thousand of X-Wing takes longer than all that is measured. */
const KEY_PAIRS = 32;

/** What an instance keeps: 32 bytes each. */
export interface InstanceSecrets {
  readonly entrySecret: Bytes;
  readonly xwingSeed: Bytes;
  readonly x25519: Bytes;
}

export interface Fleet {
  /** Of the publisher, from which every entry secret derives. */
  readonly secret: RegistrySecret;
  readonly instances: readonly KnownInstance[];
  /** With which they were registered, in the same order. */
  readonly requests: readonly HandedIn[];
  /** Of the last one. */
  readonly secrets: InstanceSecrets;
}

const GENERATION = { product: PRODUCT, ...KEY_NAME, depth: 32 };

export async function createFleet(count: number): Promise<Fleet> {
  const secret = new RegistrySecret(GENERATION, new Redacted(webCryptoRandom(32)), false);
  const pairs = await Promise.all(Array.from({ length: Math.min(KEY_PAIRS, count - 1) }, newKeys));
  const last = await newKeys();
  const requests = await Promise.all(Array.from({ length: count }, (_, number) => {
    return requestOf((number === count - 1 ? last : pairs[number % KEY_PAIRS]) ?? last);
  }));
  const instances = requests.map(({ read: { identityKey, keys } }): KnownInstance => {
    const id = instanceIdOf(identityKey);
    const { xwing, x25519 } = keys;
    return { id: toHex(id), entrySecret: secret.entrySecret(id), mdkVersion: 1, xwing, x25519 };
  });
  const own = instances.at(-1);
  if (own === undefined) throw new Error("a fleet has one instance at least");
  const secrets = { entrySecret: reveal(own.entrySecret), xwingSeed: last.xwingSeed, x25519: last.x25519Secret };
  return { secret, instances, requests, secrets };
}

async function requestOf({ xwing, x25519 }: MdkPublicKeys): Promise<HandedIn> {
  const pair = await generateSigningKey("Ed25519", true);
  const keys = { version: 1, xwing, x25519 };
  const read = { identityKey: await exportSpki(pair.publicKey), keys, time: 1, nonce: webCryptoRandom(16) };
  return { bytes: await makeRegistrationRequest(read, (body) => sign(pair.privateKey, body)), read };
}

/** As encryption wants them. */
export function recipientsOf({ instances }: Fleet, wrap: Wrap): Recipient[] {
  return instances.map((one) => ({
    ...{ entrySecret: reveal(one.entrySecret), mdkVersion: one.mdkVersion, publicKey: one[wrap] },
  }));
}

/** As opening wants them. */
export async function importSecrets({ entrySecret, xwingSeed, x25519 }: InstanceSecrets): Promise<InstanceKeys> {
  const mdk = { version: 1, xwing: await importHpkeKey("xwing", xwingSeed), x25519: await importX25519(x25519) };
  return { mdks: [mdk], registrations: [{ entrySecret: new Redacted(entrySecret) }], shared: [] };
}

async function newKeys() {
  const [xwingSeed, x25519Secret] = [webCryptoRandom(32), webCryptoRandom(32)];
  const [xwing, x25519] = await Promise.all([importHpkeKey("xwing", xwingSeed), importX25519(x25519Secret)]);
  return { version: 1, xwingSeed, x25519Secret, xwing: xwing.publicKey, x25519: x25519.publicKey };
}
