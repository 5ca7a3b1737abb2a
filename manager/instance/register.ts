/** Registration at a publisher, on the instance's side (shared/spec/registration.md). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { decodeMemberKeys } from "../../shared/cover/member.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import {
  openRegistrationAnswer,
  type UnverifiedAnswer,
  type VerifyDetached,
} from "../../shared/manifest/registration_answer.ts";
import { makeRegistrationRequest, readRegistrationRequest } from "../../shared/manifest/registration_request.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { noteEvent } from "../audit/note.ts";
import { findBytes, META, setBytes } from "../store/meta.ts";
import { type Instance, openInstance } from "./instance.ts";
import { deriveMdk } from "./mdk.ts";
import { forgetPublisher, putRegistration, type StoredRegistration, storedRegistrations } from "./repository.ts";

/**
 * The request for publishers. It stays the same, so that answers to it fit whenever they come, until the MDK has a newer version.
 *
 * @param now Millis
 */
export async function currentRequest(db: Database, now: number, random: RandomBytes): Promise<Bytes> {
  const instance = await openInstance(db, now, random);
  const made = await findBytes(db, META.registrationRequest);
  if (made !== null && await isOf(made, instance)) return made;
  const { identity, current: { version, xwing, x25519 } } = instance;
  const asked = { identityKey: identity.publicKey, keys: { version, xwing, x25519 }, time: now, nonce: random(16) };
  const request = await makeRegistrationRequest(asked, identity.sign);
  // spec: AUDIT-05
  const used = noteEvent("key.used", "instance", { for: "registration request", mdkVersion: version }, now);
  await db.batch([setBytes(META.registrationRequest, request), used]);
  return request;
}

async function isOf(request: Bytes, { identity, current }: Instance): Promise<boolean> {
  const { identityKey, keys } = await readRegistrationRequest(request);
  return equalBytes(identityKey, identity.publicKey) && keys.version === current.version &&
    equalBytes(keys.xwing, current.xwing);
}

/** An answer, opened, and the version of the MDK that it is sealed to. */
export interface OpenedAnswer {
  readonly answer: UnverifiedAnswer;
  readonly mdkVersion: number;
}

/**
 * Opens a publisher's answer to the last request; nothing is kept yet.
 *
 * @throws as of `openRegistrationAnswer`; `mixed_up` when there was no request
 */
export async function openAnswer(db: Database, bytes: Bytes, now: number, random: RandomBytes): Promise<OpenedAnswer> {
  const { identity, current } = await openInstance(db, now, random);
  const request = await findBytes(db, META.registrationRequest);
  if (request === null) {
    throw new PosternError("mixed_up", "This instance has made no request: postern instance request");
  }
  const { keys: { version } } = await readRegistrationRequest(request);
  if (version !== current.version) {
    throw new PosternError(
      "mixed_up",
      "The MDK was rotated after the request: hand in a new one, postern instance request",
    );
  }
  // spec: AUDIT-01
  await db.execute(noteEvent("key.used", "mdk", { for: "registration answer", version }, now));
  const { xwing } = await deriveMdk(current.secret);
  const own = { bytes: request, identityKey: identity.publicKey, version, xwing };
  return { answer: await openRegistrationAnswer(bytes, own), mdkVersion: version };
}

/** The fingerprint of the root that the instance follows a product by, or null if it does not yet. */
export async function pinnedRoot(db: Database, product: string): Promise<Bytes | null> {
  const known = (await storedRegistrations(db)).find((one) => one.product === product);
  return known === undefined ? null : readCertificate(known.root).fingerprint;
}

/**
 * Keeps an answer.
 *
 * @param fingerprint of the root, confirmed by the owner or pinned before (spec: REG-05)
 * @throws `untrusted`; what `verify` throws; `malformed` for member keys that are none; `too_large` for more than an instance can keep
 */
export async function keepAnswer(
  db: Database,
  { answer, mdkVersion }: OpenedAnswer,
  fingerprint: Bytes,
  verify: VerifyDetached,
  now: number,
): Promise<StoredRegistration> {
  const given = await answer.verified(fingerprint, verify);
  // What will not open a release must not take the place of what does.
  if (given.cover !== null) decodeMemberKeys(reveal(given.cover));
  const kept = { ...given, mdkVersion, registered: now };
  const before = await storedRegistrations(db);
  const others = before.filter(({ product, entrySecret }) =>
    product !== kept.product || !constantTimeEqual(reveal(entrySecret), reveal(kept.entrySecret))
  );
  if (others.length >= LIMITS.maxRegistrations) {
    throw new PosternError("too_large", `An instance keeps at most ${LIMITS.maxRegistrations} registrations`);
  }
  const pinned = before.find(({ product }) => product === kept.product);
  // spec: IDX-05
  const forgotten = pinned === undefined || equalBytes(pinned.root, kept.root) ? [] : forgetPublisher(kept.product);
  const detail = { root: toHex(fingerprint), mdkVersion };
  await db.batch([...forgotten, ...putRegistration(kept), noteEvent("update.configured", kept.product, detail, now)]);
  return kept;
}
