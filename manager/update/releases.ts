/** The manifest database: every release that passed all checks, decrypted, in the manager's encrypted database. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { parseManifest, type ReleaseManifest, writeManifest } from "../../shared/manifest/manifest.ts";
import { compareVersions } from "../../shared/manifest/version.ts";
import type { ReleasesTable } from "../store/schema_releases.ts";
import { tables } from "../store/tables.ts";

/** A backup's record holds several of them. */
const PART_BYTES = 1_048_576;

/** A release as it is known here. */
export type ReleaseRecord = Readonly<ReleasesTable>;
export type Origin = ReleasesTable["origin"];

type Named = { product: string; version: string };

const recordsOf = query((p: { product: string }) =>
  tables.selectFrom("releases").selectAll().where("product", "=", p.product)
);
const partsOf = query((p: Named) =>
  tables.selectFrom("release_parts").select("bytes").where("product", "=", p.product).where("version", "=", p.version)
    .orderBy("part")
);
const insertRelease = query((
  p: Named & { tag_name: string; signer: string; origin: Origin; accepted: number },
) =>
  tables.insertInto("releases").values({
    ...{ product: p.product, version: p.version, tag_name: p.tag_name, signer: p.signer, origin: p.origin },
    ...{ accepted: p.accepted, downloaded: null, applied: null, returned: null },
  }).onConflict((c) =>
    // It was accepted when it was first.
    c.columns(["product", "version"]).doUpdateSet({ tag_name: p.tag_name, signer: p.signer, origin: p.origin })
  )
);
const deleteParts = query((p: Named) =>
  tables.deleteFrom("release_parts").where("product", "=", p.product).where("version", "=", p.version)
);
const insertPart = query((p: Named & { part: number; bytes: Bytes }) =>
  tables.insertInto("release_parts").values({ product: p.product, version: p.version, part: p.part, bytes: p.bytes })
);
const setDownloaded = query((p: Named & { time: number }) =>
  tables.updateTable("releases").set({ downloaded: p.time }).where("product", "=", p.product)
    .where("version", "=", p.version)
);
const setApplied = query((p: Named & { time: number }) =>
  tables.updateTable("releases").set({ applied: p.time, returned: null }).where("product", "=", p.product)
    .where("version", "=", p.version)
);
const setReturned = query((p: Named & { time: number }) =>
  tables.updateTable("releases").set({ returned: p.time }).where("product", "=", p.product)
    .where("version", "=", p.version)
);

/** Marks what became of a release, and when. */
export const mark = {
  downloaded: (named: Named, time: number): Statement<never> => setDownloaded.bind({ ...pick(named), time }),
  applied: (named: Named, time: number): Statement<never> => setApplied.bind({ ...pick(named), time }),
  /** The version before was gone back to; unattended, this one is not taken again. */
  returned: (named: Named, time: number): Statement<never> => setReturned.bind({ ...pick(named), time }),
} as const;

const pick = ({ product, version }: Named): Named => ({ product, version });

/** Keeps a release that passed all checks. */
export function putRelease(
  manifest: ReleaseManifest,
  { signer, origin, accepted }: Pick<ReleasesTable, "signer" | "origin" | "accepted">,
): Statement<never>[] {
  const named = pick(manifest);
  const bytes = writeManifest(manifest);
  const parts = Array.from(
    { length: Math.ceil(bytes.length / PART_BYTES) },
    (_, part) => insertPart.bind({ ...named, part, bytes: bytes.slice(part * PART_BYTES, (part + 1) * PART_BYTES) }),
  );
  const release = insertRelease.bind({ ...named, tag_name: manifest.tagName, signer, origin, accepted });
  return [release, deleteParts.bind(named), ...parts];
}

/** All releases of a product that were ever accepted, the newest version first. */
export async function releaseRecords(db: Database, product: string): Promise<ReleaseRecord[]> {
  const { rows } = await db.execute(recordsOf.bind({ product }));
  return [...rows].sort((a, b) => compareVersions(b.version, a.version));
}

/** One of them, with its manifest. @throws `not_found` */
export async function requireRelease(
  db: Database,
  product: string,
  version: string,
): Promise<{ readonly record: ReleaseRecord; readonly manifest: ReleaseManifest }> {
  const record = (await releaseRecords(db, product)).find((one) => one.version === version);
  if (record === undefined) {
    throw new PosternError(
      "not_found",
      `No release ${version} of ${product} is known here: see postern update history`,
    );
  }
  return { record, manifest: await readManifest(db, record) };
}

async function readManifest(db: Database, { product, version }: Named): Promise<ReleaseManifest> {
  const { rows } = await db.execute(partsOf.bind({ product, version }));
  return parseManifest(concat(...rows.map(({ bytes }) => bytes)));
}

/** A release, and what in it was searched for. */
export interface FoundRelease {
  readonly record: ReleaseRecord;
  readonly manifest: ReleaseManifest;
  /** Paths of files with the text in their path or hash; none if it is in something else. */
  readonly paths: readonly string[];
}

/** Releases with a text in their version, tag, commit, notes, or a file's path or hash; capitals do not matter. */
export async function* searchReleases(db: Database, product: string, text: string): AsyncGenerator<FoundRelease> {
  const wanted = text.toLowerCase();
  const has = (value: string | undefined) => value?.toLowerCase().includes(wanted) === true;
  // One at a time: a manifest may have 16 MiB.
  for (const record of await releaseRecords(db, product)) {
    const manifest = await readManifest(db, record);
    const files = manifest.files.filter(({ path, sha256 }) => has(path) || (wanted.length >= 8 && has(sha256)));
    const { version, tagName, commit, notes } = manifest;
    if (files.length > 0 || [version, tagName, commit, notes].some(has)) {
      yield { record, manifest, paths: wanted === "" ? [] : files.map(({ path }) => path) };
    }
  }
}
