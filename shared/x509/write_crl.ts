/** Writes certificate revocation lists of version 2 (RFC 5280 section 5), with a number and the key of their issuer. */
import type { Bytes } from "../bytes/bytes.ts";
import { fromHex } from "../bytes/encoding.ts";
import { context, contextConstructed } from "../der/read.ts";
import { element, octetBits, sequence, time, unsigned } from "../der/write.ts";
import { PosternError } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl, Revocation } from "./crl.ts";
import { readCrl } from "./crl.ts";
import { CRL_EXTENSION, REASONS, TAG_ENUMERATED } from "./crl_extensions.ts";
import { writeName } from "./dn.ts";
import { EXTENSION, KEY_USAGE } from "./extensions.ts";
import { keyId } from "./key_id.ts";
import { ALGORITHMS, type CertificateSigner, extension, signatureInDer } from "./write_certificate.ts";

/** What stands in a list. Times are milliseconds since 1970, cut to seconds. */
export interface CrlFields {
  /** Above that of every list before. */
  readonly number: bigint;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** By serial number, as `Certificate.serial` has it. */
  readonly revoked: ReadonlyMap<string, Revocation>;
}

/**
 * A revocation list.
 *
 * @param signer holds the key of `issuer`
 * @throws `usage` when the issuer may not sign lists, the list would end before it begins, or a serial number is none of Postern's
 */
// spec: CMS-17
export async function issueCrl(issuer: Certificate, signer: CertificateSigner, fields: CrlFields): Promise<Crl> {
  if (issuer.keyUsage !== undefined && (issuer.keyUsage & KEY_USAGE.cRLSign) === 0) {
    throw new PosternError("usage", "The certificate may not sign revocation lists: its key usage does not say so");
  }
  if (Math.floor(fields.nextUpdate / 1000) <= Math.floor(fields.thisUpdate / 1000) || fields.number < 0n) {
    throw new PosternError("usage", "A revocation list ends after it begins, and has a number from 0 on");
  }
  const algorithm = ALGORITHMS[signer.algorithm];
  const entries = [...fields.revoked].map(([serial, revocation]) => writeEntry(serial, revocation));
  const tbs = sequence(
    unsigned(Uint8Array.of(1)),
    algorithm,
    writeName(issuer.subjectName),
    time(fields.thisUpdate),
    time(fields.nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    element(
      contextConstructed(0),
      sequence(
        extension(
          EXTENSION.authorityKeyId,
          false,
          sequence(element(context(0), issuer.subjectKeyId ?? keyId(issuer.spki))),
        ),
        extension(CRL_EXTENSION.crlNumber, false, unsigned(magnitude(fields.number))),
      ),
    ),
  );
  const signature = signatureInDer(await signer.sign(tbs), signer.algorithm);
  return readCrl(sequence(tbs, algorithm, octetBits(signature)));
}

function writeEntry(serial: string, { at, reason }: Revocation): Bytes {
  if (!/^([0-9a-f]{2})+$/.test(serial)) {
    throw new PosternError("usage", `'${serial}' is no serial number that is revoked`);
  }
  const number = unsigned(fromHex(serial));
  // RFC 5280 section 5.3.1: a reason that says nothing is left out.
  if (reason === "unspecified") return sequence(number, time(at));
  const code = element(TAG_ENUMERATED, Uint8Array.of(REASONS[reason]));
  return sequence(number, time(at), sequence(extension(CRL_EXTENSION.reasonCode, false, code)));
}

function magnitude(number: bigint): Bytes {
  const digits = number.toString(16);
  return fromHex(digits.padStart(digits.length + (digits.length % 2), "0"));
}
