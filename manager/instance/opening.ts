/** The keys that open a product's releases, and which of them may. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { decodeMemberKeys } from "../../shared/cover/member.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import type { InstanceKeys, Mdk, Registration } from "../../shared/manifest/instance_keys.ts";
import { deriveMdk } from "./mdk.ts";
import { registrationsOf, type StoredMdk, storedMdks, type StoredRegistration } from "./repository.ts";

/** A version of the MDK, ready to open with. */
export interface OpeningMdk extends Mdk {
  /** When it was revoked, Millis. */
  readonly revoked: number | null;
}

/** Everything that an instance opens one product's releases with; the newest of each first. */
export interface OpeningKeys extends InstanceKeys {
  /** DER of the root that is pinned. */
  readonly root: Bytes;
  readonly mdks: readonly OpeningMdk[];
}

/** @throws `not_found` when the instance does not follow the product */
export async function openingKeys(db: Database, product: string): Promise<OpeningKeys> {
  const registrations = await registrationsOf(db, product);
  const mdks = await Promise.all((await storedMdks(db)).map(openingMdk));
  const [{ root, sharedKeys }] = registrations;
  return { root, mdks: mdks.toReversed(), registrations: registrations.map(openingRegistration), shared: sharedKeys };
}

/**
 * Those that may open a release: a version that was revoked opens only what was released before. Without it a release finds no entry,
 * and is `revoked` to this instance.
 *
 * @param released when the release was signed, Millis
 */
export function keysForRelease(keys: OpeningKeys, released: number): OpeningKeys {
  return { ...keys, mdks: keys.mdks.filter(({ revoked }) => revoked === null || released <= revoked) };
}

async function openingMdk({ secret, version, revoked }: StoredMdk): Promise<OpeningMdk> {
  const { xwing, x25519 } = await deriveMdk(secret);
  return { version, revoked, xwing, x25519 };
}

function openingRegistration({ entrySecret, cover }: StoredRegistration): Registration {
  return cover === null ? { entrySecret } : { entrySecret, member: decodeMemberKeys(reveal(cover)) };
}
