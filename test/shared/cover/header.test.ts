import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, compareBytes, concat, EMPTY } from "../../../shared/bytes/bytes.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { coverContext, placeOf, xor } from "../../../shared/cover/derive.ts";
import { decodeHeader, encodeHeader, ENTRY_BYTES } from "../../../shared/cover/header.ts";
import { openCover } from "../../../shared/cover/open.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { fleetOf, RELEASE, sealFor } from "./fleet.ts";

const { secret, members } = fleetOf(3);
const mek = webCryptoRandom(32);
const header = sealFor(secret, [5], mek);
const good = decodeCbor(header) as CborValue[];
const entries = decodeHeader(header).entries;

function changed(at: number, value: CborValue): Bytes {
  return encodeCbor(good.map((one, index) => index === at ? value : one));
}

/** The entries, one of them overwritten from a place on. */
function overwritten(index: number, from: number, bytes: Uint8Array): Bytes {
  const other = entries.slice();
  other.set(bytes, index * ENTRY_BYTES + from);
  return other;
}

Deno.test("COVER-09 a header decodes to what it was", () => {
  assertEquals(encodeHeader(decodeHeader(header)), header);
});

Deno.test("COVER-09 a header of any other form is refused", () => {
  const last = entries.slice(-ENTRY_BYTES);
  const wrong: readonly Bytes[] = [
    EMPTY,
    encodeCbor(null),
    encodeCbor([]),
    encodeCbor("postern/1/cover"),
    encodeCbor(good.slice(0, -1)),
    encodeCbor([...good, null]),
    Uint8Array.of(...header, 0),
    header.slice(0, -1),
    changed(0, "postern/1/cover-member"),
    changed(1, new Uint8Array(17)),
    changed(1, "a tree of texts!"),
    ...[0, -1, 33, null, "3"].map((depth) => changed(2, depth)),
    changed(3, new Uint8Array(31)),
    changed(4, new Uint8Array(33)),
    changed(4, null),
    changed(5, []),
    changed(5, EMPTY),
    changed(5, entries.slice(0, 32 * ENTRY_BYTES)),
    changed(5, entries.slice(0, -ENTRY_BYTES)),
    changed(5, entries.slice(0, -1)),
    changed(5, Uint8Array.of(...entries, ...last)),
    changed(5, overwritten(0, 0, new Uint8Array(ENTRY_BYTES).fill(0xff))),
    changed(5, overwritten(62, 0, last)),
  ];
  for (const one of wrong) assertThrows(() => decodeHeader(one), "malformed");
});

Deno.test("COVER-09 a header beyond the limit is too large before anything in it is looked at", () => {
  const most = LIMITS.maxCoverEntries * ENTRY_BYTES;
  assertThrows(() => decodeHeader(new Uint8Array(most + 257)), "too_large");
  assertThrows(() => decodeHeader(changed(5, new Uint8Array(2 * most))), "too_large");
  const numbered = new Uint8Array(most);
  for (let index = 0; index < LIMITS.maxCoverEntries; index++) {
    new DataView(numbered.buffer).setUint32(index * ENTRY_BYTES, index);
  }
  assertEquals(decodeHeader(changed(5, numbered)).entries.length, most);
});

Deno.test("COVER-09 a header that is all small items is given up at the first that does not belong there", () => {
  const most = LIMITS.maxCoverEntries * ENTRY_BYTES;
  // An array of as many nulls: 6 MB that would take seconds to read.
  const nulls = new Uint8Array(most).fill(0xf6);
  nulls.set([0x9a, 0, 0x5a, 0, 0]);
  assert(assertThrows(() => decodeHeader(nulls), "malformed").message.includes("more items"));
});

Deno.test("COVER-08 COVER-09 a header with any byte changed never opens to another key, and fails with a known code", () => {
  const codes = new Set(["malformed", "too_large", "wrong_key", "revoked", "tampered"]);
  const changes = fc.record({ at: fc.nat(header.length - 1), by: fc.integer({ min: 1, max: 255 }) });
  fc.assert(fc.property(changes, ({ at, by }) => {
    const other = header.map((byte, index) => index === at ? byte ^ by : byte);
    for (const member of members) {
      try {
        assertEquals(openCover(other, member, RELEASE), mek);
      } catch (error) {
        assert(isPosternError(error) && codes.has(error.code), String(error));
      }
    }
  }));
});

/** A header in which the first instance finds, at a node above its leaf, an entry with the place of any node. */
function withPlace(within: number, without: number): Bytes {
  const context = coverContext(secret.tree, secret.depth, decodeHeader(header).salt, RELEASE);
  const { tag, mask } = placeOf(secret.nodeKey(within), context);
  const place = fromHex(without.toString(16).padStart(10, "0"));
  const last = entries.slice(63 * ENTRY_BYTES);
  const others = Array.from({ length: 63 }, (_, i) => Uint8Array.of(...new Uint8Array(7), i + 1, ...last.slice(8)));
  return changed(5, concat(...[...others, concat(tag, xor(place, mask), last.slice(13))].sort(compareBytes)));
}

Deno.test("COVER-10 an entry with a place that no entry of its node has is tampered", () => {
  const [member] = members;
  assert(member !== undefined);
  const messageOf = (within: number, without: number) =>
    assertThrows(() => openCover(withPlace(within, without), member, RELEASE), "tampered").message;
  // Leaf 0 of 8 is node 8, below 4, 2 and 1. Itself, above, beside, below another, too deep, nobody but at the root, beyond any tree.
  const wrong = [[1, 1], [2, 2], [4, 4], [2, 1], [4, 1], [2, 3], [4, 5], [2, 6], [4, 15], [2, 16], [4, 19], [2, 0], [
    4,
    0,
  ]];
  for (const [within = 0, without = 0] of [...wrong, [1, 16], [1, 2 ** 32], [1, 2 ** 33], [1, 2 ** 40 - 1]]) {
    assert(messageOf(within, without).includes("leaves out"), `${within} without ${without}`);
  }
  // These could be: all that is wrong is the key.
  for (const [within = 0, without = 0] of [[1, 0], [1, 3], [1, 15], [2, 5], [4, 9]]) {
    assert(messageOf(within, without).includes("commits"), `${within} without ${without}`);
  }
  // And these leave this instance out.
  for (const [within = 0, without = 0] of [[1, 2], [1, 8], [2, 4], [4, 8]]) {
    assertThrows(() => openCover(withPlace(within, without), member, RELEASE), "revoked");
  }
});
