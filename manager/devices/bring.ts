/** Adds a device for a certificate that its owner brings along, without a pairing request (shared/spec/pairing.md). */
import { hpkePublicKeyOfSpki, type HpkeSuite } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { grantDevice, type PendingDevice, requireConsent } from "./grant.ts";

export interface BringOptions {
  readonly name: string;
  /** Such a certificate's key is always classical, so this needs to be true (spec: WRAP-04). */
  readonly allowClassical: boolean;
}

/**
 * Adds the holder of a certificate's key as a pending device. Nobody has proved yet to hold that key: the check code, which covers the
 * certificate, is compared before anything is wrapped to it.
 *
 * @param now Millis
 * @throws `unsupported` for a key that can only sign; `expired`, `not_yet_valid`; `usage` without consent
 */
// spec: PAIR-06
export async function bringDevice(
  db: Database,
  certificate: Certificate,
  options: BringOptions,
  now: number,
  random: RandomBytes,
): Promise<PendingDevice> {
  algorithmOfSpki(certificate.spki);
  const suite = suiteOf(certificate);
  requireConsent(suite, options.allowClassical);
  requireInForce(certificate, now);
  const { der, spki } = certificate;
  return await grantDevice(
    db,
    { name: options.name, publicKey: spki, suite, kemPublicKey: null, certificate, request: der },
    now,
    random,
  );
}

function suiteOf(certificate: Certificate): HpkeSuite {
  try {
    return hpkePublicKeyOfSpki(certificate.spki).suite;
  } catch (error) {
    if (!isPosternError(error, "unsupported")) throw error;
    throw new PosternError(
      "unsupported",
      `This certificate needs the device's own request, with a key to wrap to, beside it (--request): ${error.message}`,
      { cause: error },
    );
  }
}

function requireInForce({ notBefore, notAfter }: Certificate, now: number): void {
  const day = (millis: number) => new Date(millis).toISOString().slice(0, 10);
  if (now > notAfter) {
    throw new PosternError("expired", `This certificate ended on ${day(notAfter)}; bring a newer one`);
  }
  if (now < notBefore) {
    throw new PosternError(
      "not_yet_valid",
      `This certificate begins on ${day(notBefore)}; bring it then, or set the clock`,
    );
  }
}
