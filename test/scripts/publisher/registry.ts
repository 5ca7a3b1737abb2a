/** A registry as encryption reads it, of instances that the test holds the keys of. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import {
  INSTANCES_FILE,
  type KnownInstance,
  RECIPIENTS_FILE,
  writeInstanceLine,
  writeRecipients,
} from "../../../scripts/publisher/recipients.ts";
import type { Workshop } from "./workshop.ts";

const DEPTH = 12;
export const REVOKED_LEAF = 4_000;

/**
 * Writes a registry of `count` instances into the workshop, all but the first with one and the same key pair.
 *
 * @returns the keys of the first instance, and those of one that was revoked
 */
export async function writeRegistry(
  workshop: Workshop,
  folder: string,
  count: number,
): Promise<{ first: InstanceKeys; revoked: InstanceKeys }> {
  const secret = CoverSecret.create(webCryptoRandom, DEPTH);
  const [xwing, x25519] = await Promise.all([importHpkeKey("xwing", webCryptoRandom(32)), generateX25519()]);
  const others = { xwing: (await importHpkeKey("xwing", webCryptoRandom(32))).publicKey, x25519: x25519.publicKey };
  const instances = Array.from({ length: count }, (_, at): KnownInstance => ({
    ...{ id: toHex(webCryptoRandom(16)), entrySecret: new Redacted(webCryptoRandom(32)), mdkVersion: 1 },
    ...(at === 0 ? { xwing: xwing.publicKey, x25519: x25519.publicKey } : others),
  }));
  await Deno.mkdir(`${workshop.path}/${folder}`);
  const source = { product: "postern", keyVersion: 3, secret, revoked: [REVOKED_LEAF] };
  await workshop.write(`${folder}/${RECIPIENTS_FILE}`, writeRecipients(source));
  await workshop.write(`${folder}/${INSTANCES_FILE}`, instances.map(writeInstanceLine).join(""));
  const [instance] = instances;
  const holding = (leaf: number): InstanceKeys => ({
    mdks: [{ version: 1, xwing, x25519 }],
    registrations: [{
      entrySecret: instance?.entrySecret ?? new Redacted(webCryptoRandom(32)),
      member: memberKeys(secret, leaf),
    }],
    shared: [],
  });
  return { first: holding(7), revoked: holding(REVOKED_LEAF) };
}
