/** The instance out of a manager's database and into another one. */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { noteEvent } from "../audit/note.ts";
import { publicKeyOf } from "../keys/export.ts";
import { readPrivateKeyInfo } from "../keys/private_key_info.ts";
import { newestKey, putKey } from "../owner/keys.ts";
import { META, unset } from "../store/meta.ts";
import type { ExportedInstance } from "./export_file.ts";
import { type Instance, openInstance } from "./instance.ts";
import { deriveMdk } from "./mdk.ts";
import {
  markRevoked,
  putMdk,
  putRegistration,
  removeInstance,
  type StoredMdk,
  type StoredRegistration,
  storedRegistrations,
} from "./repository.ts";

/** Everything of the instance. */
export async function exportInstance(db: Database, now: number, random: RandomBytes): Promise<ExportedInstance> {
  const { mdks } = await openInstance(db, now, random);
  const { private_key: identity } = await newestKey(db, "instance");
  if (identity === null) throw new PosternError("configuration", "The instance's identity key is kept elsewhere");
  return { identity: new Redacted(identity), mdks, registrations: await storedRegistrations(db) };
}

/** What an import changed. */
export interface ImportedInstance {
  /** `replaced` if this manager was another instance before. */
  readonly outcome: "merged" | "replaced";
  readonly versions: readonly number[];
  readonly products: readonly string[];
}

export interface ImportOptions {
  /** Give up the instance that this manager is, although publishers know it. */
  readonly replace: boolean;
}

/**
 * Takes an exported instance in. The same instance is completed: versions and registrations that are not here come, and a revocation on
 * either side counts. Another one takes the place of this one, which must not be registered anywhere unless `replace` is set.
 *
 * @throws `conflict` for another instance while this one is registered, or for one version with two secrets; `malformed`
 */
export async function importInstance(
  db: Database,
  exported: ExportedInstance,
  options: ImportOptions,
  now: number,
  random: RandomBytes,
): Promise<ImportedInstance> {
  const here = await openInstance(db, now, random);
  const publicKey = await identityOf(exported.identity);
  const mdks = await Promise.all(exported.mdks.map(withPublicKeys));
  requireOrder(mdks);
  const registrations = await storedRegistrations(db);
  const isSame = equalBytes(publicKey, here.identity.publicKey);
  if (!isSame && registrations.length > 0 && !options.replace) {
    const products = registrations.map(({ product }) => product).join(", ");
    const advice = "--replace gives it up; export it first if it may be needed";
    throw new PosternError("conflict", `This manager is another instance, registered for ${products}: ${advice}`);
  }
  const statements = isSame
    ? merged(here, mdks, registrations, exported.registrations)
    : replaced({ publicKey, privateKey: reveal(exported.identity) }, mdks, exported.registrations, now);
  const imported = noteEvent("key.imported", "mdk", { versions: mdks.length, replaced: !isSame }, now);
  await db.batch([...statements, unset(META.registrationRequest), imported]);
  return {
    outcome: isSame ? "merged" : "replaced",
    versions: mdks.map(({ version }) => version),
    products: exported.registrations.map(({ product }) => product),
  };
}

function merged(
  here: Instance,
  mdks: readonly StoredMdk[],
  known: readonly StoredRegistration[],
  registrations: readonly StoredRegistration[],
): Statement<never>[] {
  const isOpen = (all: readonly StoredMdk[], version: number) =>
    all.every((one) => one.version !== version || one.revoked === null);
  if (![...here.mdks, ...mdks].some(({ version }) => isOpen(here.mdks, version) && isOpen(mdks, version))) {
    throw new PosternError(
      "conflict",
      "Every version is revoked here or in the export: make a new one, postern key rotate",
    );
  }
  const fromMdks = mdks.flatMap((mdk) => {
    const own = here.mdks.find(({ version }) => version === mdk.version);
    if (own === undefined) return [putMdk(mdk)];
    if (!equalBytes(own.xwing, mdk.xwing)) {
      throw new PosternError("conflict", `Version ${mdk.version} of the MDK is another one here than in the export`);
    }
    return mdk.revoked === null ? [] : [markRevoked(mdk.version, mdk.revoked)];
  });
  const newer = registrations.filter((one) =>
    known.every((own) => !isSameEntry(own, one) || own.registered < one.registered)
  );
  return [...fromMdks, ...newer.flatMap(putRegistration)];
}

function replaced(
  identity: { readonly publicKey: Bytes; readonly privateKey: Bytes },
  mdks: readonly StoredMdk[],
  registrations: readonly StoredRegistration[],
  now: number,
): Statement<never>[] {
  return [
    ...removeInstance(),
    putKey("instance", 1, identity, now),
    ...mdks.map(putMdk),
    ...registrations.flatMap(putRegistration),
  ];
}

function isSameEntry(a: StoredRegistration, b: StoredRegistration): boolean {
  return a.product === b.product && constantTimeEqual(reveal(a.entrySecret), reveal(b.entrySecret));
}

async function withPublicKeys(mdk: ExportedInstance["mdks"][number]): Promise<StoredMdk> {
  const { xwing, x25519 } = await deriveMdk(mdk.secret);
  return { ...mdk, xwing: xwing.publicKey, x25519: x25519.publicKey };
}

/** No version twice, and one at least that publishers can seal to. */
function requireOrder(mdks: readonly StoredMdk[]): void {
  const isRising = mdks.every(({ version }, at) => version > (mdks[at - 1]?.version ?? 0));
  if (isRising && mdks.some(({ revoked }) => revoked === null)) return;
  throw new PosternError("malformed", "The export's versions are not in order, or all of them are revoked");
}

async function identityOf(pkcs8: Redacted<Bytes>): Promise<Bytes> {
  const { kind } = readPrivateKeyInfo(reveal(pkcs8));
  if (kind === "Ed25519") return await publicKeyOf(kind, reveal(pkcs8));
  throw new PosternError("unsupported", "An instance's identity key is an Ed25519 key");
}
