import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { decodeHeader, ENTRY_BYTES, entryCount } from "../../../shared/cover/header.ts";
import { decodeMemberKeys, memberKeys } from "../../../shared/cover/member.ts";
import { openCover } from "../../../shared/cover/open.ts";
import { sealToCover } from "../../../shared/cover/seal.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { randomLeaf } from "../../../shared/cover/tree.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { fleetOf, RELEASE, revokedSets, sealFor } from "./fleet.ts";

const trees = [1, 2, 3, 5].map((depth) => ({ depth, fleet: fleetOf(depth) }));

Deno.test("COVER-06 COVER-10 exactly those open a release who are not revoked, whoever is", () => {
  for (const { depth, fleet: { secret, members } } of trees) {
    fc.assert(
      fc.property(revokedSets(depth), (revoked) => {
        const mek = webCryptoRandom(32);
        const header = sealFor(secret, revoked, mek);
        for (const member of members) {
          if (revoked.includes(member.leaf)) assertThrows(() => openCover(header, member, RELEASE), "revoked");
          else assertEquals(openCover(header, member, RELEASE), mek);
        }
      }),
      { numRuns: 20 },
    );
  }
});

Deno.test("COVER-10 of 2^32 leaves with 100 revoked at random each of those is refused, others and newcomers open", () => {
  const secret = CoverSecret.create(webCryptoRandom);
  const revoked = [...new Set(Array.from({ length: 100 }, () => randomLeaf(32, webCryptoRandom)))];
  const mek = webCryptoRandom(32);
  const header = sealFor(secret, revoked, mek);
  assert(header.length <= 16_384, `${header.length} bytes`);
  for (const leaf of revoked) {
    assertThrows(() => openCover(header, memberKeys(secret, leaf), RELEASE), "revoked");
    // The neighbour, whose way is the longest to part from it.
    const beside = leaf % 2 === 0 ? leaf + 1 : leaf - 1;
    if (!revoked.includes(beside)) assertEquals(openCover(header, memberKeys(secret, beside), RELEASE), mek);
  }
  for (const leaf of [0, 2 ** 32 - 1, randomLeaf(32, webCryptoRandom)].filter((one) => !revoked.includes(one))) {
    assertEquals(openCover(header, decodeMemberKeys(memberKeys(secret, leaf).encode()), RELEASE), mek);
  }
});

Deno.test("COVER-07 the size of a header depends on how many are revoked alone, in steps of two", () => {
  const { secret } = fleetOf(8);
  const sizeOf = (revoked: readonly number[]) => decodeHeader(sealFor(secret, revoked, webCryptoRandom(32))).entries;
  const some = Array.from({ length: 32 }, (_, index) => index);
  for (const revoked of [[], [1], [255, 0], some, some.map((leaf) => 8 * leaf + leaf % 8)]) {
    assertEquals(sizeOf(revoked).length, 64 * ENTRY_BYTES);
  }
  for (const more of [33, 64]) {
    assertEquals(sizeOf(Array.from({ length: more }, (_, index) => 3 * index)).length, 128 * ENTRY_BYTES);
    assertEquals(sizeOf(Array.from({ length: more }, (_, index) => index)).length, 128 * ENTRY_BYTES);
  }
  assertEquals(sizeOf(Array.from({ length: 256 }, (_, index) => index)).length, 512 * ENTRY_BYTES);
  assertEquals([0, 100, 1_000, 65_536].map(entryCount), [64, 256, 2_048, 131_072]);
});

Deno.test("COVER-07 two tags alike are drawn again", () => {
  const { secret, members: [member] } = fleetOf(2);
  assert(member !== undefined);
  let draws = 0;
  // The first time, all that fills up is zero.
  const random = (length: number) => draws++ < 2 ? new Uint8Array(length) : webCryptoRandom(length);
  const mek = webCryptoRandom(32);
  const header = sealToCover({ secret, revoked: [3], release: RELEASE, random }, mek);
  assertEquals(openCover(header, member, RELEASE), mek);
  assertEquals(draws, 4);
});

Deno.test("COVER-06 sealing refuses a key of another size, no release, too long a one and a leaf that is none", () => {
  const { secret, members: [member] } = fleetOf(2);
  assert(member !== undefined);
  const mek = webCryptoRandom(32);
  assertThrows(() => sealFor(secret, [], new Uint8Array(16)), "unsupported");
  assertThrows(() => sealFor(secret, [4], mek), "usage");
  assertThrows(() => sealFor(secret, [], mek, EMPTY), "usage");
  const longest = new Uint8Array(LIMITS.maxCoverReleaseBytes);
  assertEquals(openCover(sealFor(secret, [], mek, longest), member, longest), mek);
  assertThrows(() => sealFor(secret, [], mek, new Uint8Array(longest.length + 1)), "too_large");
  assertThrows(() => openCover(sealFor(secret, [], mek), member, EMPTY), "usage");
});

Deno.test("COVER-06 a second header for the same release has nothing to do with the first", () => {
  const { secret, members } = fleetOf(3);
  const [first, second] = [webCryptoRandom(32), webCryptoRandom(32)];
  const before = decodeHeader(sealFor(secret, [1], first));
  const after = decodeHeader(sealFor(secret, [1], second));
  assert(toHex(before.salt) !== toHex(after.salt));
  // With one mask for both, who knows the first key would have the second: every difference of wrapped keys would be that of the keys.
  const difference = toHex(first.map((byte, i) => byte ^ (second[i] ?? 0)));
  const keys = (entries: Uint8Array) =>
    Array.from(
      { length: entries.length / ENTRY_BYTES },
      (_, i) => entries.slice(i * ENTRY_BYTES + 13, (i + 1) * ENTRY_BYTES),
    );
  for (const a of keys(before.entries)) {
    for (const b of keys(after.entries)) {
      assert(toHex(a.map((byte, i) => byte ^ (b[i] ?? 0))) !== difference);
    }
  }
  assertEquals(members.length, 8);
});

Deno.test("COVER-10 a header of another tree is for other keys, one of another release for nobody", () => {
  const { secret, members: [member] } = fleetOf(3);
  assert(member !== undefined);
  const header = sealFor(secret, [], webCryptoRandom(32));
  for (const other of [new CoverSecret(webCryptoRandom(32), 3), new CoverSecret(secret.revealBytes(), 4)]) {
    assertThrows(() => openCover(header, memberKeys(other, 0), RELEASE), "wrong_key");
  }
  assertThrows(() => openCover(header, member, utf8("release 1.3.0")), "revoked");
});
