/** The instance's keys and registrations in the manager's database. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import type { Registration } from "../../shared/manifest/registration_answer.ts";
import type { MdksTable, RegistrationsTable } from "../store/schema_releases.ts";
import { tables } from "../store/tables.ts";

/** A version of the MDK as it is stored. */
export interface StoredMdk {
  readonly version: number;
  readonly secret: Redacted<Bytes>;
  /** Public keys, raw. */
  readonly xwing: Bytes;
  readonly x25519: Bytes;
  /** Millis. */
  readonly created: number;
  readonly revoked: number | null;
}

/** What a publisher answered, when, and to which version of the MDK. */
export interface StoredRegistration extends Registration {
  /** The version of the MDK that the publisher seals to. */
  readonly mdkVersion: number;
  /** Millis. */
  readonly registered: number;
}

const allMdks = compile(tables.selectFrom("mdks").selectAll().orderBy("version"));
const insertMdk = query((p: Pick<MdksTable, keyof MdksTable>) =>
  tables.insertInto("mdks").values({
    ...{
      version: p.version,
      secret: p.secret,
      xwing: p.xwing,
      x25519: p.x25519,
      created: p.created,
      revoked: p.revoked,
    },
  })
);
const setRevoked = query((p: { version: number; revoked: number }) =>
  tables.updateTable("mdks").set({ revoked: p.revoked }).where("version", "=", p.version).where("revoked", "is", null)
);
const allRegistrations = compile(
  tables.selectFrom("registrations").selectAll().orderBy("product").orderBy("registered", "desc").orderBy(
    "entry_secret",
  ),
);
const allShared = compile(
  tables.selectFrom("shared_keys").selectAll().orderBy("product").orderBy("key_id").orderBy("key_version"),
);
const forgetSigners = query((p: { product: string }) =>
  tables.deleteFrom("update_signers").where("product", "=", p.product)
);
const forgetLists = query((p: { product: string }) =>
  tables.deleteFrom("update_lists").where("product", "=", p.product)
);
const insertRegistration = query((p: Pick<RegistrationsTable, keyof RegistrationsTable>) =>
  tables.insertInto("registrations").values({
    ...{ product: p.product, root: p.root, entry_secret: p.entry_secret, cover: p.cover, mdk_version: p.mdk_version },
    registered: p.registered,
  })
);
const deleteRegistration = query((p: { product: string; entry_secret: Bytes }) =>
  tables.deleteFrom("registrations").where("product", "=", p.product).where("entry_secret", "=", p.entry_secret)
);
const insertShared = query((p: { product: string; key_id: string; key_version: number; secret: Bytes }) =>
  tables.insertInto("shared_keys").values({
    ...{ product: p.product, key_id: p.key_id, key_version: p.key_version, secret: p.secret },
  }).onConflict((c) => c.columns(["product", "key_id", "key_version"]).doUpdateSet({ secret: p.secret }))
);
const forgetInstance = [
  compile(tables.deleteFrom("shared_keys")),
  compile(tables.deleteFrom("registrations")),
  compile(tables.deleteFrom("mdks")),
  compile(tables.deleteFrom("keys").where("role", "=", "instance")),
];

/** All versions, the oldest first; none before the instance was made. */
export async function storedMdks(db: Database): Promise<StoredMdk[]> {
  const { rows } = await db.execute(allMdks);
  return rows.map(({ secret, ...row }) => ({ ...row, secret: new Redacted(secret) }));
}

/** Adds a version. It fails with `conflict` if there is one of this number. */
export function putMdk({ secret, ...mdk }: StoredMdk): Statement<never> {
  return insertMdk.bind({ ...mdk, secret: reveal(secret) });
}

/** Marks a version as revoked; the first time counts. */
export function markRevoked(version: number, now: number): Statement<never> {
  return setRevoked.bind({ version, revoked: now });
}

/** All of them, by product, the newest of each first; shared keys are the same in all of one product. */
export async function storedRegistrations(db: Database): Promise<StoredRegistration[]> {
  const [{ rows: registrations }, { rows: shared }] = await db.batch([allRegistrations, allShared]);
  return registrations.map((row) => ({
    ...{ product: row.product, root: row.root, entrySecret: new Redacted(row.entry_secret) },
    ...{ cover: row.cover === null ? null : new Redacted(row.cover), mdkVersion: row.mdk_version },
    registered: row.registered,
    sharedKeys: shared.filter(({ product }) => product === row.product).map((key) => ({
      ...{ keyId: key.key_id, keyVersion: key.key_version, key: new Redacted(key.secret) },
    })),
  }));
}

/** Those of one product, the newest first. @throws `not_found` when the instance does not follow it */
export async function registrationsOf(
  db: Database,
  product: string,
): Promise<readonly [StoredRegistration, ...StoredRegistration[]]> {
  const [newest, ...older] = (await storedRegistrations(db)).filter((one) => one.product === product);
  if (newest !== undefined) return [newest, ...older];
  throw new PosternError("not_found", `This instance is not registered for '${product}': see postern instance --help`);
}

/** Forgets what certificates said of a product, and the lists that judged them: under another root none of it is taken. */
export function forgetPublisher(product: string): Statement<never>[] {
  return [forgetSigners.bind({ product }), forgetLists.bind({ product })];
}

/** Keeps a registration, in the place of one with the same entry secret (spec: REG-07). */
export function putRegistration(r: StoredRegistration): Statement<never>[] {
  const { product } = r;
  const entry_secret = reveal(r.entrySecret);
  return [
    deleteRegistration.bind({ product, entry_secret }),
    insertRegistration.bind({
      ...{ product, root: r.root, entry_secret, cover: r.cover === null ? null : reveal(r.cover) },
      ...{ mdk_version: r.mdkVersion, registered: r.registered },
    }),
    ...r.sharedKeys.map(({ keyId, keyVersion, key }) =>
      insertShared.bind({ product, key_id: keyId, key_version: keyVersion, secret: reveal(key) })
    ),
  ];
}

/** Removes everything of the instance, identity included. */
export function removeInstance(): readonly Statement<never>[] {
  return forgetInstance;
}
