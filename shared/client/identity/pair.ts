/** Pairing on the device's side (shared/spec/pairing.md). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import type { RandomBytes } from "../../crypto/random.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import {
  checkCode,
  makePairingRequest,
  type PairingGrant,
  pairingText,
  parsePairingText,
  readPairingGrant,
  readPairingRequest,
} from "../../protocol/pairing.ts";
import { requireOrigin } from "../../protocol/origin.ts";
import { readCertificate } from "../../x509/certificate.ts";
import type { DeviceKeys } from "./device_keys.ts";
import type { DeviceProfile } from "./profile.ts";
import { type DeviceState, firstState } from "../memory/state.ts";

/** What a grant made of a device. Use it only after the owner has compared the check code (spec: PAIR-03). */
export interface AcceptedGrant {
  readonly profile: DeviceProfile;
  /** What it remembers from now on; for `createMemory`. */
  readonly state: DeviceState;
  /** `xxxx-xxxx-xxxx-xxxx`; the manager shows the same. */
  readonly checkCode: string;
}

/**
 * The request to hand to the manager, as text. Keep it until the grant is accepted.
 *
 * @param name by which the owner knows the device, 1 to 64 characters
 */
export async function pairingRequest(keys: DeviceKeys, name: string, random: RandomBytes): Promise<string> {
  if (name.length < 1 || name.length > LIMITS.maxDeviceNameChars) {
    throw new PosternError("usage", `A device's name has 1 to ${LIMITS.maxDeviceNameChars} characters`);
  }
  const { publicKey, suite, kemPublicKey } = keys;
  return pairingText(
    await makePairingRequest({ publicKey, suite, kemPublicKey, name, nonce: random(16) }, keys.sign),
  );
}

/**
 * Accepts the manager's grant to this device's request.
 *
 * @throws `tampered` for a grant to another request, a request of other keys, or a certificate of another key; `malformed`
 */
// spec: PAIR-02
export async function acceptGrant(keys: DeviceKeys, requestText: string, grantText: string): Promise<AcceptedGrant> {
  const request = parsePairingText(requestText);
  const asked = await readPairingRequest(request);
  if (!equalBytes(asked.publicKey, keys.publicKey)) {
    throw new PosternError("tampered", "The pairing request was made with other keys than this device's");
  }
  return accept(keys, request, parsePairingText(grantText));
}

/**
 * Accepts the manager's grant to a certificate that the owner brought along, without a request.
 *
 * @param certificate DER, of the key that signs
 * @throws `tampered` for a grant to another certificate, or a certificate of another key; `malformed`
 */
// spec: PAIR-06
export function acceptGrantToCertificate(keys: DeviceKeys, certificate: Bytes, grantText: string): AcceptedGrant {
  return accept(keys, certificate, parsePairingText(grantText));
}

function accept(keys: DeviceKeys, request: Bytes, grantBytes: Bytes): AcceptedGrant {
  const grant = readPairingGrant(grantBytes, request);
  requireOrigin(grant.origin);
  requireOwnCertificate(grant, keys);
  const { owner, device, registration, certificate, origin, edgeKey } = grant;
  return {
    profile: { owner, device, registration, certificate, edge: { origin, key: edgeKey } },
    state: firstState(grant),
    checkCode: checkCode(request, grantBytes),
  };
}

function requireOwnCertificate({ certificate }: PairingGrant, keys: DeviceKeys): void {
  if (certificate === null || equalBytes(readCertificate(certificate).spki, keys.publicKey)) return;
  throw new PosternError("tampered", "The certificate in the pairing grant is for another device's key");
}
