import fc from "fast-check";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { rowNonce, shuffle } from "../../../manager/push/plan/order.ts";
import { assert, assertEquals } from "../../assert.ts";

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));

Deno.test("shuffle() gives a permutation that follows from the secret alone, PUSH-10", () => {
  fc.assert(fc.property(secrets, fc.integer({ min: 0, max: 300 }), (secret, length) => {
    const once = Uint32Array.from({ length }, (_, index) => index);
    const again = once.slice();
    shuffle(once, secret);
    shuffle(again, secret);
    assertEquals(once, again);
    assertEquals([...once].sort((a, b) => a - b), Array.from({ length }, (_, index) => index));
  }));
});

Deno.test("shuffle() puts every item first about as often as any other", () => {
  const counts = new Uint32Array(8);
  for (let round = 0; round < 4_000; round++) {
    const items = Uint32Array.from({ length: 8 }, (_, index) => index);
    shuffle(items, crypto.getRandomValues(new Uint8Array(32)));
    const first = items[0] ?? 0;
    counts[first] = (counts[first] ?? 0) + 1;
  }
  // 500 expected, standard deviation 21: seven of them are never passed by chance.
  for (const count of counts) assert(Math.abs(count - 500) < 150, `an item came first ${count} times of 4000`);
});

Deno.test("rowNonce() differs whenever secret, place or content differ, KEY-04", () => {
  fc.assert(fc.property(secrets, secrets, secrets, secrets, (secret, other, key, hash) => {
    const nonce = toHex(rowNonce(secret, key, hash)(12));
    assertEquals(nonce.length, 24);
    assertEquals(nonce, toHex(rowNonce(secret, key, hash)(12)));
    for (const [s, k, h] of [[other, key, hash], [secret, other, hash], [secret, key, other]] as const) {
      const isSame = [[s, secret], [k, key], [h, hash]].every(([a, b]) => toHex(a ?? s) === toHex(b ?? s));
      if (!isSame) assert(toHex(rowNonce(s, k, h)(12)) !== nonce);
    }
  }));
});
