/** Which release of an index an instance takes, and when it is its turn (spec: IDX-07). */
import type { Bytes } from "../bytes/bytes.ts";
import { hmacSha256 } from "../crypto/hash.ts";
import { jcs } from "./json.ts";
import { MANIFEST_LABELS } from "./labels.ts";
import type { IndexEntry, ReleaseIndex } from "./release_index.ts";
import { compareVersions } from "./version.ts";

const TWO_POW_32 = 0x1_0000_0000;

/** What an instance chooses by. */
export interface Choice {
  /** The version that runs; undefined before the first. */
  readonly installed?: string | undefined;
  /** The highest floor of all that are remembered, that of the index included. */
  readonly floor?: string | undefined;
  /** 32 random bytes of the instance that never leave it. */
  readonly rolloutKey: Bytes;
  /** The owner takes a release before its turn. */
  readonly ignoresRollout?: boolean;
}

/** The newest release that is for this instance now; null when there is none, which is no error. */
export function chooseRelease({ product, releases }: ReleaseIndex, choice: Choice): IndexEntry | null {
  const { installed, floor, rolloutKey, ignoresRollout = false } = choice;
  const fits = ({ version, rollout, isRevoked }: IndexEntry) =>
    !isRevoked && (installed === undefined || compareVersions(version, installed) > 0) &&
    (floor === undefined || compareVersions(version, floor) >= 0) &&
    (ignoresRollout || isInRollout(rolloutKey, product, version, rollout));
  return releases.findLast(fits) ?? null;
}

/**
 * Whether an instance is among the first `percent` of a release. The answer stays as the percentage grows, and nobody without the
 * key can tell or choose who is first.
 */
export function isInRollout(rolloutKey: Bytes, product: string, version: string, percent: number): boolean {
  const hash = hmacSha256(rolloutKey, jcs([MANIFEST_LABELS.rollout, product, version]));
  const place = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
  return 100 * place < percent * TWO_POW_32;
}
