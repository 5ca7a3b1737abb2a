/**
 * Promises: whoever wraps a key for a device is found out by the head's commitment; suites are not talked down; what is recorded
 * today rests on a hybrid key by default.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { secretKey } from "../../shared/crypto/brand.ts";
import { sealHpke } from "../../shared/crypto/hpke.ts";
import { HPKE_SUITES } from "../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { createDeviceKeys, pairingRequest } from "../../shared/client/mod.ts";
import { deriveEpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { decodeRow, type DeviceExtra, sealRow } from "../../shared/protocol/row.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { LISTS, rowKey } from "../../shared/protocol/token.ts";
import { pairingText, parsePairingText } from "../../shared/protocol/pairing.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { wrapInfo } from "../../shared/protocol/wrap.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { edited, heldRows, replaceBody } from "./edge_database.ts";
import { lastHead, showForgedHead } from "./forge.ts";
import { pushedWorld, type Setting } from "./setting.ts";

async function recordOf({ world }: Setting, { profile }: TestDevice) {
  const rows = await heldRows(world.edge, TABLES.devices);
  for (const row of rows) {
    const { extra } = decodeRow(row.body);
    if (extra !== null && String(extra.device) === String(profile.device)) return { row, extra };
  }
  throw new Error("The device has no record");
}

const EXTRA_FIELD = 4;

function withExtra(body: Bytes, { device, registration, publicKey, suite, encapsulated, wrapped }: DeviceExtra): Bytes {
  const extra = [device, registration, publicKey, suite, encapsulated, wrapped];
  return edited(body, (fields) => fields.with(EXTRA_FIELD, extra));
}

Deno.test("PosternDevice.login() throws tampered when another device's wrapped key is put into its record (WRAP-01)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const mine = await recordOf(setting, device);
  const theirs = await recordOf(setting, other);
  const { encapsulated, wrapped } = theirs.extra;
  await replaceBody(world.edge, mine.row, withExtra(mine.row.body, { ...mine.extra, encapsulated, wrapped }));
  await assertRejects(() => device.client.login(), "tampered");
  await replaceBody(world.edge, mine.row, theirs.row.body);
  await assertRejects(() => device.client.login(), "tampered");
});

Deno.test("PosternDevice.login() throws tampered when the wrapped key of an earlier epoch is shown (WRAP-01)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const before = await recordOf(setting, device);
  await world.manager.sync({ rotate: true });
  const now = await recordOf(setting, device);
  const { encapsulated, wrapped } = before.extra;
  await replaceBody(world.edge, now.row, withExtra(now.row.body, { ...now.extra, encapsulated, wrapped }));
  await assertRejects(() => device.client.login(), "tampered");
  await replaceBody(world.edge, now.row, before.row.body);
  await assertRejects(() => device.client.login(), "tampered");
});

/** All that an edge could do if it knew the device's KEM key: a record that is in order under a sym key of its own. */
async function ownEpoch({ world }: Setting, { keys, profile }: TestDevice, extra: DeviceExtra) {
  const head = await lastHead(world.manager);
  const symKey = secretKey<"SymKey">(webCryptoRandom(32));
  const info = wrapInfo(head, profile.device, keys.suite);
  const sealed = await sealHpke(keys.suite, keys.kem.publicKey, info, symKey);
  const epoch = await deriveEpochKeys(symKey, head, null);
  const forged = { ...extra, encapsulated: sealed.encapsulated, wrapped: sealed.ciphertext };
  const place = rowKey(epoch, LISTS.device(profile.device), 0);
  const plaintext = encodeCbor(["device"]);
  return { body: await sealRow(epoch, place, forged, plaintext, webCryptoRandom), commitment: epoch.commitment };
}

Deno.test("PosternDevice.login() throws tampered when the edge wraps a sym key of its own for it (KEY-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { row, extra } = await recordOf(setting, device);
  const forged = await ownEpoch(setting, device, extra);
  await replaceBody(world.edge, row, forged.body);
  const { message } = await assertRejects(() => device.client.login(), "tampered");
  assertEquals(message, "The unwrapped sym key is not the one that the head commits to");
  // Nor does a head help that commits to it: the edge has nothing to sign it with.
  await showForgedHead(world.edge, world.manager, { commitment: forged.commitment }, device.keys.sign);
  await assertRejects(() => device.client.login(), "tampered");
});

for (const suite of Object.keys(HPKE_SUITES).filter((name) => name !== "xwing")) {
  Deno.test(`PosternDevice.login() throws unsupported when its record names the suite ${suite} instead of xwing (WRAP-02)`, async () => {
    await using setting = await pushedWorld();
    const { device, world } = setting;
    const { row, extra } = await recordOf(setting, device);
    await replaceBody(world.edge, row, withExtra(row.body, { ...extra, suite }));
    await assertRejects(() => device.client.login(), "unsupported");
  });
}

Deno.test("TestManager.admit() refuses a classical suite unless the owner consents (WRAP-04)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const keys = await createDeviceKeys({ suite: "x25519", extractable: false }, webCryptoRandom);
  const request = await pairingRequest(keys, "old phone", webCryptoRandom);
  await assertRejects(() => world.manager.admit(request), "usage");
  assertEquals((await lastHead(world.manager)).classical, 0);
  await world.pair("old tablet", { suite: "x25519" });
  await world.manager.sync();
  assertEquals((await lastHead(world.manager)).classical, 1);
  assertEquals((await setting.device.client.login()).classical, 1);
});

Deno.test("TestManager.admit() throws tampered when a pairing request is changed on its way (PAIR-01)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const keys = await createDeviceKeys({ extractable: false }, webCryptoRandom);
  const request = parsePairingText(await pairingRequest(keys, "phone", webCryptoRandom));
  const foreign = await createDeviceKeys({ suite: "x25519", extractable: false }, webCryptoRandom);
  const other = parsePairingText(await pairingRequest(foreign, "phone", webCryptoRandom));
  // Body of one, signature of the other; then one bit of the body, in the KEM key.
  const mixed = edited(request, ([, signature]) => [decoded(other)[0] ?? null, signature ?? null]);
  await assertRejects(() => world.manager.admit(pairingText(mixed), true), "tampered");
  const flipped = request.slice();
  flipped[200] = (flipped[200] ?? 0) ^ 1;
  await assertRejects(() => world.manager.admit(pairingText(flipped)), "tampered");
});

function decoded(bytes: Bytes) {
  let fields: Parameters<Parameters<typeof edited>[1]>[0] = [];
  edited(bytes, (all) => fields = all);
  return fields;
}

Deno.test("createDeviceKeys() makes a hybrid key by default, and what is wrapped for it is of its size (WRAP-01)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  assertEquals(device.keys.suite, "xwing");
  const { extra } = await recordOf(setting, device);
  assertEquals([extra.suite, extra.encapsulated.length, extra.wrapped.length], ["xwing", 1_120, 48]);
  const { recovery } = await lastHead(setting.world.manager);
  assertEquals([recovery.encapsulated.length, recovery.ciphertext.length], [1_120, 48]);
  assert(HPKE_SUITES.xwing.quantumSafe);
});
