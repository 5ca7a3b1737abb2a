/** What a publisher hands back to an instance, sealed to it and signed (shared/spec/registration.md). */
import * as v from "valibot";
import { type Bytes, equalBytes, utf8 } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { toBase64Url } from "../bytes/encoding.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { sha256 } from "../crypto/hash.ts";
import { openHpke, sealHpke } from "../crypto/hpke.ts";
import { HPKE_SUITES, type HpkePrivateKey } from "../crypto/hpke_keys.ts";
import { Redacted, reveal } from "../crypto/redacted.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "../protocol/labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, textUpTo } from "../protocol/shapes.ts";
import { type Certificate, readCertificate } from "../x509/certificate.ts";
import { NAME_FORM } from "./fields.ts";
import type { SharedKey } from "./instance_keys.ts";
import { instanceIdOf, type RegistrationRequest } from "./registration_request.ts";
import { compareTexts } from "./version.ts";

const ENTRY_SECRET_BYTES = 32;
const SHARED_KEY_BYTES = 32;

const name = (maxChars: number) => v.pipe(textUpTo(maxChars, 1), v.regex(NAME_FORM, "must be a name"));
const sharedKey = v.strictTuple([name(LIMITS.maxKeyIdChars), positive, bytesOf(SHARED_KEY_BYTES)]);
const content = v.strictTuple([
  label(LABELS.registration),
  bytesOf(16),
  name(LIMITS.maxProductChars),
  bytesUpTo(LIMITS.maxCertificateBytes, 1),
  bytesOf(ENTRY_SECRET_BYTES),
  v.nullable(bytesUpTo(LIMITS.maxMemberKeysBytes, 1)),
  v.pipe(v.array(sharedKey), v.maxLength(LIMITS.maxSharedKeys)),
]);
const answerBody = v.strictTuple([
  label(LABELS.registrationAnswer),
  bytesOf(32),
  positive,
  bytesOf(HPKE_SUITES.xwing.encapsulatedBytes),
  bytesUpTo(LIMITS.maxRegistrationAnswerBytes, 1),
]);
const signedAnswer = v.strictTuple([
  bytesUpTo(LIMITS.maxRegistrationAnswerBytes, 1),
  bytesUpTo(LIMITS.maxRegistrationAnswerBytes, 1),
]);

/** What an instance needs to open one product's releases, beside its MDK. */
export interface Registration {
  readonly product: string;
  /** DER of the root that release certificates must have a path to. */
  readonly root: Bytes;
  /** Finds the instance's entry in a release of schema 2. */
  readonly entrySecret: Redacted<Bytes>;
  /** The member keys of schema 3 (shared/spec/cover.md), if the publisher uses it. */
  readonly cover: Redacted<Bytes> | null;
  readonly sharedKeys: readonly SharedKey[];
}

/** Signs a text as CMS SignedData without content, in DER, by a release certificate: `signDetached` of shared/cms. */
export type SignDetached = (text: Bytes) => Promise<Bytes>;

/** Verifies such a signature up to the root. @throws what a release's signature does: `signature`, `untrusted`, `expired`, ... */
export type VerifyDetached = (text: Bytes, signature: Bytes, root: Certificate) => Promise<unknown>;

/**
 * Seals and signs the answer to a request.
 *
 * @param request its bytes, and what `readRegistrationRequest` read from them
 */
export async function makeRegistrationAnswer(
  request: { readonly bytes: Bytes; readonly read: RegistrationRequest },
  registration: Registration,
  sign: SignDetached,
): Promise<Bytes> {
  const { keys, identityKey } = request.read;
  const hash = sha256(request.bytes);
  const plaintext = encodeContent(instanceIdOf(identityKey), registration);
  const { encapsulated, ciphertext } = await sealHpke("xwing", keys.xwing, sealInfo(hash, keys.version), plaintext);
  const body = encodeCbor([LABELS.registrationAnswer, hash, keys.version, encapsulated, ciphertext]);
  return encodeCbor([body, await sign(signedText(body))]);
}

/** A release's signature covers text without CR (shared/spec/cms.md). */
function signedText(body: Bytes): Bytes {
  return utf8(toBase64Url(body));
}

function encodeContent(instance: Bytes, r: Registration): Bytes {
  const shared = [...r.sharedKeys].sort(bySharedKey).map((
    { keyId, keyVersion, key },
  ) => [keyId, keyVersion, reveal(key)]);
  const cover = r.cover === null ? null : reveal(r.cover);
  return encodeCbor([LABELS.registration, instance, r.product, r.root, reveal(r.entrySecret), cover, shared]);
}

function sealInfo(requestHash: Bytes, version: number): Bytes {
  return encodeCbor([LABELS.registrationSeal, requestHash, version]);
}

type KeyName = Pick<SharedKey, "keyId" | "keyVersion">;

/** By key id in UTF-16 order, then by version. */
function bySharedKey(a: KeyName, b: KeyName): number {
  return compareTexts(a.keyId, b.keyId) || a.keyVersion - b.keyVersion;
}

/** The request that the instance made last, and the MDK version in it. */
export interface OwnRequest {
  readonly bytes: Bytes;
  readonly identityKey: Bytes;
  readonly version: number;
  readonly xwing: HpkePrivateKey;
}

/** An answer that was opened; nothing in it is to be believed before `verified`, but for being shown to the owner. */
export class UnverifiedAnswer {
  /** Whose fingerprint the owner has to confirm. */
  readonly root: Certificate;
  readonly #registration: Registration;
  readonly #signed: { readonly body: Bytes; readonly signature: Bytes };

  /** @throws `malformed` for a root that is no certificate */
  constructor(registration: Registration, signed: { readonly body: Bytes; readonly signature: Bytes }) {
    this.root = readCertificate(registration.root);
    this.#registration = registration;
    this.#signed = signed;
  }

  /** Which product it says it is for. */
  get product(): string {
    return this.#registration.product;
  }

  /**
   * What the instance may keep.
   *
   * @param fingerprint of the root, as the owner confirmed it or as it was pinned before
   * @throws `untrusted` for another root; what `verify` throws
   */
  async verified(fingerprint: Bytes, verify: VerifyDetached): Promise<Registration> {
    // spec: REG-05
    if (!constantTimeEqual(fingerprint, this.root.fingerprint)) {
      throw new PosternError("untrusted", "The answer is by a publisher with another root than the one confirmed");
    }
    await verify(signedText(this.#signed.body), this.#signed.signature, this.root);
    return this.#registration;
  }
}

/**
 * Opens an answer.
 *
 * @throws `too_large`, `malformed`; `mixed_up` for the answer to another request or instance; `tampered`
 */
export async function openRegistrationAnswer(bytes: Bytes, own: OwnRequest): Promise<UnverifiedAnswer> {
  // spec: REG-06
  const limits = { maxBytes: LIMITS.maxRegistrationAnswerBytes };
  const [body, signature] = decodeAs(signedAnswer, bytes, "registration answer", limits);
  const [, hash, version, encapsulated, ciphertext] = decodeAs(answerBody, body, "registration answer");
  if (!equalBytes(hash, sha256(own.bytes)) || version !== own.version) {
    throw new PosternError("mixed_up", "The answer is to another request than the last one of this instance");
  }
  const info = sealInfo(hash, version);
  const plaintext = await openHpke("xwing", own.xwing, info, { encapsulated, ciphertext });
  const [, instance, product, root, entrySecret, cover, shared] = decodeAs(content, plaintext, "registration");
  if (!equalBytes(instance, instanceIdOf(own.identityKey))) {
    throw new PosternError("mixed_up", "The answer is for another instance");
  }
  const sharedKeys = shared.map(([keyId, keyVersion, key]) => ({ keyId, keyVersion, key: new Redacted(key) }));
  if (sharedKeys.some((key, at) => at > 0 && bySharedKey(sharedKeys[at - 1] ?? key, key) >= 0)) {
    throw new PosternError("malformed", "The shared keys of a registration are not in order");
  }
  const registration: Registration = {
    ...{ product, root, entrySecret: new Redacted(entrySecret), sharedKeys },
    cover: cover === null ? null : new Redacted(cover),
  };
  return new UnverifiedAnswer(registration, { body, signature });
}
