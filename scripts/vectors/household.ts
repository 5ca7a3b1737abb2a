/** The owner, edge and device of all examples. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { secretKey, type SymKey } from "../../shared/crypto/brand.ts";
import { type HpkePrivateKey, importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { importX25519, type X25519KeyPair } from "../../shared/crypto/x25519.ts";
import { deriveEpochKeys, type EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import {
  type EdgeName,
  type OwnerStatement,
  signStatement,
  type VerifiedStatement,
  verifyStatement,
} from "../../shared/protocol/statement.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { issueDevice, issueRoot } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { type FixedSigningKey, seeded, signingKeyFrom } from "./fixed.ts";

/** 2030-01-01T00:00:00Z. */
export const TIME = 1_893_456_000_000;
/** A year, Millis. */
const YEAR = 31_536_000_000;

export interface Household {
  readonly rootKey: FixedSigningKey;
  readonly root: Certificate;
  readonly owner: Bytes;
  readonly incarnation: Bytes;
  readonly manager: FixedSigningKey;
  readonly inboxSeed: Bytes;
  readonly inbox: HpkePrivateKey;
  readonly recoverySeed: Bytes;
  readonly recovery: HpkePrivateKey;
  readonly edgeSecret: Bytes;
  readonly edgeKeys: X25519KeyPair;
  readonly edge: EdgeName;
  readonly device: {
    readonly id: Bytes;
    readonly registration: number;
    readonly name: string;
    readonly key: FixedSigningKey;
    readonly kemSeed: Bytes;
    readonly kem: HpkePrivateKey;
    readonly certificate: Certificate;
  };
  readonly fields: OwnerStatement;
  readonly statement: VerifiedStatement;
  readonly epoch: number;
  readonly symKey: SymKey;
  readonly keys: EpochKeys;
}

export async function makeHousehold(): Promise<Household> {
  const random = seeded("postern example household");
  const rootKey = await signingKeyFrom(random(32));
  const rootSigner = cryptoKeySigner(rootKey.privateKey);
  const validity = { notBefore: TIME - YEAR, notAfter: TIME + 20 * YEAR };
  const root = await issueRoot(rootSigner, rootKey.publicKey, validity, random);
  const manager = await signingKeyFrom(random(32));
  const [inboxSeed, recoverySeed, edgeSecret] = [random(32), random(32), random(32)];
  const edgeKeys = await importX25519(edgeSecret);
  const edge = { origin: "https://edge.example/postern", key: edgeKeys.publicKey };
  const deviceKey = await signingKeyFrom(random(32));
  const kemSeed = random(32);
  const certificate = await issueDevice(root, rootSigner, deviceKey.publicKey, validity, random);
  const [inbox, recovery, kem] = await Promise.all([
    importHpkeKey("xwing", inboxSeed),
    importHpkeKey("xwing", recoverySeed),
    importHpkeKey("xwing", kemSeed),
  ]);
  const owner = root.fingerprint;
  const incarnation = random(16);
  const fields: OwnerStatement = {
    ...{ owner, number: 1, incarnation, managerKey: manager.publicKey, inboxKey: inbox.publicKey },
    ...{ recoveryKey: recovery.publicKey, edges: [edge], time: TIME, base: null },
  };
  const epoch = 7;
  const symKey = secretKey<"SymKey">(random(32));
  return {
    ...{ rootKey, root, owner, incarnation, manager, inboxSeed, inbox, recoverySeed, recovery },
    ...{ edgeSecret, edgeKeys, edge, fields, epoch, symKey },
    device: { id: random(16), registration: 3, name: "Phone", key: deviceKey, kemSeed, kem, certificate },
    statement: await verifyStatement(await signStatement(root.der, fields, rootKey.sign), owner),
    keys: await deriveEpochKeys(symKey, { owner, incarnation, epoch }, null),
  };
}
