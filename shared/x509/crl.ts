/**
 * Certificate revocation lists (RFC 5280 section 5), read strictly: full lists of one issuer's own certificates, that say until when
 * they hold. Nothing in one is verified here; `revocation.ts` does that.
 */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/hash.ts";
import { type AlgorithmIdentifier, readAlgorithm } from "../der/algorithm.ts";
import {
  contextConstructed,
  DerReader,
  malformed,
  readOctetBits,
  readSmallInteger,
  readWhole,
  TAG,
} from "../der/read.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readTime } from "./asn1_time.ts";
import { readSerial } from "./certificate.ts";
import {
  type CrlExtensions,
  readCrlExtensions,
  readEntryReason,
  type RevocationReason,
  unsupported,
} from "./crl_extensions.ts";
import { type CanonicalDn, canonicalDn, type Name, readName } from "./dn.ts";
import { readPem } from "./pem.ts";

/** When and why a certificate was revoked. */
export interface Revocation {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: RevocationReason;
}

/** A revocation list that was read; nothing in it is verified. All bytes are views into `der`. */
export interface Crl extends CrlExtensions {
  readonly der: Bytes;
  /** SHA-256 over `der`. */
  readonly fingerprint: Bytes;
  readonly issuer: CanonicalDn;
  readonly issuerName: Name;
  /** Milliseconds since 1970: when it was made, and when the next one will have been. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** By serial number, as `Certificate.serial` has it. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  readonly tbs: Bytes;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Bytes;
}

const WHAT = "revocation list";
const PEM_LABEL = "X509 CRL";
const NO_EXTENSIONS: CrlExtensions = { number: undefined, authorityKeyId: undefined };

/**
 * Reads one list from all of `der`.
 *
 * @throws `malformed`; `too_large`; `unsupported` for a list that is a change or a part, that does not say when the next one comes,
 * or that must be understood further than it is here
 */
// spec: CMS-17, CMS-18
export function readCrl(der: Bytes): Crl {
  if (der.length > LIMITS.maxCrlBytes) {
    throw new PosternError("too_large", `A revocation list has at most ${LIMITS.maxCrlBytes} bytes`);
  }
  const outer = new DerReader(readWhole(der, TAG.sequence, WHAT), WHAT);
  const tbs = outer.expect(TAG.sequence, WHAT);
  const signatureAlgorithm = readAlgorithm(outer.expect(TAG.sequence, WHAT), WHAT);
  const signature = readOctetBits(outer.expect(TAG.bitString, WHAT).content, WHAT);
  outer.end();
  const fields = new DerReader(tbs.content, WHAT);
  const version = fields.optional(TAG.integer);
  if (version !== undefined && readSmallInteger(version.content, WHAT) !== 1) {
    throw unsupported("is of another version than 2");
  }
  if (!equalBytes(fields.expect(TAG.sequence, WHAT).whole, signatureAlgorithm.der)) {
    throw malformed(WHAT, "names one signature algorithm inside and another outside");
  }
  const issuerName = readName(fields.expect(TAG.sequence, WHAT).whole, "issuer of a revocation list");
  const thisUpdate = readTime(fields.next(), "thisUpdate");
  const next = fields.optional(TAG.utcTime) ?? fields.optional(TAG.generalizedTime);
  if (next === undefined) {
    throw unsupported("does not say when the next one comes, so nobody knows whether it is the newest");
  }
  const nextUpdate = readTime(next, "nextUpdate");
  if (nextUpdate <= thisUpdate) throw malformed(WHAT, "ends before it begins");
  const entries = fields.optional(TAG.sequence);
  const revoked = entries === undefined ? NONE : readEntries(entries.content, version !== undefined);
  const explicit = fields.optional(contextConstructed(0));
  fields.end();
  if (explicit !== undefined && version === undefined) throw malformed(WHAT, "has extensions, and is of version 1");
  return {
    ...explicit === undefined ? NO_EXTENSIONS : readCrlExtensions(explicit.content),
    der,
    fingerprint: sha256(der),
    issuer: canonicalDn(issuerName),
    issuerName,
    thisUpdate,
    nextUpdate,
    revoked,
    tbs: tbs.whole,
    signatureAlgorithm,
    signature,
  };
}

/**
 * Reads a file of lists: one in DER, or several in PEM.
 *
 * @throws as {@link readCrl}; `too_large` for more than `LIMITS.maxCrls`; `malformed` for a file of something else
 */
// spec: CMS-17
export function readCrlFile(file: Bytes): readonly Crl[] {
  if (file[0] === TAG.sequence) return [readCrl(file)];
  const blocks = readPem(new TextDecoder().decode(file));
  const other = blocks.find(({ label }) => label !== PEM_LABEL);
  if (blocks.length === 0 || other !== undefined) {
    throw malformed("file of revocation lists", `expected PEM blocks '${PEM_LABEL}', found ${other?.label ?? "none"}`);
  }
  if (blocks.length > LIMITS.maxCrls) {
    throw new PosternError("too_large", `A file has at most ${LIMITS.maxCrls} revocation lists`);
  }
  return blocks.map(({ bytes }) => readCrl(bytes));
}

const NONE: ReadonlyMap<string, Revocation> = new Map();

function readEntries(content: Bytes, mayHaveExtensions: boolean): ReadonlyMap<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  const reader = new DerReader(content, WHAT);
  if (reader.done) throw malformed(WHAT, "has an empty list, where none should be");
  while (!reader.done) {
    const fields = new DerReader(reader.expect(TAG.sequence, WHAT).content, WHAT);
    const serial = readSerial(fields.expect(TAG.integer, WHAT).content);
    const at = readTime(fields.next(), "revocation date");
    const extensions = fields.optional(TAG.sequence);
    fields.end();
    if (extensions !== undefined && !mayHaveExtensions) throw malformed(WHAT, "has extensions, and is of version 1");
    if (revoked.has(serial)) throw malformed(WHAT, `has ${serial} twice`);
    revoked.set(serial, { at, reason: extensions === undefined ? "unspecified" : readEntryReason(extensions.whole) });
  }
  return revoked;
}
