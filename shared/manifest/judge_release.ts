/** Whether a release that is well signed is to be installed by this instance now (spec: MAN-20, MAN-21, MAN-22). Pure. */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { IndexEntry, NamedFile } from "./release_index.ts";
import type { ReleaseFacts } from "./manifest.ts";
import { compareVersions } from "./version.ts";

/** What an instance accepts. */
export interface ReleasePolicy {
  /** The product that its configuration names. */
  readonly product: string;
  /** Whether its configuration allows schema 1, which commits to nothing (spec: MAN-09). */
  readonly allowsSchema1: boolean;
  /** The version that runs; undefined before the first. */
  readonly installed?: string | undefined;
  /** The highest floor that it remembers. */
  readonly floor?: string | undefined;
  /** The release as the index names it, where an index does. */
  readonly named?: IndexEntry;
}

/** @throws `unsupported` for schema 1 where the configuration does not allow it */
export function requireSchema(schema: 1 | 2 | 3, { allowsSchema1 }: ReleasePolicy): void {
  if (schema !== 1 || allowsSchema1) return;
  throw new PosternError(
    "unsupported",
    "the envelope is of schema 1, which this instance's configuration does not allow",
  );
}

/** @throws `mixed_up` if the index names another file (spec: IDX-06, IDX-09) */
export function requireNamedFile(content: Bytes, named: NamedFile, what: "envelope" | "manifest"): void {
  if (content.length !== named.size || toHex(sha256(content)) !== named.sha256) {
    throw new PosternError("mixed_up", `the ${what} is another file than the index names`);
  }
}

/**
 * Passes a release that this instance may take now.
 *
 * @param now Millis since 1970
 * @throws `mixed_up` for another product, or another release than the index names; `not_yet_valid`, `expired`; `rolled_back` below
 * what is installed or a floor
 */
export function judgeRelease(facts: ReleaseFacts, policy: ReleasePolicy, now: number): void {
  const { product, installed, floor, named } = policy;
  if (facts.product !== product) {
    throw new PosternError("mixed_up", `the release is of ${facts.product}, and this instance is for ${product}`);
  }
  if (named !== undefined) requireNamed(facts, named);
  requireNotAhead(facts.created, now, "the release");
  if (facts.expires <= now) {
    throw new PosternError("expired", `release ${facts.version} is past its time; a newer one is needed`);
  }
  if (installed !== undefined && compareVersions(facts.version, installed) < 0) {
    throw new PosternError("rolled_back", `release ${facts.version} is older than ${installed}, which is installed`);
  }
  if (floor !== undefined && compareVersions(facts.version, floor) < 0) {
    throw new PosternError("rolled_back", `release ${facts.version} is below ${floor}, the publisher's floor`);
  }
}

/** @throws `not_yet_valid` for a time further ahead than clocks may differ */
export function requireNotAhead(created: number, now: number, what: string): void {
  if (created <= now + LIMITS.maxClockLeadMillis) return;
  throw new PosternError("not_yet_valid", `${what} was made in the future; is this machine's clock right?`);
}

function requireNamed(facts: ReleaseFacts, named: IndexEntry): void {
  for (const name of ["version", "tagName", "created", "isCritical"] as const) {
    if (facts[name] !== named[name]) {
      throw new PosternError("mixed_up", `the envelope is of another release than the index names: ${name}`);
    }
  }
}
