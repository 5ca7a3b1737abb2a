/** The manifest of a release: what is installed (shared/spec/manifest.md, "The manifest"). */
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Fields } from "./fields.ts";
import { type JsonValue, writeJson } from "./json.ts";
import { FORMATS } from "./labels.ts";
import { requirePaths } from "./paths.ts";
import { readCanonicalJson } from "./read_json.ts";
import { compareTexts, compareVersions } from "./version.ts";

const FILE_MODES = ["0644", "0755"] as const;
export type FileMode = typeof FILE_MODES[number];

/** One file of a release. */
export interface ReleaseFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly mode: FileMode;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What is said of a release inside and outside of its encryption. */
export interface ReleaseFacts {
  readonly product: string;
  readonly version: string;
  readonly tagName: string;
  readonly isCritical: boolean;
  /** Millis since 1970. */
  readonly created: number;
  readonly expires: number;
  /** No version below it is to be installed from now on. */
  readonly floor?: string;
}

export interface ReleaseManifest extends ReleaseFacts {
  /** Of the source; hex. */
  readonly commit?: string;
  /** For people; it may say anything. */
  readonly notes?: string;
  /** Sorted by path. */
  readonly files: readonly ReleaseFile[];
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const CARRIAGE_RETURN = /\r/;

/**
 * Reads a manifest, whole and strictly (spec: MAN-04).
 *
 * @throws `too_large`, `malformed`; `unsupported` for another format
 */
export function parseManifest(bytes: Uint8Array): ReleaseManifest {
  const fields = new Fields(readCanonicalJson(bytes, LIMITS.maxManifestBytes, "the manifest"), "the manifest");
  requireFormat(fields, FORMATS.release);
  const facts = readFacts(fields, LIMITS.maxReleaseLifeMillis);
  const commit = fields.optional("commit", () => fields.matching("commit", COMMIT));
  const notes = fields.optional("notes", () => readNotes(fields));
  const files = fields.list("files", 1, LIMITS.maxReleaseFiles).map(readFile);
  fields.end();
  requireFiles(files);
  return { ...facts, ...(commit === undefined ? {} : { commit }), ...(notes === undefined ? {} : { notes }), files };
}

/**
 * The bytes of a manifest; its files may come in any order (spec: MAN-01).
 *
 * @throws what {@link parseManifest} throws for a manifest that it would refuse
 */
export function writeManifest(manifest: ReleaseManifest): Bytes {
  const { commit, notes } = manifest;
  const files = [...manifest.files].sort((a, b) => compareTexts(a.path, b.path));
  const bytes = utf8(writeJson({
    ...{ format: FORMATS.release, ...factsJson(manifest), commit, notes },
    files: files.map(({ path, size, mode, sha256 }) => ({ path, size, mode, sha256 })),
  }));
  parseManifest(bytes);
  return bytes;
}

/** @throws `unsupported` for another format, `malformed` for none */
export function requireFormat(fields: Fields, format: string): void {
  const found = fields.string("format");
  if (found !== format) throw new PosternError("unsupported", `expected the format ${format}, found another one`);
}

/** The members that manifest and envelope share. */
export function readFacts(fields: Fields, maxLifeMillis: number): ReleaseFacts {
  const floor = fields.optional("floor", () => fields.version("floor"));
  const facts = {
    ...{ product: fields.product(), version: fields.version(), tagName: fields.tagName() },
    ...{ isCritical: fields.boolean("is_critical"), ...readLife(fields, maxLifeMillis) },
    ...(floor === undefined ? {} : { floor }),
  };
  if (floor !== undefined && compareVersions(floor, facts.version) > 0) throw fields.wrong("a floor up to its version");
  return facts;
}

/** When it was made and when it ends. */
export function readLife(fields: Fields, maxLifeMillis: number): { created: number; expires: number } {
  const created = fields.integer("created", 0);
  const expires = fields.integer("expires", created + 1);
  if (expires - created > maxLifeMillis) throw fields.wrong("an end that is nearer to its beginning");
  return { created, expires };
}

/** As members, in the names that files have. */
export function factsJson(facts: ReleaseFacts): Record<string, JsonValue | undefined> {
  const { product, version, created, expires, floor } = facts;
  return { product, version, tag_name: facts.tagName, is_critical: facts.isCritical, created, expires, floor };
}

function readNotes(fields: Fields): string {
  const notes = fields.string("notes");
  if (notes.length > LIMITS.maxReleaseNotesBytes || utf8(notes).length > LIMITS.maxReleaseNotesBytes) {
    throw new PosternError("too_large", `the notes have more than ${LIMITS.maxReleaseNotesBytes} bytes`);
  }
  if (CARRIAGE_RETURN.test(notes)) throw fields.wrong("notes whose lines end with LF");
  return notes;
}

function readFile(value: JsonValue): ReleaseFile {
  const fields = new Fields(value, "a file of the manifest");
  const path = fields.string("path");
  const spelledMode = fields.string("mode");
  const mode = FILE_MODES.find((one) => one === spelledMode);
  if (mode === undefined) throw fields.wrong("0644 or 0755 as mode");
  const size = fields.integer("size", 0);
  const sha256 = fields.sha256("sha256");
  fields.end();
  return { path, size, mode, sha256 };
}

function requireFiles(files: readonly ReleaseFile[]): void {
  let total = 0;
  for (const [index, file] of files.entries()) {
    const before = files[index - 1];
    if (before !== undefined && before.path >= file.path) {
      throw new PosternError("malformed", "the files of a manifest must be sorted by path, each path once");
    }
    total += file.size;
    if (total > LIMITS.maxReleaseBytes) throw new PosternError("too_large", "the files of the release are too large");
  }
  requirePaths(files.map(({ path }) => path));
}
