import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { fromBase64Url, toBase64Url } from "../../../shared/bytes/encoding.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoKeys } from "../../../shared/crypto/native_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { OpenSessions } from "../../../edge/session/open_sessions.ts";
import { openToken, sealToken, type Session } from "../../../edge/session/token.ts";
import { devicePrincipal, managerPrincipal } from "../../../edge/store/principal.ts";
import { assert, assertEquals } from "../../assert.ts";

const [key, other] = [
  await webCryptoKeys.sealingKey(webCryptoRandom(32)),
  await webCryptoKeys.sealingKey(webCryptoRandom(32)),
];
/** An edge that admits every owner. */
const everybody = { tokenKeys: [key], admits: () => true } as const;

function sessionOf(isManager: boolean): Session {
  const name = { session: webCryptoRandom(16), expires: 1_800_000_000_000 };
  const owner: Bytes = webCryptoRandom(32);
  const secret = () => secretKey<"SessionMacKey">(webCryptoRandom(32));
  return {
    principal: isManager
      ? managerPrincipal(owner, { number: 2 ** 40, hash: webCryptoRandom(32) }, name)
      : devicePrincipal(owner, webCryptoRandom(16), 7, name),
    keys: { c2s: secret(), s2c: secret() },
  };
}

Deno.test("openToken() gives back what sealToken() sealed, for a device and for the manager", async () => {
  for (const isManager of [false, true]) {
    const session = sessionOf(isManager);
    const token = await sealToken(key, session, webCryptoRandom);
    assert(token.length <= 300 && /^[A-Za-z0-9_-]+$/.test(token), token);
    assertEquals(await openToken([key], token), session);
    // After a change of keys the former one still opens.
    assertEquals(await openToken([other, key], token), session);
    assertEquals(await openToken([other], token), null);
  }
});

Deno.test("openToken() refuses every token that was changed, cut or spelt otherwise (SESS-15)", async () => {
  const token = await sealToken(key, sessionOf(false), webCryptoRandom);
  const bytes = fromBase64Url(token);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    assertEquals(await openToken([key], toBase64Url(changed)), null);
  }
  const texts = ["", "A", "é", token.slice(1), token.slice(0, -4), `${token}=`, `${token}AAAA`, ` ${token}`];
  for (const text of [...texts, "A".repeat(LIMITS.maxSessionTokenChars + 4)]) {
    assertEquals(await openToken([key], text), null, text);
  }
});

Deno.test("OpenSessions open() gives requests that open a token at once the same window (SESS-11)", async () => {
  const sessions = new OpenSessions(everybody);
  const token = await sealToken(key, sessionOf(false), webCryptoRandom);
  assertEquals(sessions.known(token), undefined);
  const [one, two] = await Promise.all([sessions.open(token), sessions.open(token)]);
  assert(one !== null && one === two && one === sessions.known(token));
  assertEquals([one.take({ created: 5, number: 1 }), two.take({ created: 5, number: 1 })], [true, false]);
  assertEquals(await sessions.open("no token"), null);
});

Deno.test("SESS-16: OpenSessions open() refuses the token of an owner who is admitted no longer", async () => {
  const [left, stayed] = [sessionOf(false), sessionOf(true)];
  const admits = (owner: Bytes) => equalBytes(owner, stayed.principal.owner);
  const sessions = new OpenSessions({ ...everybody, admits });
  assertEquals(await sessions.open(await sealToken(key, left, webCryptoRandom)), null);
  assert(await sessions.open(await sealToken(key, stayed, webCryptoRandom)) !== null);
});

/** Another session of the device, or another device's of the owner. */
function sessionLike({ principal, keys }: Session, device = principal.device): Session {
  return { principal: { ...principal, device, session: webCryptoRandom(16) }, keys };
}

const seal = (session: Session) => sealToken(key, session, webCryptoRandom);

Deno.test("OpenSession take() refuses by their time the numbers of a session that was forgotten (SESS-11)", async () => {
  const bySessions = { capacity: { holders: 4, sessions: 4 }, next: (session: Session) => sessionLike(session) };
  const byDevices = {
    capacity: { holders: 4, sessions: 4 },
    next: (session: Session) => sessionLike(session, webCryptoRandom(16)),
  };
  for (const { capacity, next } of [bySessions, byDevices]) {
    const sessions = new OpenSessions(everybody, capacity);
    const session = sessionOf(false);
    const token = await seal(session);
    const first = await sessions.open(token);
    assertEquals(first?.take({ created: 100, number: 1 }), true);
    for (let i = 0; i < 4; i++) await sessions.open(await seal(next(session)));
    assertEquals(sessions.known(token), undefined);
    const again = await sessions.open(token);
    assert(again !== null && again !== first);
    assertEquals(again.take({ created: 100, number: 1 }), false);
    assertEquals(again.take({ created: 99, number: 2 }), false);
    assertEquals(again.take({ created: 101, number: 3 }), true);
  }
});

Deno.test("OpenSessions open() keeps a device's and an owner's endless sessions away from all others (SESS-11)", async () => {
  const sessions = new OpenSessions(everybody, { holders: 16, sessions: 8 });
  const hostile = sessionOf(false);
  // Another owner; another device of the same one; its manager.
  const others = [
    sessionOf(false),
    sessionLike(hostile, webCryptoRandom(16)),
    sessionLike(hostile, new Uint8Array(16)),
  ];
  const held = await Promise.all(others.map(async (other) => {
    const token = await seal(other);
    const opened = await sessions.open(token);
    assertEquals(opened?.take({ created: 1, number: 1 }), true);
    return { token, opened };
  }));
  // As far ahead as the clocks may be apart, and many more than are remembered.
  for (let i = 0; i < 40; i++) {
    const opened = await sessions.open(await seal(sessionLike(hostile)));
    opened?.take({ created: 1 + LIMITS.createdSkewSeconds, number: 1 });
  }
  const shutOut = await sessions.open(await seal(sessionLike(hostile)));
  assertEquals(shutOut?.take({ created: 1 + LIMITS.createdSkewSeconds, number: 1 }), false);
  for (const [index, other] of others.entries()) {
    assertEquals(sessions.known(held[index]?.token ?? ""), held[index]?.opened ?? undefined);
    const opened = await sessions.open(await seal(sessionLike(other)));
    assertEquals(opened?.take({ created: 2, number: 1 }), true, `session ${index}`);
  }
});

Deno.test("OpenSessions open() keeps one owner's endless devices away from all others (SESS-11)", async () => {
  const sessions = new OpenSessions(everybody, { holders: 4, sessions: 4 });
  const [hostile, other] = [sessionOf(false), sessionOf(false)];
  for (let i = 0; i < 40; i++) {
    const opened = await sessions.open(await seal(sessionLike(hostile, webCryptoRandom(16))));
    opened?.take({ created: 1 + LIMITS.createdSkewSeconds, number: 1 });
  }
  assertEquals((await sessions.open(await seal(sessionLike(hostile))))?.take({ created: 1, number: 1 }), false);
  assertEquals((await sessions.open(await seal(other)))?.take({ created: 1, number: 1 }), true);
});
