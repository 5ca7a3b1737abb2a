/** Gets at the key of a release as an instance (shared/spec/cover.md, "Opening"). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { PosternError } from "../errors.ts";
import { commitTo, type CoverContext, coverContext, placeOf, wrapMask, xor } from "./derive.ts";
import { type CoverHeader, decodeHeader, findEntry } from "./header.ts";
import type { MemberKeys } from "./member.ts";
import { checkRelease } from "./seal.ts";
import type { Subset } from "./subsets.ts";
import { ancestorAt, depthOf, isWithin, NO_NODE, ROOT } from "./tree.ts";

/**
 * The key that {@link sealToCover} wrapped, the one that the header commits to (spec: COVER-08). Whoever knows it could have made the
 * header: believe neither before the publisher's signature over the header is verified.
 *
 * @param release what names the release, the same bytes that it was sealed for
 * @throws `too_large`, `malformed` for what is no header; `wrong_key` for one of another tree; `revoked` when no entry is for this
 * instance, as in a header of another release; `tampered` when its entry does not hold the key that is committed to
 */
export function openCover(header: Uint8Array, member: MemberKeys, release: Bytes): Bytes {
  checkRelease(release);
  const decoded = decodeHeader(header);
  const { tree, depth, salt, commitment } = decoded;
  if (!equalBytes(tree, member.tree) || depth !== member.depth) {
    throw new PosternError("wrong_key", "The release is sealed to another tree than this instance has keys of");
  }
  const context = coverContext(tree, depth, salt, release);
  const mek = unwrap(decoded, member, context);
  if (!constantTimeEqual(commitTo(mek, context), commitment)) {
    throw new PosternError("tampered", "The key wrapped for this instance is not the one that the header commits to");
  }
  return mek;
}

/** The one entry that is for this instance (spec: COVER-10); from the root down, as most of the instances are in the largest subsets. */
function unwrap({ entries }: CoverHeader, member: MemberKeys, context: CoverContext): Bytes {
  for (let above = 0; above < member.depth; above++) {
    const { tag, mask } = placeOf(member.nodeKey(above), context);
    const entry = findEntry(entries, tag);
    if (entry === null) continue;
    const label = member.labelOf(subsetAt(ancestorAt(member.node, above), xor(entry.place, mask), member.depth));
    if (label !== null) return xor(entry.wrapped, wrapMask(label, context));
  }
  throw new PosternError("revoked", "The release is sealed to others than this instance: it was revoked");
}

/** @throws `tampered` for a place that no honest entry has: none of the node's own, or none at all */
function subsetAt(within: number, place: Bytes, depth: number): Subset {
  const without = place.reduce((number, byte) => number * 0x100 + byte, 0);
  const isEveryone = without === NO_NODE && within === ROOT;
  const isBelow = without > within && isWithin(without, within) && depthOf(without) <= depth;
  if (!isEveryone && !isBelow) throw new PosternError("tampered", "An entry of the cover leaves out what it has not");
  return { within, without };
}
