/** Makes certificates for tests, well made or odd, with the project's own writer and keys made once. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { exportSpki, generateSigningKey, type SignatureAlgorithm } from "../../../shared/crypto/signature.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { type Certificate, readCertificate } from "../../../shared/x509/certificate.ts";
import { context, TAG } from "../../../shared/der/read.ts";
import { element, namedBits, oid, sequence, TRUE, unsigned, utf8String } from "../../../shared/der/write.ts";
import { writeName } from "../../../shared/x509/dn.ts";
import { parseName } from "../../../shared/x509/dn_parse.ts";
import { EXTENSION, KEY_USAGE } from "../../../shared/x509/extensions.ts";
import { cryptoKeySigner, extension, writeCertificate } from "../../../shared/x509/write_certificate.ts";

export const NOW = Date.UTC(2026, 5, 15, 12);
export const DAY = 86_400_000;

/** A key pair with its public half in DER. */
export interface Key {
  readonly pair: CryptoKeyPair;
  readonly spki: Bytes;
}

export async function newKey(algorithm: SignatureAlgorithm = "Ed25519"): Promise<Key> {
  const pair = await generateSigningKey(algorithm, true);
  return { pair, spki: await exportSpki(pair.publicKey) };
}

const defaultKey = await newKey();

/** What to deviate in from an end entity's certificate that is valid at {@link NOW} and signed by its own key. */
export interface Options {
  /** RFC 4514 text, or DER. */
  readonly subject?: string | Bytes;
  readonly issuer?: string | Bytes;
  readonly key?: Key;
  readonly signer?: Key;
  readonly serial?: Bytes;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly extensions?: readonly Bytes[];
}

/** DER of a certificate; without an issuer it is self-issued. */
export async function build(options: Options = {}): Promise<Bytes> {
  const key = options.key ?? defaultKey;
  const subject = options.subject ?? "CN=leaf";
  return await writeCertificate({
    serial: options.serial ?? webCryptoRandom(8),
    subject: nameDer(subject),
    issuer: nameDer(options.issuer ?? subject),
    notBefore: options.notBefore ?? NOW - DAY,
    notAfter: options.notAfter ?? NOW + DAY,
    spki: key.spki,
    extensions: options.extensions ?? [extension(EXTENSION.basicConstraints, true, sequence())],
  }, cryptoKeySigner((options.signer ?? key).pair.privateKey));
}

/** The DER of a name from its text. */
export function nameDer(name: string | Bytes): Bytes {
  return typeof name === "string" ? writeName(parseName(name)) : name;
}

/** A certificate together with its key, to issue others with. */
export interface Holder {
  readonly key: Key;
  readonly certificate: Certificate;
}

/** An authority, a root of its own unless `by` is given. */
export async function authority(
  subject: string,
  by?: Holder,
  options: Options = {},
  pathLen?: number,
): Promise<Holder> {
  const key = options.key ?? await newKey();
  const constraints = pathLen === undefined ? [TRUE] : [TRUE, unsigned(Uint8Array.of(pathLen))];
  const extensions = [
    extension(EXTENSION.basicConstraints, true, sequence(...constraints)),
    extension(EXTENSION.keyUsage, true, namedBits(KEY_USAGE.keyCertSign)),
    ...options.extensions ?? [],
  ];
  return await holder({ ...options, subject, key, extensions }, by);
}

/** Any certificate, issued by `by` or by itself. */
export async function holder(options: Options, by?: Holder): Promise<Holder> {
  const key = options.key ?? await newKey();
  const issuance = by === undefined ? {} : { issuer: writeName(by.certificate.subjectName), signer: by.key };
  return { key, certificate: readCertificate(await build({ ...issuance, ...options, key })) };
}

/** Extensions with key identifiers, for tests of matching by them. */
export function keyIds(subject: string | undefined, authorityId: string | undefined): Bytes[] {
  const id = (text: string) => new TextEncoder().encode(text);
  return [
    ...subject === undefined ? [] : [extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, id(subject)))],
    ...authorityId === undefined
      ? []
      : [extension(EXTENSION.authorityKeyId, false, sequence(element(context(0), id(authorityId))))],
  ];
}

/** A name of one RDN per list, each of attributes `[type, DER of the value]`, in this order. */
export function rawName(...rdns: readonly (readonly (readonly [type: string, value: Bytes])[])[]): Bytes {
  return sequence(
    ...rdns.map((rdn) => element(TAG.set, ...rdn.map(([type, value]) => sequence(oid(type), value)))),
  );
}

/** Values of attributes in each string type of ASN.1. */
export const STRINGS = {
  utf8: utf8String,
  printable: (text: string) => element(TAG.printableString, latin1(text)),
  ia5: (text: string) => element(TAG.ia5String, latin1(text)),
  teletex: (text: string) => element(TAG.teletexString, latin1(text)),
  bmp: (text: string) => element(TAG.bmpString, wide(text, 2)),
  universal: (text: string) => element(TAG.universalString, wide(text, 4)),
} as const;

function latin1(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function wide(text: string, width: 2 | 4): Bytes {
  return Uint8Array.from(
    Array.from(text).flatMap((character) => {
      const code = character.codePointAt(0) ?? 0;
      return [code >>> 24, (code >>> 16) & 255, (code >>> 8) & 255, code & 255].slice(4 - width);
    }),
  );
}
