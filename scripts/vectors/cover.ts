/** Example of cover.md: two trees, the keys of their leaves, covers, headers, and who opens them how. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { commitTo, coverContext, placeOf, wrapMask, xor } from "../../shared/cover/derive.ts";
import { decodeHeader, entryCount } from "../../shared/cover/header.ts";
import { type MemberKeys, memberKeys } from "../../shared/cover/member.ts";
import { openCover } from "../../shared/cover/open.ts";
import { sealToCover } from "../../shared/cover/seal.ts";
import { CoverSecret } from "../../shared/cover/secret.ts";
import { coverOf, type Subset } from "../../shared/cover/subsets.ts";
import { isPosternError } from "../../shared/errors.ts";
import { seeded } from "./fixed.ts";
import type { Example, Step } from "./vector.ts";

const RELEASE = utf8("example release 1.2.0");
/** Whose covers are shown: nobody, one, neighbours, all, some that stand apart. */
const SETS: readonly { readonly depth: number; readonly revoked: readonly number[] }[] = [
  { depth: 4, revoked: [] },
  { depth: 4, revoked: [6] },
  { depth: 4, revoked: [6, 7] },
  { depth: 4, revoked: [0, 2, 9, 10] },
  { depth: 3, revoked: [0, 1, 2, 3, 4, 5, 6, 7] },
  { depth: 32, revoked: [0, 305419896, 4294967295] },
];

export function coverExample(): Example {
  const random = seeded("postern example cover");
  const bytes = random(32);
  const sealings = [
    { depth: 4, revoked: [], openers: [0] },
    { depth: 4, revoked: [2, 9], openers: [3, 0, 15, 9] },
    { depth: 32, revoked: [0, 305419896, 4294967295], openers: [305419897, 2147483648, 0] },
  ];
  return {
    page: "cover.md",
    about: "One secret, the trees of depth 4 and 32 that it makes, and releases sealed to them. A subset is S(i, j).",
    steps: [
      ...[4, 32].map((depth) => treeStep(new CoverSecret(bytes, depth), bytes)),
      ...[{ depth: 4, leaf: 5 }, { depth: 32, leaf: 305419897 }].map(({ depth, leaf }) =>
        memberStep(memberKeys(new CoverSecret(bytes, depth), leaf))
      ),
      ...SETS.map(({ depth, revoked }): Step => ({
        name: `cover of ${revoked.join(", ") || "nobody"} at depth ${depth}`,
        inputs: { depth, revoked },
        outputs: { subsets: coverOf(revoked, depth).map(named), entries: entryCount(revoked.length) },
      })),
      ...sealings.flatMap(({ depth, revoked, openers }) => {
        const secret = new CoverSecret(bytes, depth);
        const mek = random(32);
        const header = sealToCover({ secret, revoked, release: RELEASE, random }, mek);
        const title = `header at depth ${depth}, ${revoked.join(", ") || "nobody"} revoked`;
        return [
          { name: title, ...sealed(secret, revoked, mek, header) },
          ...openers.map((leaf) => openStep(title, header, memberKeys(secret, leaf))),
        ];
      }),
    ],
  };
}

function treeStep(secret: CoverSecret, bytes: Uint8Array): Step {
  const { depth } = secret;
  return {
    name: `tree of depth ${depth}`,
    inputs: { secret: bytes, depth },
    outputs: {
      tree: secret.tree,
      everyone: secret.everyoneLabel(),
      node1: secret.nodeKey(1),
      node5: secret.nodeKey(5),
      label1to1: secret.startLabel(1),
      label1to5: secret.labelOf({ within: 1, without: 5 }),
      label5to5: secret.startLabel(5),
      label5to11: secret.labelOf({ within: 5, without: 11 }),
    },
  };
}

function memberStep(member: MemberKeys): Step {
  const encoded = member.encode();
  return {
    name: `keys of leaf ${member.leaf} at depth ${member.depth}`,
    inputs: { depth: member.depth, leaf: member.leaf },
    outputs: {
      ...(member.depth === 4 ? { encoded } : {}),
      length: encoded.length,
      sha256: sha256(encoded),
    },
  };
}

function sealed(secret: CoverSecret, revoked: readonly number[], mek: Uint8Array<ArrayBuffer>, header: Uint8Array) {
  const { salt } = decodeHeader(header);
  const context = coverContext(secret.tree, secret.depth, salt, RELEASE);
  return {
    inputs: { depth: secret.depth, revoked, release: RELEASE, salt, mek },
    outputs: {
      context,
      commitment: commitTo(mek, context),
      entries: coverOf(revoked, secret.depth).map((subset) => {
        const { tag, mask } = placeOf(secret.nodeKey(subset.within), context);
        const label = secret.labelOf(subset);
        return { ...named(subset), tag, mask, label, wrapped: xor(mek, wrapMask(label, context)) };
      }),
      header,
    },
  };
}

function openStep(title: string, header: Uint8Array, member: MemberKeys): Step {
  const inputs = { header: title, depth: member.depth, leaf: member.leaf, release: RELEASE };
  const name = `${title}, opened by leaf ${member.leaf}`;
  try {
    const mek = openCover(header, member, RELEASE);
    return { name, inputs, outputs: { mek } };
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return { name, inputs, outputs: { error: error.code } };
  }
}

function named({ within, without }: Subset): { i: number; j: number } {
  return { i: within, j: without };
}
