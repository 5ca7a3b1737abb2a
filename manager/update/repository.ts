/** What updates keep in the manager's database: configurations, what signers said, revocation lists, how checks ended. */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { IndexMemory, SignerMemory } from "../../shared/manifest/index_memory.ts";
import { bytesUpTo, decodeAs } from "../../shared/protocol/shapes.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { type Crl, readCrl } from "../../shared/x509/crl.ts";
import { tables } from "../store/tables.ts";
import type { UpdateChecksTable } from "../store/schema_releases.ts";
import { readConfig, type UpdateConfig } from "./config.ts";
import { issuerOf } from "./lists.ts";

const allConfigs = compile(tables.selectFrom("update_configs").selectAll().orderBy("product"));
const insertConfig = query((p: { product: string; config: string; rollout_key: Bytes }) =>
  tables.insertInto("update_configs").values({ product: p.product, config: p.config, rollout_key: p.rollout_key })
    .onConflict((c) => c.column("product").doUpdateSet({ config: p.config }))
);
const signersOf = query((p: { product: string }) =>
  tables.selectFrom("update_signers").selectAll().where("product", "=", p.product).orderBy("place")
);
const deleteSigners = query((p: { product: string }) =>
  tables.deleteFrom("update_signers").where("product", "=", p.product)
);
const insertSigner = query((
  p:
    & { product: string; place: number; signer: string; number: number; hash: string; created: number; path: Bytes }
    & { floor: string | null },
) =>
  tables.insertInto("update_signers").values({
    ...{ product: p.product, place: p.place, signer: p.signer, number: p.number, hash: p.hash, created: p.created },
    ...{ floor: p.floor, path: p.path },
  })
);
const listsOf = query((p: { product: string }) =>
  tables.selectFrom("update_lists").select("der").where("product", "=", p.product).orderBy("issuer")
);
const insertList = query((p: { product: string; issuer: string; der: Bytes }) =>
  tables.insertInto("update_lists").values({ product: p.product, issuer: p.issuer, der: p.der })
    .onConflict((c) => c.columns(["product", "issuer"]).doUpdateSet({ der: p.der }))
);
const checkOf = query((p: { product: string }) =>
  tables.selectFrom("update_checks").selectAll().where("product", "=", p.product).limit(1)
);
const insertCheck = query((
  p: { product: string; time: number; outcome: string; version: string | null; detail: string },
) =>
  tables.insertInto("update_checks").values({
    ...{ product: p.product, time: p.time, outcome: p.outcome, version: p.version, detail: p.detail },
  }).onConflict((c) =>
    c.column("product").doUpdateSet({ time: p.time, outcome: p.outcome, version: p.version, detail: p.detail })
  )
);

/** A product that is followed. */
export interface Followed {
  readonly config: UpdateConfig;
  /** 32 bytes (spec: IDX-07). */
  readonly rolloutKey: Bytes;
}

/** All products that are followed, by name. */
export async function followed(db: Database): Promise<Followed[]> {
  const { rows } = await db.execute(allConfigs);
  return rows.map((row) => ({ config: readConfig(row.config), rolloutKey: row.rollout_key }));
}

/**
 * One of them.
 *
 * @param product undefined for the only one
 * @throws `configuration` for none, `usage` when there are several
 */
export async function requireFollowed(db: Database, product: string | undefined): Promise<Followed> {
  const all = await followed(db);
  const fitting = product === undefined ? all : all.filter(({ config }) => config.product === product);
  const [only, ...others] = fitting;
  if (only === undefined) {
    throw new PosternError(
      "configuration",
      "Nothing says where updates come from: see postern update configure --help",
    );
  }
  if (others.length === 0) return only;
  const names = all.map(({ config }) => config.product).join(", ");
  throw new PosternError("usage", `Several products are followed: name one with --product (${names})`);
}

/** Sets a configuration; the roll-out key of the first one stays. */
export function putConfig(config: UpdateConfig, random: RandomBytes): Statement<never> {
  return insertConfig.bind({ product: config.product, config: JSON.stringify(config), rollout_key: random(32) });
}

/** A word that is remembered, with the path of the certificate that it is by. */
export interface SignerRecord extends SignerMemory {
  /** The signer's certificate first, the pinned root last. */
  readonly path: readonly Certificate[];
}

const pathTuple = v.array(bytesUpTo(LIMITS.maxCertificateBytes, 1));

/** The latest one last. */
export async function signerRecords(db: Database, product: string): Promise<SignerRecord[]> {
  const { rows } = await db.execute(signersOf.bind({ product }));
  return rows.map(({ signer, number, hash, created, floor, path }) => ({
    ...{ signer, number, hash, created },
    ...(floor === null ? {} : { floor }),
    path: decodeAs(pathTuple, path, "path of a signer").map((der) => readCertificate(der)),
  }));
}

/** Replaces all that is remembered. @param paths of every signer in it */
export function putMemory(
  product: string,
  memory: IndexMemory,
  paths: ReadonlyMap<string, readonly Certificate[]>,
): Statement<never>[] {
  return [
    deleteSigners.bind({ product }),
    ...memory.map(({ signer, number, hash, created, floor }, place) =>
      insertSigner.bind({
        ...{ product, place, signer, number, hash, created, floor: floor ?? null },
        path: encodeCbor((paths.get(signer) ?? []).map(({ der }) => der)),
      })
    ),
  ];
}

/** The newest verified list of each issuer (spec: CMS-21). */
export async function rememberedLists(db: Database, product: string): Promise<Crl[]> {
  const { rows } = await db.execute(listsOf.bind({ product }));
  return rows.map(({ der }) => readCrl(der));
}

export function putList(product: string, list: Crl): Statement<never> {
  return insertList.bind({ product, issuer: issuerOf(list), der: list.der });
}

/** How the last check ended; null before the first. */
export async function lastCheck(db: Database, product: string): Promise<UpdateChecksTable | null> {
  const { rows: [row] } = await db.execute(checkOf.bind({ product }));
  return row ?? null;
}

export function putCheck(check: UpdateChecksTable): Statement<never> {
  return insertCheck.bind({ ...check });
}
