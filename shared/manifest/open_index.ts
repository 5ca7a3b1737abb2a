/** Opens the index of releases as an instance: signature first, then what it says against what is remembered. */
import { toHex } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type IndexMemory, newestIndex } from "./index_memory.ts";
import { requireNotAhead } from "./judge_release.ts";
import { requireSizes, type SignedFile, type VerifySignature } from "./open_manifest.ts";
import { parseIndex, type ReleaseIndex } from "./release_index.ts";

const MILLIS_PER_SECOND = 1_000;

/** What an instance goes by. */
export interface IndexOpening<Signer> {
  readonly verify: VerifySignature<Signer>;
  /** The product that its configuration names. */
  readonly product: string;
  readonly memory: IndexMemory;
  /** Millis since 1970. */
  readonly now: number;
}

/** An index that is to be believed until it expires. */
export interface OpenedIndex<Signer> {
  readonly index: ReleaseIndex;
  /** Of the file, hex: to be remembered. */
  readonly hash: string;
  readonly signer: Signer;
}

/**
 * The index of a signed file (spec: IDX-02, IDX-03, IDX-04, IDX-08).
 *
 * @throws `too_large`, what `verify` throws, `malformed`, `unsupported`; `mixed_up` for another product; `not_yet_valid`;
 * `rolled_back`, `forked`; `stale` past its end
 */
export async function openIndex<Signer>(
  file: SignedFile,
  { verify, product, memory, now }: IndexOpening<Signer>,
): Promise<OpenedIndex<Signer>> {
  requireSizes(file, LIMITS.maxIndexBytes);
  const signer = await verify(file.content, file.signature);
  const index = parseIndex(file.content);
  const hash = toHex(sha256(file.content));
  if (index.product !== product) {
    throw new PosternError("mixed_up", `the index is of ${index.product}, and this instance is for ${product}`);
  }
  judgeIndex(index, hash, memory, now);
  return { index, hash, signer };
}

/** Judges an index by what is remembered and by the clock. @throws `not_yet_valid`, `rolled_back`, `forked`, `stale` */
export function judgeIndex(index: ReleaseIndex, hash: string, memory: IndexMemory, now: number): void {
  requireNotAhead(index.created, now, "the index");
  if (index.number * MILLIS_PER_SECOND > index.created) {
    throw new PosternError("not_yet_valid", `the index has a number, ${index.number}, that its time does not allow`);
  }
  const newest = newestIndex(memory);
  if (newest !== null) {
    if (index.number < newest.number || (index.number > newest.number && index.created < newest.created)) {
      throw new PosternError("rolled_back", `index ${index.number} is older than index ${newest.number}, seen before`);
    }
    if (index.number === newest.number && hash !== newest.hash) {
      throw new PosternError("forked", `there are two indexes of number ${index.number}`);
    }
  }
  if (index.expires <= now) {
    throw new PosternError("stale", "the index is past its time: a newer one is withheld, or the publisher sleeps");
  }
}
