/** Pairing on the manager's side: from a device's request, or for a certificate brought along (shared/spec/pairing.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { HPKE_SUITES, hpkePublicKeyOfSpki, isHpkeSuite, requireHpkePublicKey } from "../../shared/crypto/hpke_keys.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { checkCode, encodePairingGrant, readPairingRequest } from "../../shared/protocol/pairing.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { issueDevice } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { newestHead } from "../heads/repository.ts";
import { signingKey } from "../owner/keys.ts";
import { currentStatement } from "../owner/statement.ts";
import { COUNTERS, next } from "../store/counters.ts";
import type { DevicesTable } from "../store/schema.ts";
import { activeDevices, insertDevice } from "./repository.ts";

const DAY_MILLIS = 86_400_000;
const DEVICE_DAYS = 10 * 365;

/** A device that waits for the owner to compare the check code. */
export interface PendingDevice {
  readonly device: DevicesTable;
  readonly grant: Bytes;
  readonly checkCode: string;
}

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
  await requireSuite(asked, options.allowClassical);
  if ((await activeDevices(db)).length >= LIMITS.maxDevices) {
    throw new PosternError("too_large", `There are ${LIMITS.maxDevices} devices already; revoke one first`);
  }
  const certificate = options.certificate ?? await issueFor(db, asked.publicKey, now, random);
  requireSameKey(certificate, asked.publicKey);
  const statement = await currentStatement(db);
  const [edge] = statement.edges;
  if (edge === undefined) throw new PosternError("configuration", "The owner statement names no edge");
  const id = random(16);
  const registration = await next(db, COUNTERS.registration);
  const newest = await newestHead(db);
  const grant = encodePairingGrant({
    ...{ owner: statement.owner, device: id, registration, certificate: certificate.der, origin: edge.origin },
    ...{ edgeKey: edge.key, statement: { number: statement.number, hash: statement.hash }, request: sha256(request) },
    newest: newest === null ? null : { generation: newest.generation, head: newest.hash },
  });
  const device: DevicesTable = {
    ...{ id, registration, name: options.name ?? asked.name, public_key: asked.publicKey, suite: asked.suite },
    ...{
      certificate: certificate.der,
      kem_public_key: asked.kemPublicKey,
      state: "pending",
      added: now,
      revoked: null,
    },
    ...{ pairing_request: request, pairing_grant: grant },
  };
  await db.execute(insertDevice(device));
  return { device, grant, checkCode: checkCode(request, grant) };
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
): Promise<void> {
  const { suite, kemPublicKey, publicKey } = asked;
  if (!isHpkeSuite(suite)) throw new PosternError("unsupported", `The device asks for the unknown suite '${suite}'`);
  if (!HPKE_SUITES[suite].quantumSafe && !allowClassical) {
    throw new PosternError(
      "usage",
      `The suite ${suite} falls to a quantum computer, and with it everything of its epochs; consent with --allow-classical`,
    );
  }
  if (kemPublicKey !== null) return await requireHpkePublicKey(suite, kemPublicKey);
  // spec: PAIR-05
  if (hpkePublicKeyOfSpki(publicKey).suite !== suite) {
    throw new PosternError("malformed", "The device's own key does not fit the suite that it asks for");
  }
}

function requireSameKey(certificate: Certificate, publicKey: Bytes): void {
  if (certificate.spki.length === publicKey.length && certificate.spki.every((byte, i) => byte === publicKey[i])) {
    return;
  }
  throw new PosternError("malformed", "The certificate brought along is for another key than the one that asks");
}

async function issueFor(db: Database, spki: Bytes, now: number, random: RandomBytes): Promise<Certificate> {
  const { root } = await currentStatement(db);
  const { key } = await signingKey(db, "root");
  const issuer = readCertificate(root);
  const notAfter = Math.min(now + DEVICE_DAYS * DAY_MILLIS, issuer.notAfter);
  return await issueDevice(issuer, cryptoKeySigner(key), spki, { notBefore: now - DAY_MILLIS, notAfter }, random);
}
