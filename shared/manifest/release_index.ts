/** The index of releases: what there is, and until when that is to be believed (spec: IDX-01). */
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Fields } from "./fields.ts";
import { type JsonValue, writeJson } from "./json.ts";
import { FORMATS } from "./labels.ts";
import { readLife, requireFormat } from "./manifest.ts";
import { readCanonicalJson } from "./read_json.ts";
import { compareVersions } from "./version.ts";

/** A file as an index names it: bytes, lower-case hex. */
export interface NamedFile {
  readonly size: number;
  readonly sha256: string;
}

/** One release. */
export interface IndexEntry {
  readonly version: string;
  readonly tagName: string;
  readonly isCritical: boolean;
  /** Millis since 1970; that of its manifest. */
  readonly created: number;
  /** Percent of the instances, 0 to 100. */
  readonly rollout: number;
  readonly envelope: NamedFile;
  /** The manifest that lies open beside the envelope, of a release for everybody (spec: IDX-09). */
  readonly manifest?: NamedFile;
  /** Not to be installed any more. */
  readonly isRevoked: boolean;
}

export interface ReleaseIndex {
  readonly product: string;
  /** From 1; it only grows. */
  readonly number: number;
  readonly created: number;
  readonly expires: number;
  /** No version below it is to be installed from now on. */
  readonly floor?: string;
  /** By ascending version. */
  readonly releases: readonly IndexEntry[];
}

/**
 * Reads an index, whole and strictly. It says nothing about who made it: call `openIndex`.
 *
 * @throws `too_large`, `malformed`; `unsupported` for another format
 */
export function parseIndex(bytes: Uint8Array): ReleaseIndex {
  const fields = new Fields(readCanonicalJson(bytes, LIMITS.maxIndexBytes, "the index"), "the index");
  requireFormat(fields, FORMATS.index);
  const floor = fields.optional("floor", () => fields.version("floor"));
  const index = {
    ...{ product: fields.product(), number: fields.integer("number", 1) },
    ...readLife(fields, LIMITS.maxIndexLifeMillis),
    ...(floor === undefined ? {} : { floor }),
    releases: fields.list("releases", 0, LIMITS.maxIndexReleases).map(readEntry),
  };
  fields.end();
  requireOrder(index.releases);
  return index;
}

/**
 * The bytes of an index; its releases may come in any order.
 *
 * @throws what {@link parseIndex} throws for an index that it would refuse
 */
export function writeIndex(index: ReleaseIndex): Bytes {
  const { product, number, created, expires, floor } = index;
  const releases = [...index.releases].sort((a, b) => compareVersions(a.version, b.version)).map(entryJson);
  const bytes = utf8(writeJson({ format: FORMATS.index, product, number, created, expires, floor, releases }));
  parseIndex(bytes);
  return bytes;
}

function entryJson(entry: IndexEntry): JsonValue {
  const { version, tagName, isCritical, created, rollout, envelope, manifest, isRevoked } = entry;
  return {
    ...{ version, tag_name: tagName, is_critical: isCritical, created, rollout, envelope: fileJson(envelope) },
    manifest: manifest === undefined ? undefined : fileJson(manifest),
    revoked: isRevoked ? true : undefined,
  };
}

function fileJson({ size, sha256 }: NamedFile): JsonValue {
  return { size, sha256 };
}

function readEntry(value: JsonValue): IndexEntry {
  const fields = new Fields(value, "a release of the index");
  const manifest = fields.optional("manifest", () => readFile(fields.fields("manifest"), LIMITS.maxManifestBytes));
  const entry = {
    ...{ version: fields.version(), tagName: fields.tagName(), isCritical: fields.boolean("is_critical") },
    ...{ created: fields.integer("created", 0), rollout: fields.integer("rollout", 0, 100) },
    envelope: readFile(fields.fields("envelope"), LIMITS.maxEnvelopeBytes),
    ...(manifest === undefined ? {} : { manifest }),
    isRevoked: fields.optional("revoked", () => fields.boolean("revoked")) ?? false,
  };
  fields.end();
  if (fields.has("revoked") && !entry.isRevoked) throw fields.wrong("no member revoked, or a true one");
  return entry;
}

function readFile(fields: Fields, maxBytes: number): NamedFile {
  const file = { size: fields.integer("size", 1, maxBytes), sha256: fields.sha256("sha256") };
  fields.end();
  return file;
}

function requireOrder(releases: readonly IndexEntry[]): void {
  for (const [at, release] of releases.entries()) {
    const before = releases[at - 1];
    if (before !== undefined && compareVersions(before.version, release.version) >= 0) {
      throw new PosternError("malformed", "the releases of an index must be sorted by version, each version once");
    }
  }
}
