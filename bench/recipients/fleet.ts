/** Instances of a publisher's, as many as are asked for, of which the last one can open. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { importX25519 } from "../../shared/crypto/x25519.ts";
import type { Recipient } from "../../shared/manifest/encrypt.ts";
import type { Wrap } from "../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../shared/manifest/instance_keys.ts";
import type { KnownInstance } from "../../scripts/publisher/recipients.ts";

/** Key pairs that all but the last have in turns: making ten thousand of X-Wing takes longer than all that is measured. */
const KEY_PAIRS = 32;

/** What an instance keeps: 32 bytes each. */
export interface InstanceSecrets {
  readonly entrySecret: Bytes;
  readonly xwingSeed: Bytes;
  readonly x25519: Bytes;
}

export interface Fleet {
  readonly instances: readonly KnownInstance[];
  /** Of the last one. */
  readonly secrets: InstanceSecrets;
}

export async function createFleet(count: number): Promise<Fleet> {
  const pairs = await Promise.all(Array.from({ length: Math.min(KEY_PAIRS, count - 1) }, newKeys));
  const last = await newKeys();
  const instances = Array.from({ length: count }, (_, number): KnownInstance => {
    const { xwing, x25519 } = (number === count - 1 ? last : pairs[number % KEY_PAIRS]) ?? last;
    const entrySecret = new Redacted(webCryptoRandom(32));
    return { id: toHex(webCryptoRandom(16)), entrySecret, mdkVersion: 1, xwing, x25519 };
  });
  const own = instances[count - 1];
  if (own === undefined) throw new Error("a fleet has one instance at least");
  const { xwingSeed, x25519Secret } = last;
  return { instances, secrets: { entrySecret: reveal(own.entrySecret), xwingSeed, x25519: x25519Secret } };
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
  return { xwingSeed, x25519Secret, xwing: xwing.publicKey, x25519: x25519.publicKey };
}
