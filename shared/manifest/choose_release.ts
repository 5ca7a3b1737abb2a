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

/** Why a release that is newer than what is installed is not taken: its publisher took it back, a floor, or its roll-out. */
export type Obstacle = "revoked" | "floor" | "rollout";

/** A newer release that is not taken. */
export interface PassedOver {
  readonly version: string;
  readonly why: Obstacle;
}

/** The newest release that is for this instance now; null when there is none, which is no error. */
export function chooseRelease({ product, releases }: ReleaseIndex, choice: Choice): IndexEntry | null {
  return releases.findLast((one) => isNewer(one, choice) && obstacleOf(one, product, choice) === null) ?? null;
}

/** The releases that are newer than what is installed and not for this instance now, the newest first. */
export function passedOver({ product, releases }: ReleaseIndex, choice: Choice): PassedOver[] {
  return releases.filter((one) => isNewer(one, choice)).toReversed().flatMap((one) => {
    const why = obstacleOf(one, product, choice);
    return why === null ? [] : [{ version: one.version, why }];
  });
}

/** Whether its publisher took back the very version that is installed. */
export function isTakenBack({ releases }: ReleaseIndex, installed: string | undefined): boolean {
  return releases.some(({ version, isRevoked }) => isRevoked && version === installed);
}

function isNewer({ version }: IndexEntry, { installed }: Choice): boolean {
  return installed === undefined || compareVersions(version, installed) > 0;
}

function obstacleOf(
  { version, rollout, isRevoked }: IndexEntry,
  product: string,
  { floor, rolloutKey, ignoresRollout = false }: Choice,
): Obstacle | null {
  if (isRevoked) return "revoked";
  if (floor !== undefined && compareVersions(version, floor) < 0) return "floor";
  return ignoresRollout || isInRollout(rolloutKey, product, version, rollout) ? null : "rollout";
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
