import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { EMPTY } from "../../../shared/bytes/bytes.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { decodeMemberKeys, memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { coverOf } from "../../../shared/cover/subsets.ts";
import { depthOf, isWithin, leafNode, NO_NODE, ROOT } from "../../../shared/cover/tree.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { fleetOf, reachOf, revokedSets } from "./fleet.ts";

const DEPTH = 4;

/** All subsets that a cover of a tree could have. */
function allSubsets(depth: number): { within: number; without: number }[] {
  const nodes = Array.from({ length: 2 ** (depth + 1) - 1 }, (_, index) => index + 1);
  const subsets = nodes.flatMap((within) =>
    nodes.filter((without) => without !== within && isWithin(without, within)).map((without) => ({ within, without }))
  );
  return [...subsets, { within: ROOT, without: NO_NODE }];
}

Deno.test("COVER-03 COVER-04 an instance derives the labels of the subsets that it is in, and of no others", () => {
  const { secret, members } = fleetOf(DEPTH);
  const reaches = members.map(reachOf);
  for (const subset of allSubsets(DEPTH)) {
    const label = toHex(secret.labelOf(subset));
    for (const [leaf, member] of members.entries()) {
      const node = leafNode(DEPTH, leaf);
      const isIn = isWithin(node, subset.within) && (subset.without === NO_NODE || !isWithin(node, subset.without));
      if (isWithin(node, subset.within)) {
        assertEquals(member.nodeKey(depthOf(subset.within)), secret.nodeKey(subset.within));
        const found = member.labelOf(subset);
        assertEquals(found === null ? null : toHex(found), isIn ? label : null);
      }
      assertEquals(reaches[leaf]?.has(label), isIn, `leaf ${leaf} in ${subset.within} without ${subset.without}`);
    }
  }
});

Deno.test("COVER-03 revoked instances that pool all they have come by no label of the cover", () => {
  const { secret, members } = fleetOf(DEPTH);
  const reaches = members.map(reachOf);
  fc.assert(fc.property(revokedSets(DEPTH), (revoked) => {
    const pooled = new Set(revoked.flatMap((leaf) => [...reaches[leaf] ?? []]));
    for (const subset of coverOf(revoked, DEPTH)) {
      assert(!pooled.has(toHex(secret.labelOf(subset))), `${revoked} know ${subset.within} without ${subset.without}`);
    }
  }));
});

Deno.test("COVER-03 another depth of the same secret is another tree, with which no key is shared", () => {
  const bytes = webCryptoRandom(32);
  const [small, large] = [3, 4].map((depth) => reachOf(memberKeys(new CoverSecret(bytes, depth), 5)));
  assertEquals([...small ?? []].filter((key) => large?.has(key)), []);
  assert(toHex(new CoverSecret(bytes, 3).tree) !== toHex(new CoverSecret(bytes, 4).tree));
});

Deno.test("COVER-03 a secret and the keys of an instance do not print what they hold", () => {
  // Ten digits: those of a shorter leaf stand in the random identifier of a tree now and then.
  const leaf = 3_141_592_653;
  const secret = CoverSecret.create(webCryptoRandom, 32);
  const member = memberKeys(secret, leaf);
  const printed = [secret, member].map((one) => `${Deno.inspect(one, { depth: 9 })}${JSON.stringify(one)}`).join();
  for (const hidden of [secret.revealBytes(), secret.everyoneLabel()]) {
    assert(!printed.includes(toHex(hidden)) && !printed.includes(hidden.join(", ")));
  }
  assert(!printed.includes(`${leaf}`));
  assertThrows(() => new CoverSecret(new Uint8Array(31)), "unsupported");
  assertThrows(() => new CoverSecret(new Uint8Array(32), 33), "unsupported");
});

Deno.test("COVER-04 the keys of an instance decode to what they were, at every depth and within the limit", () => {
  for (let depth = 1; depth <= 32; depth++) {
    const member = memberKeys(CoverSecret.create(webCryptoRandom, depth), 2 ** depth - 1);
    const encoded = member.encode();
    const decoded = decodeMemberKeys(encoded);
    assertEquals(decoded.encode(), encoded);
    assertEquals([decoded.depth, decoded.leaf, decoded.tree], [depth, 2 ** depth - 1, member.tree]);
    assert(encoded.length <= LIMITS.maxCoverMemberBytes);
    if (depth === 32) assertEquals(encoded.length, 18_008);
  }
});

Deno.test("COVER-04 keys of any other form are refused", () => {
  const good = decodeCbor(memberKeys(CoverSecret.create(webCryptoRandom, 5), 9).encode()) as CborValue[];
  const bytes = (length: number) => new Uint8Array(length);
  const changed = (at: number, value: CborValue) => encodeCbor(good.map((one, index) => index === at ? value : one));
  const wrong = [
    encodeCbor(null),
    encodeCbor([]),
    encodeCbor("postern/1/cover-member"),
    encodeCbor(good.slice(0, -1)),
    encodeCbor([...good, null]),
    changed(0, "postern/1/cover"),
    changed(1, bytes(15)),
    changed(2, 0),
    changed(2, 4),
    changed(2, 6),
    changed(2, 33),
    changed(2, "5"),
    changed(3, 32),
    changed(3, -1),
    changed(3, null),
    changed(4, bytes(4 * 32)),
    changed(5, bytes(16 * 32)),
    changed(6, bytes(0)),
    EMPTY,
  ];
  // Keys of the one leaf of a tree that has no levels, all as they would have to be.
  wrong.push(encodeCbor(good.map((one, at) => at === 2 || at === 3 ? 0 : at === 4 || at === 5 ? EMPTY : one)));
  for (const one of wrong) assertThrows(() => decodeMemberKeys(one), "malformed");
  assertThrows(() => decodeMemberKeys(bytes(LIMITS.maxCoverMemberBytes + 1)), "too_large");
});
