/** Finds the certificates in the content of one file. Pure. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { pemBlocks } from "../../shared/x509/pem.ts";

/** One certificate found, its bytes not yet looked into, or one failure. `source` is the file, with the line in a bundle. */
export type FoundCertificate =
  | { readonly source: string; readonly der: Bytes }
  | { readonly source: string; readonly error: PosternError };

/** RFC 7468 section 5.1: the second one is what some old tools write. */
const CERTIFICATE_LABELS: ReadonlySet<string> = new Set(["CERTIFICATE", "X509 CERTIFICATE"]);

/** Blocks that hold certificates in a wrapping, and how to unwrap them. Keys, CRLs and the like are passed over. */
const WRAPPED: Readonly<Record<string, string>> = {
  "TRUSTED CERTIFICATE": "a certificate with OpenSSL's trust settings; convert it with 'openssl x509'",
  "PKCS7": "a PKCS#7 container; convert it with 'openssl pkcs7 -print_certs'",
  "CMS": "a CMS container; convert it with 'openssl pkcs7 -print_certs'",
};

const SEQUENCE = 0x30;
const OID = 0x06;
const INTEGER = 0x02;

/** All certificates of a file, and each block that should be one and is not. Never empty. */
export function certificatesIn(source: string, content: Bytes): FoundCertificate[] {
  if (content[0] === SEQUENCE) return [derFile(source, content)];
  const found: FoundCertificate[] = [];
  for (const block of pemBlocks(new TextDecoder().decode(content))) {
    const place = `${source}:${block.line}`;
    const wrapped = WRAPPED[block.label];
    if (wrapped !== undefined) {
      found.push({ source: place, error: new PosternError("unsupported", `Found ${wrapped}`) });
    }
    if (!CERTIFICATE_LABELS.has(block.label)) continue;
    found.push("error" in block ? { source: place, error: block.error } : sized(place, block.bytes));
  }
  if (found.length > 0) return found;
  return [{ source, error: new PosternError("malformed", "No certificate in it: neither a PEM block nor DER") }];
}

function derFile(source: string, content: Bytes): FoundCertificate {
  // What follows the outer header tells a certificate (another SEQUENCE) from containers that begin alike.
  const lengthOctets = (content[1] ?? 0) > 0x80 ? (content[1] ?? 0) & 0x7f : 0;
  const inner = content[2 + lengthOctets];
  if (inner === OID) {
    return refused(source, "a PKCS#7 container; convert it with 'openssl pkcs7 -inform DER -print_certs'");
  }
  if (inner === INTEGER) {
    return refused(source, "a private key or a PKCS#12 file; convert it with 'openssl pkcs12 -nokeys'");
  }
  return sized(source, content);
}

function sized(source: string, der: Bytes): FoundCertificate {
  if (der.length <= LIMITS.maxCertificateBytes) return { source, der };
  const message = `A certificate of ${der.length} bytes, at most ${LIMITS.maxCertificateBytes} are read`;
  return { source, error: new PosternError("too_large", message) };
}

function refused(source: string, found: string): FoundCertificate {
  return { source, error: new PosternError("unsupported", `Found ${found}`) };
}
