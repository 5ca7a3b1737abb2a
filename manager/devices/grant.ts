/** The manager's half of pairing: a device is stored as pending, and granted what it needs to find and know its owner's edge. */
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { sealHpke } from "../../shared/crypto/hpke.ts";
import { HPKE_SUITES, hpkePublicKeyOfSpki, type HpkeSuite } from "../../shared/crypto/hpke_keys.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { failedConstraint } from "../../shared/database/failures.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { checkCode, encodePairingGrant } from "../../shared/protocol/pairing.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { newestHead } from "../heads/repository.ts";
import { currentStatement } from "../owner/statement.ts";
import { COUNTERS, next } from "../store/counters.ts";
import type { DevicesTable } from "../store/schema.ts";
import { activeDevices, insertDevice } from "./repository.ts";

/** A device that waits for the owner to compare the check code. */
export interface PendingDevice {
  readonly device: DevicesTable;
  readonly grant: Bytes;
  readonly checkCode: string;
}

/** A device to be granted. */
export interface NewDevice {
  readonly name: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  readonly suite: HpkeSuite;
  /** Null when the suite uses the device's own key (spec: PAIR-05). */
  readonly kemPublicKey: Bytes | null;
  readonly certificate: Certificate;
  /** What the grant answers: the pairing request, or the DER of a certificate brought along (spec: PAIR-06). */
  readonly request: Bytes;
}

/**
 * Stores the device as pending and makes its grant: nothing is pushed or wrapped for it yet (spec: PAIR-01).
 *
 * @param now Millis
 * @throws `too_large` when there are `LIMITS.maxDevices` already; `usage` for its name; `conflict` for a name in use; `malformed` or
 * `unsupported` for a key to which nothing can be wrapped
 */
export async function grantDevice(
  db: Database,
  asked: NewDevice,
  now: number,
  random: RandomBytes,
): Promise<PendingDevice> {
  requireName(asked.name);
  if ((await activeDevices(db)).length >= LIMITS.maxDevices) {
    throw new PosternError("too_large", `There are ${LIMITS.maxDevices} devices already; revoke one first`);
  }
  const statement = await currentStatement(db);
  const [edge] = statement.edges;
  if (edge === undefined) throw new PosternError("configuration", "The owner statement names no edge");
  const id = random(16);
  const registration = await next(db, COUNTERS.registration);
  const newest = await newestHead(db);
  const { certificate, publicKey, suite, kemPublicKey, request, name } = asked;
  await requireSealable(suite, kemPublicKey ?? hpkePublicKeyOfSpki(publicKey).publicKey);
  const grant = encodePairingGrant({
    ...{ owner: statement.owner, device: id, registration, certificate: certificate.der, origin: edge.origin },
    ...{ edgeKey: edge.key, statement: { number: statement.number, hash: statement.hash }, request: sha256(request) },
    newest: newest === null ? null : { generation: newest.generation, head: newest.hash },
  });
  const device: DevicesTable = {
    ...{ id, registration, name, public_key: publicKey, suite, kem_public_key: kemPublicKey },
    ...{ certificate: certificate.der, state: "pending", added: now, revoked: null },
    ...{ pairing_request: request, pairing_grant: grant },
  };
  await insertNamed(db, device);
  return { device, grant, checkCode: checkCode(request, grant) };
}

/**
 * Tries once what every push does for every device: a key to which nothing can be wrapped (numbers out of range, more bits of RSA than
 * this runtime takes) would stop them all.
 *
 * @throws `malformed`, `unsupported`
 */
async function requireSealable(suite: HpkeSuite, publicKey: Bytes): Promise<void> {
  await sealHpke(suite, publicKey, EMPTY, new Uint8Array(32));
}

/** A suite that a quantum computer breaks opens whatever is recorded of its epochs (spec: WRAP-04). @throws `usage` */
export function requireConsent(suite: HpkeSuite, allowClassical: boolean): void {
  if (HPKE_SUITES[suite].quantumSafe || allowClassical) return;
  throw new PosternError(
    "usage",
    `The suite ${suite} falls to a quantum computer, and with it everything of its epochs; consent with --allow-classical`,
  );
}

/** spec: PAIR-01 */
function requireName(name: string): void {
  if (name.length >= 1 && name.length <= LIMITS.maxDeviceNameChars && name.isWellFormed() && !/\p{Cc}/u.test(name)) {
    return;
  }
  throw new PosternError(
    "usage",
    `A device's name has 1 to ${LIMITS.maxDeviceNameChars} characters, without control characters; choose one with --name`,
  );
}

async function insertNamed(db: Database, device: DevicesTable): Promise<void> {
  try {
    await db.execute(insertDevice(device));
  } catch (error) {
    if (failedConstraint(error)?.name !== "devices.name") throw error;
    throw new PosternError(
      "conflict",
      `There is a device named '${device.name}' already: revoke that one first, or choose another name with --name`,
      { cause: error },
    );
  }
}
