import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { makeChallenge, readChallenge } from "../../../edge/session/challenge.ts";
import { assertEquals } from "../../assert.ts";

const key = secretKey<"ChallengeMacKey">(webCryptoRandom(32));
const other = secretKey<"ChallengeMacKey">(webCryptoRandom(32));
const owner: Bytes = webCryptoRandom(32);
const NOW = 1_800_000_000_000;

Deno.test("readChallenge() knows a challenge for its owner until it expires (SESS-01)", () => {
  const challenge = makeChallenge(key, owner, NOW, webCryptoRandom);
  assertEquals(challenge.length, 64);
  const expected = { random: challenge.slice(0, 32), expires: NOW + 60_000 };
  assertEquals(readChallenge([key], owner, challenge, NOW), expected);
  assertEquals(readChallenge([key], owner, challenge, NOW + LIMITS.challengeMillis), expected);
  assertEquals(readChallenge([key], owner, challenge, NOW + LIMITS.challengeMillis + 1), null);
  assertEquals(readChallenge([other, key], owner, challenge, NOW), expected);
});

Deno.test("readChallenge() refuses a challenge of another owner, another key or another length (SESS-01)", () => {
  const challenge = makeChallenge(key, owner, NOW, webCryptoRandom);
  assertEquals(readChallenge([key], webCryptoRandom(32), challenge, NOW), null);
  assertEquals(readChallenge([other], owner, challenge, NOW), null);
  assertEquals(readChallenge([], owner, challenge, NOW), null);
  for (const length of [0, 1, 40, 63]) assertEquals(readChallenge([key], owner, challenge.slice(0, length), NOW), null);
  assertEquals(readChallenge([key], owner, new Uint8Array([...challenge, 0]), NOW), null);
});

Deno.test("readChallenge() refuses a challenge with any bit changed, its expiry above all (SESS-01)", () => {
  const challenge = makeChallenge(key, owner, NOW, webCryptoRandom);
  fc.assert(fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
    const changed = challenge.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assertEquals(readChallenge([key], owner, changed, NOW), null);
  }));
});
