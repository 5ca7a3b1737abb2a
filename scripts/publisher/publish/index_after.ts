/** The index that `publish_release` signs: what the one before says, and what this run changes. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { NamedFile, ReleaseIndex } from "../../../shared/manifest/release_index.ts";
import { requireVersion } from "../../../shared/manifest/version.ts";
import type { Certificate } from "../../../shared/x509/certificate.ts";
import { readEnd } from "../times.ts";
import { claimedNumber, readIndex } from "./index_files.ts";
import { nextIndex } from "./next_index.ts";
import type { PublishOptions } from "./options.ts";
import type { PublishFolder } from "./place.ts";
import type { Release } from "./release.ts";

/**
 * Reads the index that lies beside, if it is to be gone on with, and makes the next one.
 *
 * @param now Millis
 * @throws `usage`; `not_found` where there is none and none is begun; as `verifyDetached` and `nextIndex`
 */
export async function indexAfter(
  beside: PublishFolder,
  release: Release | null,
  options: PublishOptions,
  roots: readonly Certificate[],
  now: number,
): Promise<ReleaseIndex> {
  const { anew, product, rollout: percent, floor, revoke = [] } = options;
  // Revocation is not asked for: the certificate that signed the index before may be the one that is replaced now.
  const before = anew !== undefined ? null : await readIndex(
    beside,
    (content, signature, made) => verifyDetached(content, signature, { roots, now: Math.min(made, now) }),
  );
  if (before === null && anew === undefined) {
    throw new PosternError("not_found", "there is no index at this place: begin one with --anew");
  }
  const least = anew === undefined ? 0 : Math.max(await claimedNumber(beside), anew === true ? 0 : anew);
  const version = release?.manifest.version ?? options.release;
  if (percent !== undefined && version === undefined) {
    throw new PosternError("usage", "--rollout of which release? Name it with --release");
  }
  if (floor !== undefined) requireVersion(floor, "--floor");
  const change = {
    ...{ product, revoke, floor, now, expires: readEnd(options.expires, now, "--expires") },
    publish: release === null ? null : publishing(release, options),
    rollout: percent === undefined || version === undefined ? null : { version, percent },
  };
  return nextIndex(before, least, change);
}

function publishing({ manifest, manifestBytes, envelope }: Release, options: PublishOptions) {
  const { version, tagName, isCritical, created, floor } = manifest;
  const open = options.public === true ? { manifest: namedFile(manifestBytes) } : {};
  const entry = { version, tagName, isCritical, created, envelope: namedFile(envelope), ...open };
  return { entry, replace: options.replace === true, ...(floor === undefined ? {} : { floor }) };
}

function namedFile(content: Bytes): NamedFile {
  return { size: content.length, sha256: toHex(sha256(content)) };
}
