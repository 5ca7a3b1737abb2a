/** Makes an owner: root certificate, keys, first statement, all in one atomic step. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { generateHpkeSecret, importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { exportPkcs8, exportSpki, generateSigningKey, type SignatureAlgorithm } from "../../shared/crypto/signature.ts";
import { sign } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { type EdgeName, signStatement } from "../../shared/protocol/statement.ts";
import { issueRoot } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { findBytes, META, setBytes, setNumber } from "../store/meta.ts";
import { putKey } from "./keys.ts";
import { putStatement } from "./statement.ts";

const DAY_MILLIS = 86_400_000;
/** A root lives long: a new one is a new owner id. */
const ROOT_DAYS = 30 * 365;

export interface NewOwner {
  readonly owner: Bytes;
  readonly root: Bytes;
  /** The only copy of the recovery key: 32 bytes for the owner to keep offline. It is not stored. */
  readonly recoverySeed: Bytes;
}

export interface OwnerOptions {
  readonly edge: EdgeName;
  readonly rootAlgorithm?: SignatureAlgorithm;
  readonly intervalMillis: number;
}

/**
 * Makes the owner of an empty manager database.
 *
 * @param now Millis
 * @throws `conflict` when the database has an owner already
 */
export async function createOwner(
  db: Database,
  options: OwnerOptions,
  now: number,
  random: RandomBytes,
): Promise<NewOwner> {
  if (await findBytes(db, META.owner) !== null) throw new PosternError("conflict", "This manager has an owner already");
  const rootKey = await newSigningKey(options.rootAlgorithm ?? "Ed25519");
  const managerKey = await newSigningKey("Ed25519");
  const inboxKey = await newSealingKey();
  const recoveryKey = await newSealingKey();
  const validity = { notBefore: now - DAY_MILLIS, notAfter: now + ROOT_DAYS * DAY_MILLIS };
  const root = await issueRoot(cryptoKeySigner(rootKey.pair.privateKey), rootKey.publicKey, validity, random);
  const incarnation = random(16);
  const statement = {
    ...{ owner: root.fingerprint, number: 1, incarnation, managerKey: managerKey.publicKey },
    ...{
      inboxKey: inboxKey.publicKey,
      recoveryKey: recoveryKey.publicKey,
      edges: [options.edge],
      time: now,
      base: null,
    },
  };
  const signed = await signStatement(root.der, statement, (bytes) => sign(rootKey.pair.privateKey, bytes));
  await db.batch([
    setBytes(META.owner, root.fingerprint),
    setBytes(META.root, root.der),
    setBytes(META.incarnation, incarnation),
    setBytes(META.recoveryKey, recoveryKey.publicKey),
    setBytes(META.origin, utf8(options.edge.origin)),
    setBytes(META.edgeKey, options.edge.key),
    setNumber(META.intervalMillis, options.intervalMillis),
    putKey("root", 1, rootKey, now),
    putKey("manager", 1, managerKey, now),
    putKey("inbox", 1, inboxKey, now),
    putStatement(1, signed, now),
  ]);
  return { owner: root.fingerprint, root: root.der, recoverySeed: recoveryKey.privateKey };
}

async function newSigningKey(algorithm: SignatureAlgorithm) {
  const pair = await generateSigningKey(algorithm, true);
  return { pair, publicKey: await exportSpki(pair.publicKey), privateKey: await exportPkcs8(pair.privateKey) };
}

async function newSealingKey() {
  const privateKey = await generateHpkeSecret("xwing");
  return { privateKey, publicKey: (await importHpkeKey("xwing", privateKey)).publicKey };
}
