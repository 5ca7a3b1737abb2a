/** A publisher made by the project's own code: root, signing certificate, and what is signed with it. */
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { CmsAlgorithm } from "../../../shared/cms/algorithms.ts";
import { type CmsSigner, signDetached } from "../../../shared/cms/sign.ts";
import { sign, type SignatureAlgorithm } from "../../../shared/crypto/signature.ts";
import { element, namedBits, oid, sequence, TRUE, unsigned } from "../../../shared/der/write.ts";
import { TAG } from "../../../shared/der/read.ts";
import { EXTENSION, KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import { keyId } from "../../../shared/x509/key_id.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { type Holder, holder, type Key, newKey, NOW, type Options } from "../x509/builder.ts";

export { NOW };

export const CONTENT: Bytes = utf8('{"schema_version":3,"version":"1.2.0"}\n');

/** What a certificate may say besides its names. */
export interface Rights {
  readonly isCa?: boolean;
  readonly pathLen?: number;
  readonly keyUsage?: number | null;
  readonly purposes?: readonly string[] | null;
  readonly more?: readonly Bytes[];
}

function rights({ isCa = false, pathLen, keyUsage, purposes, more = [] }: Rights, spki: Bytes): Bytes[] {
  const constraints = [...isCa ? [TRUE] : [], ...pathLen === undefined ? [] : [unsigned(Uint8Array.of(pathLen))]];
  const usage = keyUsage ?? (isCa ? KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign : KEY_USAGE.digitalSignature);
  const eku = purposes === undefined && !isCa ? [PURPOSE.codeSigning] : purposes ?? [];
  return [
    extension(EXTENSION.basicConstraints, true, sequence(...constraints)),
    ...keyUsage === null ? [] : [extension(EXTENSION.keyUsage, true, namedBits(usage))],
    ...eku.length === 0 ? [] : [extension(EXTENSION.extKeyUsage, false, sequence(...eku.map(oid)))],
    extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, keyId(spki))),
    ...more,
  ];
}

/** A certificate of a publisher's. */
export async function certified(
  subject: string,
  by: Holder | undefined,
  what: Rights & Pick<Options, "key" | "notBefore" | "notAfter" | "serial"> = {},
): Promise<Holder> {
  const key = what.key ?? await newKey();
  return await holder({ ...what, subject, key, extensions: rights(what, key.spki) }, by);
}

/** A root for tests of everything below it. */
export async function root(
  algorithm: SignatureAlgorithm = "Ed25519",
  what: Rights & { key?: Key } = {},
): Promise<Holder> {
  return await certified("CN=root,O=Publisher", undefined, {
    isCa: true,
    ...what,
    key: what.key ?? await newKey(algorithm),
  });
}

/** Signs with a holder's key, whatever the certificate says. */
export function signerOf(
  { certificate, key }: Holder,
  algorithm: CmsAlgorithm,
  chain: readonly Holder[] = [],
): CmsSigner {
  return {
    certificate,
    chain: chain.map((one) => one.certificate),
    algorithm,
    sign: (bytes) => sign(key.pair.privateKey, bytes),
  };
}

export interface Signed {
  readonly root: Holder;
  readonly signer: Holder;
  readonly signature: Bytes;
}

/** A root, a signing certificate below it, and its signature over {@link CONTENT}. */
export async function signed(algorithm: SignatureAlgorithm = "Ed25519"): Promise<Signed> {
  const top = await root(algorithm);
  const signer = await certified("CN=release,O=Publisher", top, { key: await newKey(algorithm) });
  return { root: top, signer, signature: await signDetached(CONTENT, signerOf(signer, algorithm), NOW) };
}
