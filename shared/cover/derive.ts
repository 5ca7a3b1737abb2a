/**
 * Everything that is derived for a cover (spec: COVER-03), all by HMAC-SHA-256 under 32 secret bytes over a labelled array: a PRF, so
 * that no output says anything about another one of the same key.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { type CborInput, encodeCbor } from "../bytes/cbor.ts";
import { type SecretKey, secretKey } from "../crypto/brand.ts";
import { hmacSha256, sha256 } from "../crypto/hash.ts";
import { COVER_LABELS } from "./labels.ts";
import { ancestorAt, depthOf } from "./tree.ts";

/** Of labels, node keys, the publisher's secret and the key that is wrapped. */
export const COVER_KEY_BYTES = 32;
export const TREE_ID_BYTES = 16;
export const SALT_BYTES = 32;
export const COMMITMENT_BYTES = 32;
/** What an entry is found by. Two of a header are alike once in 2^31 headers of the largest size, and are then drawn again. */
export const TAG_BYTES = 8;
/** A node's number, big-endian: up to 2^33. */
export const PLACE_BYTES = 5;

/** What the publisher keeps. */
export type CoverKey = SecretKey<"CoverKey">;
/** Of a node, known to all instances below it, revoked or not: it shows where an entry belongs, and opens nothing. */
export type NodeKey = SecretKey<"CoverNodeKey">;
/** LABEL_i(j) of the paper: known to the instances below i that are not below j. From it follow the labels of all nodes below j. */
export type Label = SecretKey<"CoverLabel">;
/** What a header's values are bound to, 32 bytes: the tree, the salt of this header, and the release. */
export type CoverContext = SecretKey<"CoverContext">;

/** Which tree it is; says nothing about the secret. */
export function treeId(key: CoverKey, depth: number): Bytes {
  return prf(key, COVER_LABELS.tree, depth).slice(0, TREE_ID_BYTES);
}

export function nodeKey(key: CoverKey, depth: number, node: number): NodeKey {
  return secretKey<"CoverNodeKey">(prf(key, COVER_LABELS.node, depth, node));
}

/** LABEL_i(i): the publisher's alone. */
export function startLabel(key: CoverKey, depth: number, node: number): Label {
  return secretKey<"CoverLabel">(prf(key, COVER_LABELS.start, depth, node));
}

/** The label of the subset of all leaves, known to every instance. */
export function everyoneLabel(key: CoverKey, depth: number): Label {
  return secretKey<"CoverLabel">(prf(key, COVER_LABELS.everyone, depth));
}

const STEPS = [encodeCbor([COVER_LABELS.step, 0]), encodeCbor([COVER_LABELS.step, 1])] as const;

/** LABEL_i of a node's left (0) or right (1) child, from that of the node. */
export function stepLabel(label: Label, side: 0 | 1): Label {
  return secretKey<"CoverLabel">(hmacSha256(label, STEPS[side]));
}

/** LABEL_i(to), from LABEL_i(from) of a node above it, or of itself. */
export function labelBelow(label: Label, from: number, to: number): Label {
  let found = label;
  for (let depth = depthOf(from) + 1; depth <= depthOf(to); depth++) {
    found = stepLabel(found, ancestorAt(to, depth) % 2 === 0 ? 0 : 1);
  }
  return found;
}

/** @param release names the release, and nothing else that is sealed under this tree. */
export function coverContext(tree: Bytes, depth: number, salt: Bytes, release: Bytes): CoverContext {
  return secretKey<"CoverContext">(sha256(encodeCbor([COVER_LABELS.context, tree, depth, salt, release])));
}

/** The tag by which those below a node find its entry, and what masks the place in it. */
export function placeOf(key: NodeKey, context: CoverContext): { readonly tag: Bytes; readonly mask: Bytes } {
  const output = prf(key, COVER_LABELS.place, context);
  return { tag: output.slice(0, TAG_BYTES), mask: output.slice(TAG_BYTES, TAG_BYTES + PLACE_BYTES) };
}

/** 32 bytes that the wrapped key is masked with, for those who have the label of a subset. */
export function wrapMask(label: Label, context: CoverContext): Bytes {
  return prf(label, COVER_LABELS.wrap, context);
}

/** What nobody finds two keys for, and says nothing about the one it was made of (spec: COVER-08). */
export function commitTo(mek: Bytes, context: CoverContext): Bytes {
  return prf(mek, COVER_LABELS.commitment, context);
}

/** Masks, and unmasks. Both have the same length. */
export function xor(bytes: Bytes, mask: Bytes): Bytes {
  return bytes.map((byte, i) => byte ^ (mask[i] ?? 0));
}

function prf(key: Bytes, ...message: CborInput[]): Bytes {
  return hmacSha256(key, encodeCbor(message));
}
