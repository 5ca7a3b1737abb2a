import { toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { exportPkcs8, exportSpki, generateSigningKey } from "../../../shared/crypto/signature.ts";
import {
  acceptGrantToCertificate,
  createMemory,
  importDeviceKeys,
  MemoryInProcess,
  PosternDevice,
} from "../../../shared/client/mod.ts";
import { checkCode, pairingText, readPairingGrant } from "../../../shared/protocol/pairing.ts";
import { bringDevice } from "../../../manager/devices/bring.ts";
import { codeOf } from "../../../manager/devices/pair.ts";
import { activateDevice, allDevices } from "../../../manager/devices/repository.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { surroundingsOf } from "../../fixtures/clock.ts";
import { World } from "../../fixtures/world.ts";
import { DAY, holder, newKey } from "../../shared/x509/builder.ts";

async function certificateOf(world: World, algorithm: "ES256" | "ES384" | "ES512" | "PS256" | "Ed25519", days = 365) {
  const now = world.clock.now();
  const key = await newKey(algorithm);
  return (await holder({ subject: "CN=card", key, notBefore: now - 2 * DAY, notAfter: now + days * DAY })).certificate;
}

Deno.test("PAIR-06 bringDevice() grants a device for its certificate, and the check code covers its DER", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const suites = [];
  for (const algorithm of ["ES256", "ES384", "ES512", "PS256"] as const) {
    const certificate = await certificateOf(world, algorithm);
    const options = { name: algorithm, allowClassical: true };
    const pending = await bringDevice(db, certificate, options, world.clock.now(), webCryptoRandom);
    const grant = readPairingGrant(pending.grant, certificate.der);
    assertEquals(toHex(grant.request), toHex(sha256(certificate.der)));
    assertEquals(grant.certificate, certificate.der);
    assertEquals(pending.checkCode, checkCode(certificate.der, pending.grant));
    assertEquals(codeOf(pending.device), pending.checkCode);
    assertEquals([pending.device.state, pending.device.kem_public_key], ["pending", null]);
    suites.push(pending.device.suite);
  }
  assertEquals(suites, ["p256", "p384", "p521", "rsa-oaep-256"]);
});

Deno.test("PAIR-06 bringDevice() lets nothing be pushed before the owner confirmed, and then all of it", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const options = { name: "card", allowClassical: true };
  const certificate = await certificateOf(world, "ES256");
  const { device } = await bringDevice(db, certificate, options, world.clock.now(), webCryptoRandom);
  const before = await world.manager.sync();
  assertEquals([before.pushed.head.tables.devices.count, before.pushed.head.classical], [0, 0]);
  await activateDevice(db, device);
  const after = await world.manager.sync();
  assertEquals([after.pushed.head.tables.devices.count, after.pushed.head.classical], [1, 1]);
});

Deno.test("bringDevice() refuses a key that can only sign, one without consent, and one out of its time", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const bring = async (algorithm: "ES256" | "Ed25519", allowClassical: boolean, days?: number) =>
    await bringDevice(
      db,
      await certificateOf(world, algorithm, days),
      { name: "card", allowClassical },
      world.clock.now(),
      webCryptoRandom,
    );
  assert((await assertRejects(() => bring("Ed25519", true), "unsupported")).message.includes("--request"));
  await assertRejects(() => bring("ES256", false), "usage");
  await assertRejects(() => bring("ES256", true, -1), "expired");
  assertEquals(await allDevices(db), []);
  await bring("ES256", true);
  await assertRejects(() => bring("ES256", true), "conflict");
});

Deno.test("PAIR-06 acceptGrantToCertificate() makes a device that logs in and reads, once both codes agree", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const pair = await generateSigningKey("ES256", true);
  const key = { pair, spki: await exportSpki(pair.publicKey) };
  const now = world.clock.now();
  const { certificate } = await holder({ subject: "CN=card", key, notBefore: now - DAY, notAfter: now + DAY });
  const options = { name: "card", allowClassical: true };
  const pending = await bringDevice(db, certificate, options, now, webCryptoRandom);
  const secrets = { signing: await exportPkcs8(pair.privateKey), kem: null };
  const keys = await importDeviceKeys(certificate.spki, secrets, null, false);
  const accepted = acceptGrantToCertificate(keys, certificate.der, pairingText(pending.grant));
  assertEquals(accepted.checkCode, pending.checkCode);
  await activateDevice(db, pending.device);
  await world.manager.sync();
  const memory = new MemoryInProcess();
  await createMemory(memory, accepted.state);
  const surroundings = surroundingsOf({ clock: world.clock, fetch: world.fetch });
  const device = new PosternDevice({ profile: accepted.profile, keys, memory, surroundings });
  assertEquals((await device.verifyAll()).contents.devices, 1);

  const other = await certificateOf(world, "ES256");
  assertThrows(() => acceptGrantToCertificate(keys, other.der, pairingText(pending.grant)), "tampered");
  const granted = await bringDevice(db, other, { ...options, name: "other" }, now, webCryptoRandom);
  assertThrows(() => acceptGrantToCertificate(keys, other.der, pairingText(granted.grant)), "tampered");
});
