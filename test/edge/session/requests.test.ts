/** Which requests of a session are let through, by what their head says. */
import { OpenSessions } from "../../../edge/session/open_sessions.ts";
import { verifyHead } from "../../../edge/session/requests.ts";
import { sealToken } from "../../../edge/session/token.ts";
import { devicePrincipal } from "../../../edge/store/principal.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoKeys } from "../../../shared/crypto/native_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { contentDigest, signRequest } from "../../../shared/protocol/http_signature.ts";
import { assertEquals } from "../../assert.ts";

const NOW = 1_800_000_000_000;
const SECONDS = NOW / 1_000;
const EXPIRES = NOW + 3_600_000;
const key = await webCryptoKeys.sealingKey(webCryptoRandom(32));
const owner = webCryptoRandom(32);

/** A session that is open at an edge, and what it lets through: numbers are given once, from 1. */
async function open() {
  const sessions = new OpenSessions({ tokenKeys: [key], admits: () => true });
  const secret = () => secretKey<"SessionMacKey">(webCryptoRandom(32));
  const name = { session: webCryptoRandom(16), expires: EXPIRES };
  const keys = { c2s: secret(), s2c: secret() };
  const session = await sealToken(
    key,
    { principal: devicePrincipal(owner, webCryptoRandom(16), 7, name), keys },
    webCryptoRandom,
  );
  let number = 0;
  const lets = async ({ created = SECONDS, now = NOW, path = toHex(owner), count = ++number, without = "" } = {}) => {
    const parts = { method: "GET", path: "/", query: "?", digest: contentDigest(new Uint8Array(0)), session };
    const head = { ...parts, owner: path, ...signRequest(keys.c2s, parts, { created, number: count }) };
    return await verifyHead(sessions, without === "" ? head : { ...head, [without]: null }, now) !== null;
  };
  return lets;
}

Deno.test("SESS-11 verifyHead() lets through what was made within a minute of now, to the second", async () => {
  const lets = await open();
  const skew = LIMITS.createdSkewSeconds;
  for (const off of [skew, 0, -skew]) assertEquals(await lets({ created: SECONDS + off }), true, `${off}`);
  for (const off of [skew + 1, -skew - 1]) assertEquals(await lets({ created: SECONDS + off }), false, `${off}`);
});

Deno.test("SESS-09 verifyHead() lets through a session of the owner in the path, until it ends", async () => {
  const lets = await open();
  assertEquals(await lets({ path: toHex(webCryptoRandom(32)) }), false);
  const at = (now: number) => lets({ now, created: Math.floor(now / 1_000) });
  assertEquals([await at(EXPIRES - 1), await at(EXPIRES), await at(EXPIRES + 1)], [true, false, false]);
});

Deno.test("SESS-10 verifyHead() takes each number once, none of 0, and no head that lacks a part", async () => {
  const lets = await open();
  assertEquals([await lets({ count: 5 }), await lets({ count: 5 }), await lets({ count: 4 })], [true, false, true]);
  assertEquals(await lets({ count: 0 }), false);
  for (const without of ["session", "digest", "input", "signature"]) {
    assertEquals(await lets({ count: 9, without }), false, without);
  }
  assertEquals(await lets({ count: 9 }), true);
});
