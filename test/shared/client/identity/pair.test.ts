import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { createDeviceKeys, type DeviceKeys, importDeviceKeys } from "../../../../shared/client/identity/device_keys.ts";
import { acceptGrant, pairingRequest } from "../../../../shared/client/identity/pair.ts";
import { type DeviceProfile, exportDevice, importDevice } from "../../../../shared/client/identity/profile.ts";
import { PosternDevice } from "../../../../shared/client/device.ts";
import { createMemory, MemoryInProcess } from "../../../../shared/client/memory/memory.ts";
import { generateHpkeSecret } from "../../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../../shared/crypto/redacted.ts";
import {
  exportPkcs8,
  exportSpki,
  generateSigningKey,
  importVerifyKey,
  type SignatureAlgorithm,
  verifySignature,
} from "../../../../shared/crypto/signature.ts";
import {
  checkCode,
  encodePairingGrant,
  type PairingGrant,
  pairingText,
  parsePairingText,
  readPairingRequest,
} from "../../../../shared/protocol/pairing.ts";
import { NO_DRAFTS } from "../../../../shared/client/memory/state.ts";
import { filled } from "../../protocol/epoch.ts";
import { ScriptedEdge } from "../scripted_edge.ts";
import { makeChain } from "../start.ts";
import { World } from "../world.ts";

function grantFor(request: string, fields: Partial<PairingGrant> = {}): string {
  return pairingText(encodePairingGrant({
    ...{ owner: filled(32, 1), device: filled(16, 2), registration: 3, certificate: null, origin: "https://edge.test" },
    ...{ edgeKey: filled(32, 4), statement: { number: 5, hash: filled(32, 6) }, newest: null },
    request: sha256(parsePairingText(request)),
    ...fields,
  }));
}

const keys = await createDeviceKeys({ extractable: true }, webCryptoRandom);

Deno.test("createDeviceKeys() makes keys that cannot be taken out, unless that is asked for", async () => {
  for (const algorithm of ["Ed25519", "ES256"] as const) {
    for (const suite of ["xwing", "x25519"] as const) {
      const hidden = await createDeviceKeys({ algorithm, suite, extractable: false }, webCryptoRandom);
      assertEquals([hidden.suite, hidden.signingKey.extractable, hidden.secrets], [suite, false, null]);
      await assertRejects(() => Promise.resolve(exportDevice(profile, hidden)).then(), "usage");
      const message = filled(10, 1);
      const verifyKey = await importVerifyKey(hidden.publicKey, algorithm);
      assert(await verifySignature(verifyKey, await hidden.sign(message), message));
      assertEquals(hidden.kemPublicKey?.length, suite === "xwing" ? 1_216 : 32);
    }
  }
});

const profile: DeviceProfile = {
  ...{ owner: filled(32, 1), device: filled(16, 2), registration: 3, certificate: null },
  edge: { origin: "https://edge.test", key: filled(32, 4) },
};

Deno.test("pairingRequest() hands over what the manager needs, signed, PAIR-01 PAIR-05 WRAP-05", async () => {
  const text = await pairingRequest(keys, "Laptop", webCryptoRandom);
  const request = await readPairingRequest(parsePairingText(text));
  assertEquals([request.publicKey, request.suite, request.kemPublicKey, request.name], [
    ...[keys.publicKey, "xwing", keys.kemPublicKey, "Laptop"],
  ]);
  for (const name of ["", "x".repeat(65)]) {
    await assertRejects(() => pairingRequest(keys, name, webCryptoRandom), "usage");
  }
});

Deno.test("acceptGrant() takes what the grant says and shows the check code, PAIR-02 PAIR-03", async () => {
  const request = await pairingRequest(keys, "Laptop", webCryptoRandom);
  const grant = grantFor(request, { newest: { generation: 7, head: filled(32, 8) } });
  const accepted = await acceptGrant(keys, request, grant);
  assertEquals(accepted.profile, profile);
  assertEquals(accepted.state, {
    ...{
      granted: { number: 5, hash: filled(32, 6) },
      statement: null,
      times: null,
      confirmed: null,
      streams: [],
      drafts: NO_DRAFTS,
    },
    head: { statement: 0, epoch: 0, generation: 7, hash: filled(32, 8), time: 0 },
  });
  assertEquals(accepted.checkCode, checkCode(parsePairingText(request), parsePairingText(grant)));
});

Deno.test("acceptGrant() refuses what is not for this device, PAIR-02", async () => {
  const request = await pairingRequest(keys, "Laptop", webCryptoRandom);
  const another = await pairingRequest(keys, "Laptop", webCryptoRandom);
  await assertRejects(() => acceptGrant(keys, request, grantFor(another)), "tampered");
  const others = await createDeviceKeys({ extractable: false }, webCryptoRandom);
  await assertRejects(() => acceptGrant(others, request, grantFor(request)), "tampered");
  const { leaf } = await makeChain();
  await assertRejects(() => acceptGrant(keys, request, grantFor(request, { certificate: leaf.der })), "tampered");
  const broken = grantFor(request, { certificate: filled(10, 1) });
  await assertRejects(() => acceptGrant(keys, request, broken), "malformed");
  for (const origin of ["https://edge.test/", "http://edge.test", "edge.test"]) {
    await assertRejects(() => acceptGrant(keys, request, grantFor(request, { origin })), "malformed");
  }
  await assertRejects(() => acceptGrant(keys, request, "postern-pairing:AAAA"), "malformed");
});

Deno.test("acceptGrant() takes a certificate for its own key, PAIR-02", async () => {
  const pair = await generateSigningKey("Ed25519", true);
  const { root } = await makeChain();
  const publicKey = await exportSpki(pair.publicKey);
  const own = await importDeviceKeys(
    publicKey,
    { signing: await exportPkcs8(pair.privateKey), kem: await generateHpkeSecret("xwing") },
    "xwing",
    false,
  );
  const { issueRoot } = await import("../../../../shared/x509/issue.ts");
  const { cryptoKeySigner } = await import("../../../../shared/x509/write_certificate.ts");
  const validity = { notBefore: root.notBefore, notAfter: root.notAfter };
  const certificate = (await issueRoot(cryptoKeySigner(pair.privateKey), publicKey, validity, webCryptoRandom)).der;
  const request = await pairingRequest(own, "Laptop", webCryptoRandom);
  const accepted = await acceptGrant(own, request, grantFor(request, { certificate }));
  assertEquals(accepted.profile.certificate, certificate);
});

Deno.test("importDevice() reads what exportDevice() wrote, and nothing else", async () => {
  const text = exportDevice({ ...profile, certificate: filled(9, 9) }, keys);
  assertEquals(`${text}`, "<redacted>");
  const read = await importDevice(text, true);
  assertEquals(read.profile, { ...profile, certificate: filled(9, 9) });
  assertEquals(read.keys.publicKey, keys.publicKey);
  assertEquals(read.keys.kemPublicKey, keys.kemPublicKey);
  assertEquals(reveal(exportDevice(read.profile, read.keys)), reveal(text));
  assertEquals((await importDevice(text)).keys.secrets, null);
  const revealed = reveal(text);
  const damaged = [
    "",
    revealed.slice(1),
    revealed.slice(0, -1),
    `${revealed}A`,
    `${revealed}=`,
    revealed.replace("postern-device:", "postern-pairing:"),
    `postern-device:${"A".repeat(200_000)}`,
  ];
  for (const one of damaged) await assertRejects(() => importDevice(new Redacted(one)), "malformed");
});

Deno.test("importDeviceKeys() refuses halves that are no pair, and a suite without its secret", async () => {
  const one = await generateSigningKey("Ed25519", true);
  const other = await generateSigningKey("Ed25519", true);
  const kem = await generateHpkeSecret("xwing");
  const publicKey = await exportSpki(one.publicKey);
  const signing = await exportPkcs8(one.privateKey);
  const wrong = { signing: await exportPkcs8(other.privateKey), kem };
  await assertRejects(() => importDeviceKeys(publicKey, wrong, "xwing", false), "wrong_key");
  await assertRejects(() => importDeviceKeys(publicKey, { signing, kem }, null, false), "malformed");
  await assertRejects(() => importDeviceKeys(publicKey, { signing, kem: null }, "xwing", false), "malformed");
  await assertRejects(() => importDeviceKeys(publicKey, { signing, kem: null }, null, false), "unsupported");
});

async function broughtAlong(algorithm: SignatureAlgorithm): Promise<DeviceKeys> {
  const pair = await generateSigningKey(algorithm, true);
  const secrets = { signing: await exportPkcs8(pair.privateKey), kem: null };
  return await importDeviceKeys(await exportSpki(pair.publicKey), secrets, null, true);
}

Deno.test("a device with a key brought along logs in and reads with it, KEY-01 PAIR-05 WRAP-02", async () => {
  const cases = [["ES256", "p256"], ["ES384", "p384"], ["ES512", "p521"], ["PS256", "rsa-oaep-256"]] as const;
  for (const [algorithm, suite] of cases) {
    const own = await broughtAlong(algorithm);
    assertEquals([own.suite, own.kemPublicKey], [suite, null]);
    const world = await World.create();
    const paired = await world.pair("card", own);
    world.addChannel("mail");
    await world.turn();
    const memory = new MemoryInProcess();
    await createMemory(memory, paired.state);
    const surroundings = new ScriptedEdge(world).surroundings();
    const again = await importDevice(exportDevice(paired.profile, own));
    const device = new PosternDevice({ ...again, memory, surroundings });
    assertEquals((await device.messages.channels()).found.map(({ name }) => name), ["mail"], algorithm);
  }
});
