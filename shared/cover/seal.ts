/** Wraps the key of a release for everybody but the revoked (shared/spec/cover.md, "Sealing"). */
import { type Bytes, compareBytes, concat } from "../bytes/bytes.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  commitTo,
  COVER_KEY_BYTES,
  type CoverContext,
  coverContext,
  PLACE_BYTES,
  placeOf,
  SALT_BYTES,
  wrapMask,
  xor,
} from "./derive.ts";
import { encodeHeader, ENTRY_BYTES, entryCount, isAscending } from "./header.ts";
import type { CoverSecret } from "./secret.ts";
import { coverOfNodes, revokedNodes, type Subset } from "./subsets.ts";

/** For whom a key is wrapped, and for what. */
export interface CoverSealing {
  readonly secret: CoverSecret;
  /** Numbers of the leaves that must not open it. Everybody who was ever revoked belongs here. */
  readonly revoked: Iterable<number>;
  /** What names the release, up to 1024 bytes; who opens must know it. */
  readonly release: Bytes;
  readonly random: RandomBytes;
}

/**
 * The header by which everybody but the revoked gets at `mek`.
 *
 * @param mek 32 random bytes that no other header wraps: who was revoked since that one would have it (spec: COVER-06)
 * @throws `usage` for a number that no leaf has, or no release; `too_large` for too many revoked, or too long a release;
 * `unsupported` for a key of another size
 */
export function sealToCover({ secret, revoked, release, random }: CoverSealing, mek: Bytes): Bytes {
  if (mek.length !== COVER_KEY_BYTES) {
    throw new PosternError("unsupported", `expected a key of ${COVER_KEY_BYTES} bytes, found ${mek.length}`);
  }
  checkRelease(release);
  const { depth, tree } = secret;
  const leaves = revokedNodes(revoked, depth);
  const subsets = coverOfNodes(leaves);
  const count = entryCount(leaves.length);
  for (;;) {
    const salt = random(SALT_BYTES);
    const context = coverContext(tree, depth, salt, release);
    const entries = sealEntries(subsets, count, { secret, context, random }, mek);
    // Two tags alike, which chance makes once in 2^31 of the largest headers: another salt makes others.
    if (!isAscending(entries)) continue;
    return encodeHeader({ tree, depth, salt, commitment: commitTo(mek, context), entries });
  }
}

/** @throws `usage` for no release, `too_large` for too long a one */
export function checkRelease(release: Bytes): void {
  if (release.length === 0) throw new PosternError("usage", "A cover is sealed for a release, but none is named");
  if (release.length > LIMITS.maxCoverReleaseBytes) {
    throw new PosternError(
      "too_large",
      `A release is named by at most ${LIMITS.maxCoverReleaseBytes} bytes, not ${release.length}`,
    );
  }
}

interface Sealer {
  readonly secret: CoverSecret;
  readonly context: CoverContext;
  readonly random: RandomBytes;
}

/** Sorted, which mixes those that open with those that only fill up (spec: COVER-07). */
function sealEntries(subsets: readonly Subset[], count: number, sealer: Sealer, mek: Bytes): Bytes {
  const filling = sealer.random((count - subsets.length) * ENTRY_BYTES);
  const all = subsets.map((subset) => sealEntry(subset, sealer, mek));
  for (let at = 0; at < filling.length; at += ENTRY_BYTES) all.push(filling.slice(at, at + ENTRY_BYTES));
  all.sort(compareBytes);
  const entries = new Uint8Array(count * ENTRY_BYTES);
  for (const [index, entry] of all.entries()) entries.set(entry, index * ENTRY_BYTES);
  return entries;
}

function sealEntry(subset: Subset, { secret, context }: Sealer, mek: Bytes): Bytes {
  const { tag, mask } = placeOf(secret.nodeKey(subset.within), context);
  const wrapped = xor(mek, wrapMask(secret.labelOf(subset), context));
  return concat(tag, xor(placeBytes(subset.without), mask), wrapped);
}

function placeBytes(node: number): Bytes {
  const bytes = new Uint8Array(PLACE_BYTES);
  for (let i = PLACE_BYTES - 1, rest = node; i >= 0; i--, rest = Math.floor(rest / 0x100)) bytes[i] = rest % 0x100;
  return bytes;
}
