/** Pairing on the manager's side, from a device's request (shared/spec/pairing.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import {
  hpkePublicKeyOfSpki,
  type HpkeSuite,
  isHpkeSuite,
  requireHpkePublicKey,
} from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { checkCode, readPairingRequest } from "../../shared/protocol/pairing.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { issueDevice } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { noteEvent } from "../audit/note.ts";
import { signingKey } from "../owner/keys.ts";
import { currentStatement } from "../owner/statement.ts";
import type { DevicesTable } from "../store/schema.ts";
import { grantDevice, type PendingDevice, requireConsent } from "./grant.ts";

const DAY_MILLIS = 86_400_000;
const DEVICE_DAYS = 10 * 365;

export interface PairOptions {
  /** Instead of the name in the request. */
  readonly name?: string;
  /** A certificate that the device brought along; otherwise the owner's root issues one. */
  readonly certificate?: Certificate;
  /** Allow a suite that a quantum computer breaks (spec: WRAP-04). */
  readonly allowClassical: boolean;
}

/**
 * Adds a device as pending and makes its grant.
 *
 * @param request as {@link parsePairingText} gave it
 * @param now Millis
 * @throws `tampered`, `malformed`, `unsupported` for the request; `usage` without consent to a classical suite
 */
export async function pairDevice(
  db: Database,
  request: Bytes,
  options: PairOptions,
  now: number,
  random: RandomBytes,
): Promise<PendingDevice> {
  const asked = await readPairingRequest(request);
  algorithmOfSpki(asked.publicKey);
  const suite = await requireSuite(asked, options.allowClassical);
  const certificate = options.certificate ?? await issueFor(db, asked.publicKey, now, random);
  requireSameKey(certificate, asked.publicKey);
  const { publicKey, kemPublicKey } = asked;
  const name = options.name ?? asked.name;
  return await grantDevice(db, { name, publicKey, suite, kemPublicKey, certificate, request }, now, random);
}

/** The check code of a pending device, as its owner compares it. */
export function codeOf(device: DevicesTable): string {
  if (device.pairing_request === null || device.pairing_grant === null) {
    throw new PosternError("usage", `The device '${device.name}' was not paired by request and has no check code`);
  }
  return checkCode(device.pairing_request, device.pairing_grant);
}

async function requireSuite(
  asked: { readonly suite: string; readonly kemPublicKey: Bytes | null; readonly publicKey: Bytes },
  allowClassical: boolean,
): Promise<HpkeSuite> {
  const { suite, kemPublicKey, publicKey } = asked;
  if (!isHpkeSuite(suite)) throw new PosternError("unsupported", `The device asks for the unknown suite '${suite}'`);
  requireConsent(suite, allowClassical);
  if (kemPublicKey !== null) await requireHpkePublicKey(suite, kemPublicKey);
  // spec: PAIR-05
  else if (hpkePublicKeyOfSpki(publicKey).suite !== suite) {
    throw new PosternError("malformed", "The device's own key does not fit the suite that it asks for");
  }
  return suite;
}

function requireSameKey(certificate: Certificate, publicKey: Bytes): void {
  if (certificate.spki.length === publicKey.length && certificate.spki.every((byte, i) => byte === publicKey[i])) {
    return;
  }
  throw new PosternError("malformed", "The certificate brought along is for another key than the one that asks");
}

async function issueFor(db: Database, spki: Bytes, now: number, random: RandomBytes): Promise<Certificate> {
  const { root } = await currentStatement(db);
  await db.execute(noteEvent("key.used", "root", { for: "device certificate" }, now));
  const { key } = await signingKey(db, "root");
  const issuer = readCertificate(root);
  const notAfter = Math.min(now + DEVICE_DAYS * DAY_MILLIS, issuer.notAfter);
  return await issueDevice(issuer, cryptoKeySigner(key), spki, { notBefore: now - DAY_MILLIS, notAfter }, random);
}
