/** Who a device is, and its one text form with the keys in it, for a file or a secret store. */
import * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { fromBase64Url, toBase64Url } from "../../bytes/encoding.ts";
import { Redacted, reveal } from "../../crypto/redacted.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { requireOrigin } from "../../protocol/origin.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, textUpTo } from "../../protocol/shapes.ts";
import type { EdgeName } from "../../protocol/statement.ts";
import { type DeviceKeys, importDeviceKeys, takeSecrets } from "./device_keys.ts";

/** What pairing settled; nothing in it is secret, and nothing of it changes. */
export interface DeviceProfile {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly registration: number;
  /** Of the device's key, issued by the owner's root or brought along; null if there is none. */
  readonly certificate: Bytes | null;
  /** Where the owner's edge was at pairing; the newest statement goes before it (spec: STMT-04). */
  readonly edge: EdgeName;
}

const PREFIX = "postern-device:";
const PROFILE_VERSION = 1;

const profileTuple = v.strictTuple([
  v.literal(PROFILE_VERSION),
  bytesOf(32),
  bytesOf(16),
  positive,
  v.nullable(bytesUpTo(LIMITS.maxCertificateBytes, 1)),
  textUpTo(LIMITS.maxOriginChars, 1),
  bytesOf(32),
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  bytesUpTo(LIMITS.maxPkcs8Bytes, 1),
  v.nullable(v.strictTuple([v.picklist(["xwing", "x25519"] as const), bytesUpTo(LIMITS.maxPkcs8Bytes, 1)])),
]);

/**
 * Profile and keys as one line of text. Whoever reads it is the device.
 *
 * @throws `usage` for keys that cannot be taken out
 */
export function exportDevice(profile: DeviceProfile, keys: DeviceKeys): Redacted<string> {
  const { signing, kem } = takeSecrets(keys);
  const { owner, device, registration, certificate, edge } = profile;
  const bytes = encodeCbor([
    ...[PROFILE_VERSION, owner, device, registration, certificate, edge.origin, edge.key],
    ...[keys.publicKey, signing, kem === null ? null : [keys.suite, kem]],
  ]);
  const text = PREFIX + toBase64Url(bytes);
  bytes.fill(0);
  return new Redacted(text);
}

/**
 * Reads what {@link exportDevice} wrote.
 *
 * @param extractable whether the keys can be exported again
 * @throws `malformed`, `unsupported`, `wrong_key`
 */
export async function importDevice(
  text: Redacted<string>,
  extractable = false,
): Promise<{ profile: DeviceProfile; keys: DeviceKeys }> {
  const revealed = reveal(text).trim();
  if (!revealed.startsWith(PREFIX) || revealed.length > LIMITS.maxProfileChars) {
    throw new PosternError("malformed", `A device's text starts with ${PREFIX}`);
  }
  const bytes = fromBase64Url(revealed.slice(PREFIX.length));
  const fields = decodeAs(profileTuple, bytes, "text of a device");
  const [, owner, device, registration, certificate, origin, key, publicKey, signing, kem] = fields;
  bytes.fill(0);
  requireOrigin(origin);
  const keys = await importDeviceKeys(publicKey, { signing, kem: kem?.[1] ?? null }, kem?.[0] ?? null, extractable);
  return { profile: { owner, device, registration, certificate, edge: { origin, key } }, keys };
}
