/** Why a look for a release ended as it did, for people. Pure. */
import type { Obstacle } from "../../shared/manifest/choose_release.ts";
import type { UpdateChecksTable } from "../store/schema_releases.ts";
import type { Checked } from "./check.ts";

export const TAKEN_BACK = "its publisher took back the version that is installed";

const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  revoked: "its publisher took it back",
  floor: "it is below a floor that its publisher set",
  rollout: "it is rolled out in steps, and it is not this instance's turn yet (--early takes it)",
};

/** What a check has to say beside what it found; empty when that is all. */
export function tellChecked({ release, passed, isTakenBack }: Omit<Checked, "index">): string {
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
