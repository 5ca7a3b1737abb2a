/** Signs a file: CMS SignedData (RFC 5652), detached, in DER, of the form that `verify.ts` accepts and OpenSSL does, too. */
import { type Bytes, compareBytes, concat } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { digest } from "../crypto/digest.ts";
import { contextConstructed, TAG } from "../der/read.ts";
import { element, oid, sequence, unsigned } from "../der/write.ts";
import { isPosternError, PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate } from "../x509/certificate.ts";
import { signatureInDer } from "../x509/write_certificate.ts";
import { type CmsAlgorithm, digestAlgorithm, suiteOf } from "./algorithms.ts";
import { CMS_OID } from "./oids.ts";
import { requireCodeSigner } from "./release_path.ts";
import { writeSignedAttributes } from "./signed_attributes.ts";
import { readSignedData } from "./signed_data.ts";
import { issuerAndSerial } from "./signer_id.ts";
import { checkSignature } from "./verify.ts";

/** A key that signs releases, wherever it is, with its certificates. */
export interface CmsSigner {
  readonly certificate: Certificate;
  /** What a verifier needs between the certificate and the root that it has pinned; the root itself does no harm. */
  readonly chain: readonly Certificate[];
  readonly algorithm: CmsAlgorithm;
  /** The key's signature over the bytes; `r || s` for ECDSA. */
  sign(bytes: Bytes): Promise<Bytes>;
}

const CR = 0x0d;
const VERSION = unsigned(Uint8Array.of(1));

/**
 * The signature over a file, DER.
 *
 * @param at milliseconds since 1970: the time of signing that the signature states
 * @throws `malformed` for a content with a CR, which no verifier accepts; `too_large`; `untrusted` for a certificate that cannot sign
 * releases; `expired`, `not_yet_valid`; `wrong_key` when the key is not the certificate's
 */
// spec: CMS-16
export async function signDetached(content: Bytes, signer: CmsSigner, at: number): Promise<Bytes> {
  const { certificate, algorithm } = signer;
  const certificates = distinct([certificate, ...signer.chain]);
  if (content.includes(CR)) {
    throw new PosternError("malformed", "A file to be signed must have no CR: end its lines with LF alone");
  }
  if (content.length > LIMITS.maxSignedContentBytes) {
    throw new PosternError("too_large", `A file to be signed has at most ${LIMITS.maxSignedContentBytes} bytes`);
  }
  requireCodeSigner(certificate);
  requireValid(certificate, at);
  const { hash, signature } = suiteOf(algorithm);
  const attributes = writeSignedAttributes({
    messageDigest: await digest(hash, content),
    signingTime: at,
    fingerprints: certificates.map(({ fingerprint }) => fingerprint),
  });
  const value = inDer(await signer.sign(attributes), algorithm);
  const der = sequence(
    oid(CMS_OID.signedData),
    element(
      contextConstructed(0),
      sequence(
        VERSION,
        element(TAG.set, digestAlgorithm(hash)),
        sequence(oid(CMS_OID.data)),
        element(contextConstructed(0), ...certificates.map((one) => one.der).sort(compareBytes)),
        element(
          TAG.set,
          sequence(
            VERSION,
            issuerAndSerial(certificate),
            digestAlgorithm(hash),
            retagged(attributes),
            signature,
            element(TAG.octetString, value),
          ),
        ),
      ),
    ),
  );
  await requireOwnKey(der, certificate);
  return der;
}

/** A CMS file has none twice. */
function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((one) => [toHex(one.fingerprint), one])).values()];
}

/** What a verifier would stumble on is found before it is published. */
async function requireOwnKey(der: Bytes, certificate: Certificate): Promise<void> {
  const signed = readSignedData(der);
  try {
    await checkSignature(signed, certificate);
  } catch (cause) {
    if (!isPosternError(cause, "signature")) throw cause;
    throw new PosternError("wrong_key", "The private key is not that of the certificate: no such signature verifies", {
      cause,
    });
  }
}

function requireValid({ notBefore, notAfter }: Certificate, at: number): void {
  if (at < notBefore) throw new PosternError("not_yet_valid", "The certificate that is to sign is not valid yet");
  if (at > notAfter) throw new PosternError("expired", "The certificate that is to sign has expired; issue a new one");
}

/** The SET as `[0] IMPLICIT`, as it stands in the file (RFC 5652 section 5.4). */
function retagged(set: Bytes): Bytes {
  return concat(Uint8Array.of(contextConstructed(0)), set.subarray(1));
}

function inDer(signature: Bytes, algorithm: CmsAlgorithm): Bytes {
  return algorithm === "RS256" ? signature : signatureInDer(signature, algorithm);
}
