/** The next index: what the one before said, and what changes now (shared/spec/manifest.md, "The index"). Pure. */
import { PosternError } from "../../../shared/errors.ts";
import { higherFloor } from "../../../shared/manifest/index_memory.ts";
import type { IndexEntry, ReleaseIndex } from "../../../shared/manifest/release_index.ts";
import { compareVersions } from "../../../shared/manifest/version.ts";

const ALL = 100;
const MILLIS_PER_SECOND = 1_000;

/** A release that is published now; percent of the instances, or null to leave that as it is (all, for a new one). */
export interface Publishing {
  readonly entry: Omit<IndexEntry, "rollout" | "isRevoked">;
  /** Of its manifest. */
  readonly floor?: string;
  /** Whether another envelope may stand in the place of one that was published under this version. */
  readonly replace: boolean;
}

export interface IndexChange {
  readonly product: string;
  readonly publish: Publishing | null;
  /** A version and the percent of the instances that it is for. */
  readonly rollout: { readonly version: string; readonly percent: number } | null;
  /** Versions that are not to be installed any more. */
  readonly revoke: readonly string[];
  readonly floor: string | undefined;
  /** Millis. */
  readonly expires: number;
  readonly now: number;
}

/**
 * @param before null for one that begins anew
 * @param least what the number must be above
 * @throws `conflict` for another envelope of a version that is published; `not_found` for a version that is not; `mixed_up`; `clock`
 */
export function nextIndex(before: ReleaseIndex | null, least: number, change: IndexChange): ReleaseIndex {
  const { product, publish, rollout, revoke, expires, now } = change;
  if (before !== null && before.product !== product) {
    throw new PosternError("mixed_up", `the place has releases of ${before.product}, not of ${product}`);
  }
  if (before !== null && before.created > now) {
    throw new PosternError("clock", "the index before this one was made later than now: look at the clock");
  }
  const releases = new Map((before?.releases ?? []).map((entry) => [entry.version, entry]));
  if (publish !== null) add(releases, publish);
  if (rollout !== null) {
    releases.set(rollout.version, { ...find(releases, rollout.version), rollout: rollout.percent });
  }
  for (const version of revoke) releases.set(version, { ...find(releases, version), isRevoked: true });
  // spec: IDX-03
  const number = Math.max(before?.number ?? 0, least) + 1;
  if (number * MILLIS_PER_SECOND > now) throw new PosternError("clock", "the clock is too far back for this index");
  const floor = [change.floor, publish?.floor].reduce(higherFloor, before?.floor);
  return {
    ...{ product, number, created: now, expires, ...(floor === undefined ? {} : { floor }) },
    releases: [...releases.values()].sort((a, b) => compareVersions(a.version, b.version)),
  };
}

type Releases = Map<string, IndexEntry>;

function add(releases: Releases, { entry, replace }: Publishing): void {
  const before = releases.get(entry.version);
  const isSame = before?.envelope.sha256 === entry.envelope.sha256 && before.tagName === entry.tagName;
  if (before !== undefined && !isSame && !replace) {
    throw new PosternError(
      "conflict",
      `version ${entry.version} is published with another envelope; --replace puts this one in its place`,
    );
  }
  const other = [...releases.values()].find(({ tagName, version }) =>
    tagName === entry.tagName && version !== entry.version
  );
  if (other !== undefined) {
    throw new PosternError("conflict", `the tag ${entry.tagName} is that of version ${other.version}`);
  }
  releases.set(entry.version, { ...entry, rollout: before?.rollout ?? ALL, isRevoked: before?.isRevoked ?? false });
}

function find(releases: Releases, version: string): IndexEntry {
  const entry = releases.get(version);
  if (entry === undefined) throw new PosternError("not_found", `version ${version} is not published`);
  return entry;
}
