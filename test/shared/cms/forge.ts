/** Puts signatures together as nobody should, and signs them properly: for tests of what is refused although it verifies. */
import { type Bytes, compareBytes } from "../../../shared/bytes/bytes.ts";
import { digestAlgorithm, suiteOf } from "../../../shared/cms/algorithms.ts";
import { CMS_OID } from "../../../shared/cms/oids.ts";
import { issuerAndSerial } from "../../../shared/cms/signer_id.ts";
import { digest } from "../../../shared/crypto/digest.ts";
import { sign } from "../../../shared/crypto/signature.ts";
import { contextConstructed, TAG } from "../../../shared/der/read.ts";
import { element, oid, sequence, time, unsigned } from "../../../shared/der/write.ts";
import type { Holder } from "../x509/builder.ts";
import { CONTENT, NOW } from "./publisher.ts";

/** What to deviate in. */
export interface Forgery {
  readonly content?: Bytes;
  readonly version?: number;
  readonly signerVersion?: number;
  readonly digests?: readonly Bytes[];
  readonly digest?: Bytes;
  readonly encapsulated?: Bytes;
  readonly certificates?: readonly Bytes[];
  readonly keepOrder?: boolean;
  readonly lists?: Bytes;
  readonly signerId?: Bytes;
  /** Undefined leaves them out. */
  readonly attributes?: readonly Bytes[] | undefined;
  readonly algorithm?: Bytes;
  readonly unsigned?: Bytes;
  readonly signers?: number;
  readonly type?: string;
}

const number = (value: number) => unsigned(Uint8Array.of(value));

export const attribute = (type: string, ...values: readonly Bytes[]): Bytes =>
  sequence(oid(type), element(TAG.set, ...values));

/** The attributes that a signature over this content has. */
export async function attributesOf(content: Bytes): Promise<Bytes[]> {
  return [
    attribute(CMS_OID.contentType, oid(CMS_OID.data)),
    attribute(CMS_OID.signingTime, time(NOW)),
    attribute(CMS_OID.messageDigest, element(TAG.octetString, await digest("SHA-512", content))),
  ];
}

/** A ContentInfo, DER unless the forgery is another; signed by Ed25519. */
export async function forge({ certificate, key }: Holder, forgery: Forgery = {}): Promise<Bytes> {
  const { certificates = [certificate.der], keepOrder = false, signers = 1 } = forgery;
  const content = forgery.content ?? CONTENT;
  const hash = forgery.digest ?? digestAlgorithm("SHA-512");
  const given = "attributes" in forgery ? forgery.attributes : await attributesOf(content);
  const attributes = given && (keepOrder ? given : [...given].sort(compareBytes));
  const signed = attributes === undefined ? content : element(TAG.set, ...attributes);
  const signer = (signature: Bytes) =>
    sequence(
      number(forgery.signerVersion ?? 1),
      forgery.signerId ?? issuerAndSerial(certificate),
      hash,
      ...attributes === undefined ? [] : [element(contextConstructed(0), ...attributes)],
      forgery.algorithm ?? suiteOf("Ed25519").signature,
      element(TAG.octetString, signature),
      ...forgery.unsigned === undefined ? [] : [forgery.unsigned],
    );
  const signature = await sign(key.pair.privateKey, signed);
  const set = keepOrder ? certificates : [...certificates].sort(compareBytes);
  return sequence(
    oid(forgery.type ?? CMS_OID.signedData),
    element(
      contextConstructed(0),
      sequence(
        number(forgery.version ?? 1),
        element(TAG.set, ...forgery.digests ?? [hash]),
        forgery.encapsulated ?? sequence(oid(CMS_OID.data)),
        ...set.length === 0 ? [] : [element(contextConstructed(0), ...set)],
        ...forgery.lists === undefined ? [] : [element(contextConstructed(1), forgery.lists)],
        element(TAG.set, ...Array.from({ length: signers }, () => signer(signature))),
      ),
    ),
  );
}
