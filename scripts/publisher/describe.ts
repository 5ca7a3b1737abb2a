/** How certificates and revocation lists are told, in JSON. */
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import type { Crl } from "../../shared/x509/crl.ts";
import { displayDn } from "../../shared/x509/dn.ts";
import type { SignatureScheme } from "../../shared/x509/signature_scheme.ts";
import type { Json } from "../../manager/cli/output.ts";

/** A certificate: `fingerprint` is the SHA-256 of its DER. */
export function tellCertificate(certificate: Certificate): { readonly [name: string]: Json } {
  return {
    subject: displayDn(certificate.subjectName),
    issuer: displayDn(certificate.issuerName),
    serial: certificate.serial,
    fingerprint: toHex(certificate.fingerprint),
    key: certificate.publicKey.description,
    notBefore: iso(certificate.notBefore),
    notAfter: iso(certificate.notAfter),
  };
}

/** A revocation list; its number as text, for it may be longer than a number of JSON. */
export function tellCrl(crl: Crl): { readonly [name: string]: Json } {
  return {
    issuer: displayDn(crl.issuerName),
    number: crl.number === undefined ? null : crl.number.toString(),
    thisUpdate: iso(crl.thisUpdate),
    nextUpdate: iso(crl.nextUpdate),
    revoked: crl.revoked.size,
  };
}

/** An algorithm by its usual name. */
export function tellScheme(scheme: SignatureScheme): string {
  switch (scheme.kind) {
    case "ed25519":
      return "Ed25519";
    case "ecdsa":
      return `ECDSA with ${scheme.hash}`;
    case "rsa-pkcs1":
      return `RSA PKCS#1 v1.5 with ${scheme.hash}`;
    case "rsa-pss":
      return `RSA-PSS with ${scheme.hash}`;
  }
}

/** A time in JSON. */
export function iso(millis: number): string {
  return new Date(millis).toISOString();
}
