/** Small fleets that know everything about themselves. */
import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { type CborValue, decodeCbor } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { type Label, stepLabel } from "../../../shared/cover/derive.ts";
import { type MemberKeys, memberKeys } from "../../../shared/cover/member.ts";
import { sealToCover } from "../../../shared/cover/seal.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";

export const RELEASE = utf8("release 1.2.0");

/** A tree with the keys of all its leaves. */
export interface Fleet {
  readonly secret: CoverSecret;
  readonly members: readonly MemberKeys[];
}

export function fleetOf(depth: number): Fleet {
  const secret = CoverSecret.create(webCryptoRandom, depth);
  return { secret, members: Array.from({ length: 2 ** depth }, (_, leaf) => memberKeys(secret, leaf)) };
}

export function sealFor(secret: CoverSecret, revoked: readonly number[], mek: Bytes, release = RELEASE): Bytes {
  return sealToCover({ secret, revoked, release, random: webCryptoRandom }, mek);
}

/** Any set of leaves of a tree, the empty and the full one included. */
export function revokedSets(depth: number): fc.Arbitrary<number[]> {
  return fc.subarray(Array.from({ length: 2 ** depth }, (_, leaf) => leaf));
}

/**
 * In hexadecimal, every key that an instance can come by: all that it was given, and what follows from it by as many steps as it likes.
 * Takes apart the encoding by itself, and asks nothing of the code that opens.
 */
export function reachOf(member: MemberKeys): Set<string> {
  const fields = decodeCbor(member.encode()) as CborValue[];
  const reached = new Set<string>();
  const reach = (label: Label, steps: number) => {
    reached.add(toHex(label));
    if (steps > 0) { for (const side of [0, 1] as const) reach(stepLabel(label, side), steps - 1); }
  };
  for (const keys of fields.slice(4) as Bytes[]) {
    for (let at = 0; at < keys.length; at += 32) reach(secretKey<"CoverLabel">(keys.slice(at, at + 32)), member.depth);
  }
  return reached;
}
