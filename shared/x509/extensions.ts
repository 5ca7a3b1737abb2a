/** The extensions of certificates that Postern understands (RFC 5280 section 4.2). */
import type { Bytes } from "../bytes/bytes.ts";
import { context, contextConstructed, DerReader, malformed, readBoolean } from "../der/read.ts";
import { readNamedBits, readOid, readSmallInteger, readWhole, TAG } from "../der/read.ts";
import { type GeneralName, type NameConstraints, readGeneralNames, readNameConstraints } from "./general_name.ts";

/** Identifiers of the extensions. */
export const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyId: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extKeyUsage: "2.5.29.37",
  inhibitAnyPolicy: "2.5.29.54",
} as const;

/** Bits of {@link Extensions.keyUsage}. */
export const KEY_USAGE = {
  digitalSignature: 1 << 0,
  nonRepudiation: 1 << 1,
  keyEncipherment: 1 << 2,
  dataEncipherment: 1 << 3,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
  cRLSign: 1 << 6,
  encipherOnly: 1 << 7,
  decipherOnly: 1 << 8,
} as const;

/** Identifiers of the purposes in {@link Extensions.extKeyUsage}. */
export const PURPOSE = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
} as const;

/** What the extensions of a certificate say; undefined where the extension is absent. */
export interface Extensions {
  /** basicConstraints cA: the certificate may issue others. */
  readonly isCa: boolean;
  /** How many further certificates that are not self-issued may stand between this one and the last. */
  readonly pathLen: number | undefined;
  /** Bits of {@link KEY_USAGE}. */
  readonly keyUsage: number | undefined;
  /** Dotted purposes. */
  readonly extKeyUsage: readonly string[] | undefined;
  readonly subjectKeyId: Bytes | undefined;
  readonly authorityKeyId: Bytes | undefined;
  readonly subjectAltName: readonly GeneralName[] | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  /** Every extension present, in order. */
  readonly present: readonly string[];
  /** Those marked critical that Postern does not process: a path through such a certificate is refused. */
  readonly unknownCritical: readonly string[];
}

// The policy extensions restrict nothing as long as nobody demands a policy. Only policyConstraints can do that,
// so it counts as unknown, and a path with it is refused.
const PROCESSED: ReadonlySet<string> = new Set(
  Object.values(EXTENSION).filter((oid) => oid !== EXTENSION.policyConstraints),
);

/** The extensions of a certificate that has none. */
export const NO_EXTENSIONS: Extensions = {
  isCa: false,
  pathLen: undefined,
  keyUsage: undefined,
  extKeyUsage: undefined,
  subjectKeyId: undefined,
  authorityKeyId: undefined,
  subjectAltName: undefined,
  nameConstraints: undefined,
  present: [],
  unknownCritical: [],
};

type Draft = { -readonly [K in keyof Extensions]: Extensions[K] } & { present: string[]; unknownCritical: string[] };

/**
 * Reads the Extensions SEQUENCE. The content of an extension that is not processed is not looked at.
 *
 * @throws `malformed`, also for an extension that occurs twice.
 */
export function readExtensions(der: Bytes): Extensions {
  const reader = new DerReader(readWhole(der, TAG.sequence, "extensions"), "extensions");
  if (reader.done) throw malformed("extensions", "is empty");
  const draft: Draft = { ...NO_EXTENSIONS, present: [], unknownCritical: [] };
  const seen = new Set<string>();
  while (!reader.done) {
    const fields = new DerReader(reader.expect(TAG.sequence, "extension").content, "extension");
    const oid = readOid(fields.expect(TAG.oid, "extension").content, "extension");
    const critical = readFlag(fields, "extension");
    const value = fields.expect(TAG.octetString, "extension").content;
    fields.end();
    if (seen.has(oid)) throw malformed(`extension ${oid}`, "occurs twice");
    seen.add(oid);
    draft.present.push(oid);
    if (!PROCESSED.has(oid) && (critical || oid === EXTENSION.policyConstraints)) draft.unknownCritical.push(oid);
    readExtension(draft, oid, value);
  }
  return draft;
}

function readExtension(draft: Draft, oid: string, value: Bytes): void {
  switch (oid) {
    case EXTENSION.basicConstraints:
      readBasicConstraints(draft, value);
      break;
    case EXTENSION.keyUsage:
      draft.keyUsage = readNamedBits(readWhole(value, TAG.bitString, "keyUsage"), "keyUsage");
      break;
    case EXTENSION.extKeyUsage:
      draft.extKeyUsage = readPurposes(value);
      break;
    case EXTENSION.subjectKeyId:
      draft.subjectKeyId = readWhole(value, TAG.octetString, "subjectKeyIdentifier");
      break;
    case EXTENSION.authorityKeyId:
      draft.authorityKeyId = readAuthorityKeyId(value);
      break;
    case EXTENSION.subjectAltName:
      draft.subjectAltName = readGeneralNames(value, "subjectAltName");
      break;
    case EXTENSION.nameConstraints:
      draft.nameConstraints = readNameConstraints(value, "nameConstraints");
      break;
  }
}

/** DEFAULT FALSE. DER leaves it out; enough authorities write it that refusing would lose real certificates. */
function readFlag(reader: DerReader, what: string): boolean {
  const flag = reader.optional(TAG.boolean);
  return flag !== undefined && readBoolean(flag.content, what);
}

function readBasicConstraints(draft: Draft, value: Bytes): void {
  const what = "basicConstraints";
  const reader = new DerReader(readWhole(value, TAG.sequence, what), what);
  draft.isCa = readFlag(reader, what);
  const pathLen = reader.optional(TAG.integer);
  reader.end();
  draft.pathLen = pathLen && readSmallInteger(pathLen.content, what);
}

function readPurposes(value: Bytes): readonly string[] {
  const what = "extKeyUsage";
  const reader = new DerReader(readWhole(value, TAG.sequence, what), what);
  const purposes: string[] = [];
  while (!reader.done) purposes.push(readOid(reader.expect(TAG.oid, what).content, what));
  if (purposes.length === 0) throw malformed(what, "is empty");
  return purposes;
}

/** Only the key identifier: the issuer and serial number that may follow add nothing that a signature does not prove. */
export function readAuthorityKeyId(value: Bytes): Bytes | undefined {
  const what = "authorityKeyIdentifier";
  const reader = new DerReader(readWhole(value, TAG.sequence, what), what);
  const keyId = reader.optional(context(0));
  reader.optional(contextConstructed(1));
  reader.optional(context(2));
  reader.end();
  return keyId?.content;
}
