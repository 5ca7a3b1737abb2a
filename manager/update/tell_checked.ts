/** Why a look for a release ended as it did, for people. Pure. */
import type { Obstacle, PassedOver } from "../../shared/manifest/choose_release.ts";
import type { ReleaseManifest } from "../../shared/manifest/manifest.ts";
import type { UpdateChecksTable } from "../store/schema_releases.ts";

export const TAKEN_BACK = "its publisher took back the version that is installed";

const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  revoked: "its publisher took it back",
  floor: "it is below a floor that its publisher set",
  rollout: "it is rolled out in steps, and it is not this instance's turn yet (--early takes it)",
};

/** What a check found. */
export interface Findings {
  /** The release that is for this instance now; null if there is nothing newer. */
  readonly release: ReleaseManifest | null;
  /** What is newer than the installed version, and why it is not for this instance now; the newest first. */
  readonly passed: readonly PassedOver[];
  /** The publisher took back the version that is installed. */
  readonly isTakenBack: boolean;
}

/** What a check has to say beside what it found; empty when that is all. */
export function tellChecked({ release, passed, isTakenBack }: Findings): string {
  // What is older than what was found is of no interest.
  const [newest] = release === null ? passed : [];
  return [
    ...newest === undefined ? [] : [`${newest.version} is there: ${OBSTACLES[newest.why]}`],
    ...isTakenBack ? [TAKEN_BACK] : [],
  ].join("; ");
}

/** How the last check came to nothing. @param check null before the first */
export function tellNothing(check: UpdateChecksTable | null): string {
  if (check?.outcome === "found") {
    return `release ${check.version} did not work or was gone back from: postern update apply takes it`;
  }
  return check === null || check.detail === "" ? "nothing newer" : `nothing newer; ${check.detail}`;
}
