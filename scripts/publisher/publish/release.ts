/** A release as it lies before it is published: envelope, signature, manifest and files, which must belong together. */
import { join, resolve } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import { parseManifest, type ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { ENVELOPE_NAME, ENVELOPE_SIGNATURE_NAME } from "../../../shared/manifest/places.ts";
import { readBounded } from "../../../manager/files/read_bounded.ts";
import type { ScriptSurroundings } from "../surroundings.ts";
import { uploadFile } from "./checked_file.ts";
import { type Upload, uploadOf } from "./place.ts";

/** Where the parts of a release lie. */
export interface ReleaseParts {
  readonly releaseDir: string;
  readonly manifest: string;
  readonly envelope: string;
  readonly signature: string;
}

export interface Release {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Bytes;
  readonly envelope: Bytes;
  /** Each content once, in the order in which they are to be published; the envelope and its signature last. */
  readonly uploads: readonly Upload[];
}

/** Verifies the envelope's signature. */
export type VerifyEnvelope = (content: Bytes, signature: Bytes) => Promise<unknown>;

/**
 * Reads a release. The files are read when they are sent, and must then be what the manifest says.
 *
 * @throws `mixed_up` when envelope and manifest are not of one release; `expired`; what `verify` throws; `malformed`, `not_found`, `storage`
 */
export async function readRelease(
  parts: ReleaseParts,
  verify: VerifyEnvelope,
  onRead: (bytes: number) => void,
  s: ScriptSurroundings,
): Promise<Release> {
  const folder = resolve(s.cwd, parts.releaseDir);
  const manifestBytes = await readBounded(resolve(s.cwd, parts.manifest), LIMITS.maxManifestBytes);
  const manifest = parseManifest(manifestBytes);
  const envelope = await readBounded(resolve(s.cwd, parts.envelope), LIMITS.maxEnvelopeBytes);
  const maxSignature = LIMITS.maxReleaseSignatureBytes + envelope.length;
  const signature = await readBounded(resolve(s.cwd, parts.signature), maxSignature);
  await verify(envelope, signature);
  requireTogether(manifest, envelope);
  if (manifest.expires <= s.now()) throw new PosternError("expired", "the release is past its time; describe it anew");
  const contents = new Map(manifest.files.map((file) => [file.sha256, file]));
  const files = [...contents.values()].map(({ path, size, sha256 }) =>
    uploadFile(join(folder, path), { name: sha256, size, sha256 }, onRead)
  );
  const signed = [uploadOf(ENVELOPE_NAME, envelope), uploadOf(ENVELOPE_SIGNATURE_NAME, signature)];
  return { manifest, manifestBytes, envelope, uploads: [...files, ...signed] };
}

function requireTogether(manifest: ReleaseManifest, bytes: Bytes): void {
  const envelope = parseEnvelope(bytes);
  const outside = envelope.schema === 1
    ? [envelope.version, envelope.tagName, envelope.isCritical]
    : [envelope.version, envelope.tagName, envelope.isCritical, ...rest(envelope)];
  const inside = [manifest.version, manifest.tagName, manifest.isCritical, ...rest(manifest)].slice(0, outside.length);
  if (outside.some((value, at) => value !== inside[at])) {
    throw new PosternError("mixed_up", "the encrypted manifest is of another release than the manifest");
  }
}

function rest(
  { product, created, expires, floor }: Pick<ReleaseManifest, "product" | "created" | "expires" | "floor">,
) {
  return [product, created, expires, floor];
}
