import { equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { openHpke, sealHpke } from "../../../shared/crypto/hpke.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { deriveX25519, generateX25519 } from "../../../shared/crypto/x25519.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { readRegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { openInstance, revokeMdk, rotateMdk } from "../../../manager/instance/instance.ts";
import { keysForRelease, openingKeys } from "../../../manager/instance/opening.ts";
import { currentRequest, keepAnswer, openAnswer, pinnedRoot } from "../../../manager/instance/register.ts";
import { storedRegistrations } from "../../../manager/instance/repository.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import {
  answerTo,
  member,
  NOW,
  register,
  registrationOf,
  root,
  signAnswer,
  verifyAnswer,
  withDatabase,
} from "./instances.ts";

Deno.test("openInstance() makes an instance once, however often and by however many it is called, REG-01", () =>
  withDatabase(async (db) => {
    const many = await Promise.all([1, 2, 3].map(() => openInstance(db, NOW, webCryptoRandom)));
    const [first] = many;
    assert(first !== undefined && many.every(({ id }) => equalBytes(id, first.id)));
    assertEquals(first.mdks.map(({ version }) => version), [1]);
    await withDatabase(async (other) => {
      const { id, current } = await openInstance(other, NOW, webCryptoRandom);
      assert(!equalBytes(id, first.id) && !equalBytes(current.xwing, first.current.xwing));
    });
  }));

Deno.test("rotateMdk() makes a version of its own, and what was sealed to an earlier one still opens, REG-02", () =>
  withDatabase(async (db) => {
    const { current: one } = await openInstance(db, NOW, webCryptoRandom);
    const two = await rotateMdk(db, NOW + 1, webCryptoRandom);
    assertEquals([two.version, (await openInstance(db, NOW, webCryptoRandom)).current.version], [2, 2]);
    assert(!equalBytes(reveal(one.secret), reveal(two.secret)));
    await register(db, registrationOf("p"));
    const keys = await openingKeys(db, "p");
    assertEquals(keys.mdks.map(({ version }) => version), [2, 1]);
    for (const mdk of [one, two]) {
      const opening = keys.mdks.find(({ version }) => version === mdk.version);
      assert(opening !== undefined);
      // The X25519 key is another one than the one in X-Wing's last 32 bytes.
      assert(!equalBytes(mdk.x25519, mdk.xwing.subarray(-32)));
      const sealed = await sealHpke("xwing", mdk.xwing, utf8("info"), utf8("a key"));
      assertEquals(await openHpke("xwing", opening.xwing, utf8("info"), sealed), utf8("a key"));
      const ephemeral = await generateX25519();
      const shared = await deriveX25519(ephemeral.privateKey, mdk.x25519);
      assertEquals(await deriveX25519(opening.x25519.privateKey, ephemeral.publicKey), shared);
    }
  }));

Deno.test("revokeMdk() keeps a version from new releases, and not from earlier ones", () =>
  withDatabase(async (db) => {
    await assertRejects(() => revokeMdk(db, 1, NOW, webCryptoRandom), "conflict");
    await rotateMdk(db, NOW, webCryptoRandom);
    await assertRejects(() => revokeMdk(db, 3, NOW, webCryptoRandom), "not_found");
    assertEquals((await revokeMdk(db, 1, NOW, webCryptoRandom)).revoked, NOW);
    assertEquals((await revokeMdk(db, 1, NOW + 5, webCryptoRandom)).revoked, NOW, "the first time counts");
    await register(db, registrationOf("p"));
    const keys = await openingKeys(db, "p");
    const versions = (released: number) => keysForRelease(keys, released).mdks.map(({ version }) => version);
    assertEquals([versions(NOW), versions(NOW + 1)], [[2, 1], [2]]);
    // Only the newest one can be offered, and it is not revoked as long as there is no newer one.
    await assertRejects(() => revokeMdk(db, 2, NOW, webCryptoRandom), "conflict");
  }));

Deno.test("currentRequest() stays the same until the MDK has a newer version, REG-04", () =>
  withDatabase(async (db) => {
    const request = await currentRequest(db, NOW, webCryptoRandom);
    assertEquals(await currentRequest(db, NOW + 1, webCryptoRandom), request);
    await rotateMdk(db, NOW + 2, webCryptoRandom);
    const next = await readRegistrationRequest(await currentRequest(db, NOW + 3, webCryptoRandom));
    assertEquals([next.keys.version, next.time], [2, NOW + 3]);
  }));

Deno.test("keepAnswer() replaces what has the same entry secret, and keeps other ones beside it, REG-07", () =>
  withDatabase(async (db) => {
    const key = (keyVersion: number) => ({ keyId: "k", keyVersion, key: new Redacted(webCryptoRandom(32)) });
    await register(db, registrationOf("other", { sharedKeys: [key(9)] }));
    const first = registrationOf("p", { sharedKeys: [key(1), key(2)] });
    await register(db, first);
    const again = await register(db, { ...first, cover: new Redacted(member), sharedKeys: [key(2), key(3)] }, NOW + 1);
    const later = await register(db, registrationOf("p"), NOW + 2);
    await register(db, registrationOf("p", { entrySecret: later.entrySecret }), NOW + 2);
    const keys = await openingKeys(db, "p");
    assertEquals(keys.root, root.der);
    assertEquals(keys.registrations.map(({ entrySecret }) => reveal(entrySecret)), [
      ...[reveal(later.entrySecret), reveal(again.entrySecret)],
    ]);
    assertEquals(keys.registrations.map((one) => one.member?.leaf), [undefined, 5]);
    assertEquals(keys.shared.map(({ keyVersion }) => keyVersion), [1, 2, 3]);
    assertEquals(keys.shared.slice(1).map((one) => reveal(one.key)), again.sharedKeys.map((one) => reveal(one.key)));
    assertEquals((await openingKeys(db, "other")).shared.length, 1);
    assertEquals(await pinnedRoot(db, "p"), root.fingerprint);
    assertEquals(await pinnedRoot(db, "unknown"), null);
    await assertRejects(() => openingKeys(db, "unknown"), "not_found");
    const broken = registrationOf("p", { cover: new Redacted(utf8("no member keys")) });
    await assertRejects(() => register(db, broken, NOW + 3), "malformed");
  }));

Deno.test("openAnswer() and keepAnswer() keep nothing of an answer that does not fit, REG-05 REG-06", () =>
  withDatabase(async (db) => {
    await assertRejects(() => openAnswer(db, utf8("x"), NOW, webCryptoRandom), "mixed_up");
    const answer = await answerTo(db, registrationOf("p"));
    const opened = await openAnswer(db, answer, NOW, webCryptoRandom);
    const stranger = webCryptoRandom(32);
    await assertRejects(() => keepAnswer(db, opened, stranger, verifyAnswer, NOW), "untrusted");
    const isRefused = async () => verifyAnswer(utf8("another body"), await signAnswer(utf8("x")));
    await assertRejects(() => keepAnswer(db, opened, root.fingerprint, isRefused, NOW), "signature");
    await rotateMdk(db, NOW, webCryptoRandom);
    await assertRejects(() => openAnswer(db, answer, NOW, webCryptoRandom), "mixed_up");
    assertEquals(await storedRegistrations(db), []);
  }));

Deno.test("an instance keeps a bounded number of registrations", () =>
  withDatabase(async (db) => {
    const same = registrationOf("p");
    await register(db, same);
    for (let i = 1; i < LIMITS.maxRegistrations; i++) await register(db, registrationOf(`p${i}`));
    await register(db, same);
    await assertRejects(() => register(db, registrationOf("one-more")), "too_large");
  }));
