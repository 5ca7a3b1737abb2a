/** The instance that this manager is to publishers: its identity, and the versions of its MDK. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { exportPkcs8, exportSpki, generateSigningKey } from "../../shared/crypto/signature.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { instanceIdOf } from "../../shared/manifest/registration_request.ts";
import { noteEvent } from "../audit/note.ts";
import { findKey, putKey, type SigningKey, signingKey } from "../owner/keys.ts";
import { deriveMdk, MDK_BYTES } from "./mdk.ts";
import { markRevoked, putMdk, type StoredMdk, storedMdks } from "./repository.ts";

export interface Instance {
  /** 16 bytes (spec: REG-01). */
  readonly id: Bytes;
  readonly identity: SigningKey;
  /** All versions, the oldest first. */
  readonly mdks: readonly StoredMdk[];
  /** The newest version that is not revoked: what publishers shall seal to. */
  readonly current: StoredMdk;
}

/** What makes an instance in a database that has none: its identity, and version 1 of its MDK. */
export async function newInstance(now: number, random: RandomBytes): Promise<Statement<never>[]> {
  const pair = await generateSigningKey("Ed25519", true);
  const identity = { publicKey: await exportSpki(pair.publicKey), privateKey: await exportPkcs8(pair.privateKey) };
  return [
    putKey("instance", 1, identity, now),
    putMdk(await newMdk(1, now, random)),
    noteEvent("key.made", "mdk", { version: 1 }, now),
  ];
}

/**
 * The instance of this database. One that was made before instances were, or restored from such a backup, gets its keys now.
 *
 * @param now Millis
 */
export async function openInstance(db: Database, now: number, random: RandomBytes): Promise<Instance> {
  if (await findKey(db, "instance") === null) await makeOnce(db, await newInstance(now, random));
  const identity = await signingKey(db, "instance");
  const mdks = await storedMdks(db);
  const current = mdks.findLast(({ revoked }) => revoked === null);
  if (current === undefined) throw new PosternError("storage", "Every version of the instance's MDK is revoked");
  return { id: instanceIdOf(identity.publicKey), identity, mdks, current };
}

/** Another process may be quicker. */
async function makeOnce(db: Database, statements: Statement<never>[]): Promise<void> {
  try {
    await db.batch(statements);
  } catch (error) {
    if (!isPosternError(error, "conflict")) throw error;
  }
}

/**
 * Makes the next version of the MDK. Earlier ones stay and open what was sealed to them; publishers seal to the new one once they have
 * its request.
 *
 * @throws `too_large` beyond `LIMITS.maxMdkVersions`; `conflict` when another process rotates at the same time
 */
export async function rotateMdk(db: Database, now: number, random: RandomBytes): Promise<StoredMdk> {
  const { mdks } = await openInstance(db, now, random);
  const version = (mdks.at(-1)?.version ?? 0) + 1;
  if (version > LIMITS.maxMdkVersions) {
    throw new PosternError("too_large", `An instance has at most ${LIMITS.maxMdkVersions} versions of its MDK`);
  }
  const mdk = await newMdk(version, now, random);
  await db.batch([putMdk(mdk), noteEvent("key.made", "mdk", { version }, now)]);
  return mdk;
}

/**
 * Revokes a version of the MDK: it is not offered to publishers any more, and opens nothing that was released afterwards. What was
 * released before it still opens; forgetting it would not make anybody else forget it.
 *
 * @throws `not_found`; `conflict` for the last one that is not revoked
 */
export async function revokeMdk(db: Database, version: number, now: number, random: RandomBytes): Promise<StoredMdk> {
  const { mdks } = await openInstance(db, now, random);
  const found = mdks.find((one) => one.version === version);
  if (found === undefined) {
    throw new PosternError("not_found", `The MDK has no version ${version}: see postern key list`);
  }
  if (found.revoked !== null) return found;
  if (mdks.every((one) => one.version === version || one.revoked !== null)) {
    throw new PosternError(
      "conflict",
      `Version ${version} is the only one: make the next one first, postern key rotate`,
    );
  }
  await db.batch([markRevoked(version, now), noteEvent("key.revoked", "mdk", { version }, now)]);
  return { ...found, revoked: now };
}

async function newMdk(version: number, now: number, random: RandomBytes): Promise<StoredMdk> {
  const secret = new Redacted(random(MDK_BYTES));
  const { xwing, x25519 } = await deriveMdk(secret);
  return { version, secret, xwing: xwing.publicKey, x25519: x25519.publicKey, created: now, revoked: null };
}
