import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, EMPTY } from "../../../shared/bytes/bytes.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
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

Deno.test("COVER-10 an entry with a place that is none, or not below its node, is tampered", () => {
  const [member] = members;
  assert(member !== undefined);
  // Every bit of the one place that this instance finds: the mask turns it into other nodes, and into none.
  const found = new Set<string>();
  for (let index = 0; index < 64; index++) {
    for (let bit = 0; bit < 40; bit++) {
      const at = index * ENTRY_BYTES + 8 + (bit >> 3);
      const other = overwritten(index, 8 + (bit >> 3), Uint8Array.of((entries[at] ?? 0) ^ (1 << (bit & 7))));
      try {
        openCover(changed(5, other), member, RELEASE);
        found.add("opened");
      } catch (error) {
        assert(isPosternError(error), String(error));
        found.add(error.code);
      }
    }
  }
  assert(found.has("tampered") && found.has("opened"), [...found].join());
  assert([...found].every((code) => ["tampered", "opened", "revoked"].includes(code)), [...found].join());
});
