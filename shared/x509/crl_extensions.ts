/** The extensions of revocation lists and of their entries (RFC 5280 sections 5.2 and 5.3). */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import {
  DerReader,
  malformed,
  readBoolean,
  readInteger,
  readOid,
  readSmallInteger,
  readWhole,
  TAG,
} from "../der/read.ts";
import { PosternError } from "../errors.ts";
import { EXTENSION, readAuthorityKeyId } from "./extensions.ts";

/** Identifiers of the extensions. */
export const CRL_EXTENSION = {
  crlNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  invalidityDate: "2.5.29.24",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  certificateIssuer: "2.5.29.29",
} as const;

/** Why a certificate was revoked (RFC 5280 section 5.3.1), by name. */
export const REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** One of {@link REASONS}. */
export type RevocationReason = keyof typeof REASONS;

const MAX_NUMBER_BYTES = 20;
const REASON_NAMES = new Map(Object.entries(REASONS).map(([name, code]) => [code as number, name as RevocationReason]));

/** What the extensions of a whole list say. */
export interface CrlExtensions {
  readonly number: bigint | undefined;
  readonly authorityKeyId: Bytes | undefined;
}

/** @throws `malformed`; `unsupported` for a list that is not about all certificates of its issuer, or has what must be understood */
// spec: CMS-18
export function readCrlExtensions(der: Bytes): CrlExtensions {
  const values = readExtensions(der, [CRL_EXTENSION.crlNumber, EXTENSION.authorityKeyId]);
  for (const oid of [CRL_EXTENSION.deltaCrlIndicator, CRL_EXTENSION.issuingDistributionPoint]) {
    if (values.has(oid)) throw unsupported("is about a part of its issuer's certificates, or a change alone");
  }
  const number = values.get(CRL_EXTENSION.crlNumber);
  const keyId = values.get(EXTENSION.authorityKeyId);
  return { number: number && readNumber(number), authorityKeyId: keyId && readAuthorityKeyId(keyId) };
}

/** The reason of an entry, `unspecified` if it says nothing. @throws `malformed`, `unsupported` */
// spec: CMS-18
export function readEntryReason(der: Bytes): RevocationReason {
  const reason = readExtensions(der, [CRL_EXTENSION.reasonCode]).get(CRL_EXTENSION.reasonCode);
  if (reason === undefined) return "unspecified";
  const code = readSmallInteger(readWhole(reason, TAG_ENUMERATED, "reasonCode"), "reasonCode");
  // removeFromCRL (8) has a meaning in changes alone.
  const name = REASON_NAMES.get(code);
  if (name === undefined) throw malformed("reasonCode", `is ${code}, which no full list has`);
  return name;
}

/** ENUMERATED, which nothing else here is. */
export const TAG_ENUMERATED = 0x0a;

/** Their values by their identifiers; one that is critical and not among `known` is refused. */
function readExtensions(der: Bytes, known: readonly string[]): ReadonlyMap<string, Bytes> {
  const what = "extension of a revocation list";
  const reader = new DerReader(readWhole(der, TAG.sequence, what), what);
  if (reader.done) throw malformed(what, "is an empty list");
  const values = new Map<string, Bytes>();
  while (!reader.done) {
    const fields = new DerReader(reader.expect(TAG.sequence, what).content, what);
    const oid = readOid(fields.expect(TAG.oid, what).content, what);
    const flag = fields.optional(TAG.boolean);
    const value = fields.expect(TAG.octetString, what).content;
    fields.end();
    const critical = flag !== undefined && readBoolean(flag.content, what);
    if (values.has(oid)) throw malformed(what, `${oid} occurs twice`);
    if (critical && !known.includes(oid)) {
      throw unsupported(`has the extension ${oid}, which must be understood and is not`);
    }
    values.set(oid, value);
  }
  return values;
}

function readNumber(value: Bytes): bigint {
  const content = readInteger(readWhole(value, TAG.integer, "CRL number"), "CRL number");
  if ((content[0] ?? 0) >= 0x80) throw malformed("CRL number", "is negative");
  if (content.length > MAX_NUMBER_BYTES) throw unsupported(`has a number of more than ${MAX_NUMBER_BYTES} bytes`);
  return BigInt(`0x${toHex(content)}`);
}

/** @param found continues "The revocation list ..." */
export function unsupported(found: string): PosternError {
  return new PosternError("unsupported", `The revocation list ${found}`);
}
