/**
 * The index and its signature at a place. No place replaces two files at once, so the new ones are put beside the old ones under
 * names of their own, and renamed one after the other. Whatever instant a publisher is killed at, one pair that fits is there; the next
 * run finds it. A reader that comes between the two renames sees a signature that does not fit, or no index, and looks again later.
 */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { INDEX_PLACE, INDEX_SIGNATURE_PLACE } from "../../../shared/manifest/places.ts";
import { parseIndex, type ReleaseIndex } from "../../../shared/manifest/release_index.ts";
import { type PublishFolder, uploadOf } from "./place.ts";

/**
 * Verifies a signature as of when the index was made: the certificate of back then may be past its time.
 *
 * @throws what a signature does that does not verify
 */
export type VerifyIndex = (content: Bytes, signature: Bytes, made: number) => Promise<unknown>;

/**
 * The newest index of a folder that verifies, or null if there is no index at all.
 *
 * @throws `signature` and the like if there are files, and none verifies
 */
export async function readIndex(folder: PublishFolder, verify: VerifyIndex): Promise<ReleaseIndex | null> {
  const contents = await folder.versions(INDEX_PLACE, LIMITS.maxIndexBytes);
  if (contents.length === 0) return null;
  const signatures = await folder.versions(INDEX_SIGNATURE_PLACE, 2 * LIMITS.maxCmsBytes + LIMITS.maxIndexBytes);
  let newest: ReleaseIndex | null = null;
  let first: unknown = new PosternError("signature", "the index at this place has no signature");
  for (const content of contents) {
    for (const signature of signatures) {
      try {
        const index = parseIndex(content);
        await verify(content, signature, index.created);
        if (newest === null || index.number > newest.number) newest = index;
      } catch (error) {
        if (!isPosternError(error)) throw error;
        if (isPosternError(first, "signature")) first = error;
      }
    }
  }
  if (newest === null) throw first;
  return newest;
}

/** The highest number that an index of a folder says it has, whoever made it; 0 for none. */
export async function claimedNumber(folder: PublishFolder): Promise<number> {
  const numbers = (await folder.versions(INDEX_PLACE, LIMITS.maxIndexBytes)).map((content) => {
    try {
      return parseIndex(content).number;
    } catch (error) {
      if (isPosternError(error)) return 0;
      throw error;
    }
  });
  return Math.max(0, ...numbers);
}

/** Puts an index in the place of the one before. @throws `conflict` if another publisher did so since the folder was opened */
export async function writeIndexFiles(folder: PublishFolder, content: Bytes, signature: Bytes): Promise<void> {
  await folder.replace([uploadOf(INDEX_PLACE, content), uploadOf(INDEX_SIGNATURE_PLACE, signature)]);
}
