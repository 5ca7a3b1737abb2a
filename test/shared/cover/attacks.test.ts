/** What shared/spec/cover.md says that nobody can do, tried. */
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { type Bytes, concat, EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { importAeadKey, openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { commitTo, coverContext, placeOf, wrapMask, xor } from "../../../shared/cover/derive.ts";
import { type CoverHeader, decodeHeader, encodeHeader, ENTRY_BYTES } from "../../../shared/cover/header.ts";
import { openCover } from "../../../shared/cover/open.ts";
import { coverOf } from "../../../shared/cover/subsets.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { randomLeaf } from "../../../shared/cover/tree.ts";
import { sealUnderTwoKeys } from "../manifest/two_keys.ts";
import { fleetOf, RELEASE, sealFor } from "./fleet.ts";

const { secret, members } = fleetOf(4);
const [anna, , , , , , , , , , , ben] = members;
assert(anna !== undefined && ben !== undefined);

/** A header in which one of the subsets gets another key than the rest: what only the publisher could make. */
function dealTwoKeys(first: Bytes, second: Bytes): CoverHeader {
  const header = decodeHeader(sealFor(secret, [0b0111], first));
  const context = coverContext(secret.tree, secret.depth, header.salt, RELEASE);
  const entries = header.entries.slice();
  const [subset] = coverOf([0b0111], secret.depth);
  assert(subset !== undefined);
  const { tag } = placeOf(secret.nodeKey(subset.within), context);
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    if (toHex(entries.slice(at, at + tag.length)) !== toHex(tag)) continue;
    entries.set(xor(second, wrapMask(secret.labelOf(subset), context)), at + ENTRY_BYTES - 32);
  }
  return { ...header, entries };
}

Deno.test("COVER-08 one ciphertext with two plaintexts opens under both keys, and the cover refuses one of them", async () => {
  const [first, second] = [webCryptoRandom(32), webCryptoRandom(32)];
  const nonce = webCryptoRandom(12);
  const [install, remove] = [utf8("install 1.2.0 ok"), utf8("remove all files")];
  const blank = new Uint8Array(16);
  const sealedBy = async (key: Bytes, text: Bytes) => await sealAead(await importAeadKey(key), nonce, text, EMPTY);
  const openedBy = async (key: Bytes) => await openAead(await importAeadKey(key), nonce, ciphertext, EMPTY);
  // The first block is one key's, the second the other's.
  const blocks = concat(
    (await sealedBy(first, install)).slice(0, 16),
    (await sealedBy(second, concat(blank, remove))).slice(16, 32),
  );
  const ciphertext = await sealUnderTwoKeys([first, second], nonce, EMPTY, blocks);
  // AES-GCM does not mind: this is what the commitment is there for.
  assertEquals((await openedBy(first)).slice(0, 16), install);
  assertEquals((await openedBy(second)).slice(16, 32), remove);
  await assertRejects(() => openedBy(webCryptoRandom(32)), "tampered");

  const dealt = dealTwoKeys(first, second);
  assertThrows(() => openCover(encodeHeader(dealt), anna, RELEASE), "tampered");
  // Whichever of both it commits to, nobody gets at the other one.
  const context = coverContext(secret.tree, secret.depth, dealt.salt, RELEASE);
  const turned = encodeHeader({ ...dealt, commitment: commitTo(second, context) });
  assertEquals(openCover(turned, anna, RELEASE), second);
});

Deno.test("COVER-08 COVER-07 headers of two releases for the same instances have no entry, tag, place or key in common", () => {
  const pieces = (header: Bytes) => {
    const { salt, commitment, entries } = decodeHeader(header);
    const cut = Array.from({ length: entries.length / ENTRY_BYTES }, (_, i) => {
      const entry = entries.slice(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
      return [entry.slice(0, 8), entry.slice(13)].map(toHex);
    });
    return [toHex(salt), toHex(commitment), ...cut.flat()];
  };
  const mek = webCryptoRandom(32);
  const first = new Set(pieces(sealFor(secret, [3, 9], mek)));
  assertEquals(first.size, 2 + 2 * 64);
  assertEquals(pieces(sealFor(secret, [3, 9], mek, utf8("release 1.3.0"))).filter((piece) => first.has(piece)), []);
  // Of the same release, too: who compares learns whether nothing changed in between.
  assertEquals(pieces(sealFor(secret, [3, 9], mek)).filter((piece) => first.has(piece)), []);
});

Deno.test("COVER-07 an outsider cannot tell a header with revoked instances from one without", () => {
  // The share of one bits, at every place of an entry, of those that open and of those that fill up.
  const ones = (revoked: readonly number[]) => {
    const all = Array.from({ length: 20 }, () => decodeHeader(sealFor(secret, revoked, webCryptoRandom(32))).entries);
    const joined = concat(...all);
    const counts = new Array<number>(ENTRY_BYTES).fill(0);
    for (const [at, byte] of joined.entries()) {
      counts[at % ENTRY_BYTES] = (counts[at % ENTRY_BYTES] ?? 0) + byte.toString(2).replaceAll("0", "").length;
    }
    return counts.map((count) => count / (8 * joined.length / ENTRY_BYTES));
  };
  for (const shares of [ones([]), ones([1, 3, 5, 7, 9, 11, 13, 15])]) {
    // 10,240 bits each: seven standard deviations are 0.035.
    for (const share of shares) assert(Math.abs(share - 0.5) < 0.035, `${share}`);
  }
});

Deno.test("COVER-07 no node of a cover, and so no leaf that is left out, stands in a header", () => {
  const large = CoverSecret.create(webCryptoRandom);
  const revoked = Array.from({ length: 12 }, () => randomLeaf(32, webCryptoRandom));
  const header = toHex(sealFor(large, revoked, webCryptoRandom(32)));
  const nodes = [...coverOf(revoked, 32).flatMap(({ within, without }) => [within, without]), ...revoked];
  // Small numbers occur by chance.
  const telling = nodes.filter((node) => node > 2 ** 28);
  assert(telling.length > 12);
  for (const node of telling) {
    const bytes = fromHex(node.toString(16).padStart(10, "0"));
    for (const spelled of [bytes, bytes.toReversed(), encodeCbor(node)]) assert(!header.includes(toHex(spelled)));
  }
});

Deno.test("COVER-10 an entry moved to another header opens nothing there", () => {
  const old = decodeHeader(sealFor(secret, [], webCryptoRandom(32)));
  const fresh = decodeHeader(sealFor(secret, [ben.leaf], webCryptoRandom(32)));
  // Ben was in the old one, and puts its entries, or all but its salt, into the new one.
  for (const spliced of [{ ...fresh, entries: old.entries }, { ...old, salt: fresh.salt }]) {
    assertThrows(() => openCover(encodeHeader(spliced), ben, RELEASE), "revoked");
  }
});

Deno.test("COVER-10 who may read a header can make another one, so that the signature alone says whose it is", () => {
  const mek = webCryptoRandom(32);
  const header = decodeHeader(sealFor(secret, [], mek));
  const context = coverContext(secret.tree, secret.depth, header.salt, RELEASE);
  const chosen = webCryptoRandom(32);
  const entries = header.entries.slice();
  for (let at = ENTRY_BYTES - 32; at < entries.length; at += ENTRY_BYTES) {
    entries.set(xor(xor(entries.slice(at, at + 32), mek), chosen), at);
  }
  const forged = encodeHeader({ ...header, entries, commitment: commitTo(chosen, context) });
  assertEquals(openCover(forged, anna, RELEASE), chosen);
});
