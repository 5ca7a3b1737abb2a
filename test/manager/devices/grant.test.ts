/** A device to whose key nothing can be wrapped is not granted: it would stop every push, for all devices. */
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { generateHpkeSecret, importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { TAG } from "../../../shared/der/read.ts";
import { element, octetBits, oid, sequence, unsigned } from "../../../shared/der/write.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { grantDevice, type NewDevice } from "../../../manager/devices/grant.ts";
import { allDevices } from "../../../manager/devices/repository.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { holder, newKey } from "../../shared/x509/builder.ts";

Deno.test("grantDevice() refuses keys that are well made but that nothing can be wrapped to", async () => {
  await using world = await World.create();
  const { db } = world.manager;
  const key = await newKey();
  const { certificate } = await holder({ key });
  const grant = async (changes: Partial<NewDevice>) => {
    const asked: NewDevice = {
      ...{ name: "odd", publicKey: key.spki, suite: "xwing", kemPublicKey: null, certificate, request: key.spki },
      ...changes,
    };
    return await grantDevice(db, asked, world.clock.now(), webCryptoRandom);
  };
  const { publicKey } = await importHpkeKey("xwing", await generateHpkeSecret("xwing"));
  // A coefficient of ML-KEM that is not below the prime; a key of small order.
  await assertRejects(() => grant({ kemPublicKey: publicKey.slice().fill(0xff, 0, 3) }), "malformed");
  await assertRejects(() => grant({ kemPublicKey: publicKey.slice().fill(0, -32) }), "malformed");
  await assertRejects(() => grant({ suite: "x25519", kemPublicKey: new Uint8Array(32) }), "malformed");
  assertEquals((await allDevices(db)).length, 0);
  // RSA of 8192 bits, where the runtime does not take it.
  const numbers = sequence(unsigned(new Uint8Array(1_024).fill(0xff)), unsigned(Uint8Array.of(1, 0, 1)));
  const large = sequence(sequence(oid("1.2.840.113549.1.1.1"), element(TAG.null)), octetBits(numbers));
  const outcome = await grant({ suite: "rsa-oaep-256", publicKey: large }).then(
    () => "granted",
    (error) => isPosternError(error, "unsupported") ? "unsupported" : Promise.reject(error),
  );
  assert(outcome === "granted" || outcome === "unsupported", outcome);
  await grant({ name: "good", kemPublicKey: publicKey });
});
