import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import {
  acceptGrant,
  acceptGrantToCertificate,
  createDeviceKeys,
  createMemory,
  importDeviceKeys,
  MemoryInProcess,
  pairingRequest,
  PosternDevice,
} from "../../../shared/client/mod.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { exportPkcs8, type SignatureAlgorithm } from "../../../shared/crypto/signature.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals } from "../../assert.ts";
import { surroundingsOf } from "../../fixtures/clock.ts";
import { DAY, holder, newKey } from "../../shared/x509/builder.ts";
import { answers, CliWorld } from "./harness.ts";
import { readQr } from "./read_qr.ts";

interface Added {
  readonly grant: string;
  readonly checkCode: string;
  readonly device: { readonly state: string; readonly suite: string };
}

async function newRequest(name = "laptop", suite: "xwing" | "x25519" = "xwing") {
  const keys = await createDeviceKeys({ extractable: true, suite }, webCryptoRandom);
  return { keys, request: await pairingRequest(keys, name, webCryptoRandom) };
}

async function states(world: CliWorld): Promise<string[]> {
  const { devices } = await world.json("device", "list", "--revoked") as { devices: { name: string; state: string }[] };
  return devices.map(({ name, state }) => `${name} ${state}`);
}

Deno.test("device add --qr draws the grant so that it can be read back", async () => {
  await using world = await CliWorld.ready();
  const { keys, request } = await newRequest();
  await world.write("laptop.request", request);
  const lines = (await world.text("device", "add", "--request", "laptop.request", "--qr")).split("\n");
  const drawn = lines.filter((line) => /^[ ▀▄█]+$/.test(line)).join("\n");
  const { profile } = await acceptGrant(keys, request, readQr(drawn));
  assertEquals(profile.device.length, 16);
});

Deno.test("device add, confirm and revoke take a device through its life", async () => {
  await using world = await CliWorld.ready();
  const { keys, request } = await newRequest();
  await world.write("laptop.request", request);
  const added = await world.json("device", "add", "--request", "laptop.request") as Added;
  assertEquals(added.device.state, "pending");
  const accepted = await acceptGrant(keys, request, added.grant);
  assertEquals(accepted.checkCode, added.checkCode);
  assert((await world.text("device", "pending")).includes("laptop"));

  await world.fails(2, ["device", "confirm", "laptop"]);
  const wrong = await world.fails(76, ["device", "confirm", "laptop", "--code", "aaaa-bbbb-cccc-dddd"]);
  assert(wrong.includes("differ"));
  assertEquals(await states(world), ["laptop pending"]);
  await world.fails(76, ["device", "confirm", "laptop"], { ask: answers({ confirm: false }) });
  await world.json("device", "confirm", "laptop", "--code", added.checkCode.toUpperCase());
  assertEquals(await states(world), ["laptop active"]);
  await world.fails(73, ["device", "confirm", "laptop", "--code", added.checkCode]);

  await world.fails(2, ["device", "revoke", "laptop"]);
  await world.fails(2, ["device", "revoke", "laptop"], { ask: answers({ confirm: false }) });
  await world.json("device", "revoke", "laptop", "--yes");
  assertEquals(await states(world), ["laptop revoked"]);
  await world.fails(66, ["device", "revoke", "laptop", "--yes"]);
});

Deno.test("device add takes the request from standard input and another name", async () => {
  await using world = await CliWorld.ready();
  const { request } = await newRequest();
  await world.jsonWith(["device", "add", "--request", "-", "--name", "Desk"], { input: utf8(`${request}\n`) });
  assertEquals(await states(world), ["Desk pending"]);
  const again = await newRequest("Desk");
  const taken = await world.fails(73, ["device", "add", "--request", "-"], { input: utf8(again.request) });
  assert(taken.includes("--name"));
});

Deno.test("device add refuses what is no request, was changed, or falls to a quantum computer without consent", async () => {
  await using world = await CliWorld.ready();
  await world.fails(2, ["device", "add"]);
  await world.fails(66, ["device", "add", "--request", "nothing"]);
  await world.fails(65, ["device", "add", "--request", "-"], { input: utf8("hello") });
  await world.fails(65, ["device", "add", "--request", "-"], { input: new Uint8Array([0xff, 0xfe]) });
  const { request } = await newRequest("old", "x25519");
  await world.fails(2, ["device", "add", "--request", "-"], { input: utf8(request) });
  const at = request.length - 20;
  const changed = request.slice(0, at) + (request[at] === "A" ? "B" : "A") + request.slice(at + 1);
  await world.fails(76, ["device", "add", "--request", "-", "--allow-classical"], { input: utf8(changed) });
  await world.jsonWith(["device", "add", "--request", "-", "--allow-classical"], { input: utf8(request) });
  assert((await world.text("device", "list")).includes("not quantum-safe"));
});

Deno.test("device add --certificate takes PEM and DER of a key that can decrypt, and the device logs in with it (PAIR-06)", async () => {
  await using world = await CliWorld.ready();
  const now = world.clock.now();
  const bring = async (algorithm: SignatureAlgorithm) =>
    await holder({ subject: "CN=card", key: await newKey(algorithm), notBefore: now - DAY, notAfter: now + 9 * DAY });
  const [card, old, signs] = [await bring("ES256"), await bring("PS256"), await bring("Ed25519")];
  await world.write("card.pem", writePem("CERTIFICATE", card.certificate.der));
  await world.write("old.der", old.certificate.der);
  await world.write("signs.der", signs.certificate.der);
  await world.write(
    "two.pem",
    writePem("CERTIFICATE", card.certificate.der) + writePem("CERTIFICATE", card.certificate.der),
  );
  await world.write("junk.pem", "no certificate");
  const add = (file: string, ...more: string[]) => ["device", "add", "--certificate", file, "--name", "card", ...more];
  assert((await world.fails(2, add("card.pem"))).includes("--allow-classical"));
  const refused = [["two.pem", 2], ["junk.pem", 65], ["signs.der", 65], ["missing.pem", 66]] as const;
  for (const [file, code] of refused) {
    const said = await world.fails(code, add(file, "--allow-classical"));
    assert(said.includes(file === "signs.der" ? "--request" : file), said);
  }
  const added = await world.json(...add("card.pem", "--allow-classical")) as Added;
  assertEquals([added.device.state, added.device.suite], ["pending", "p256"]);
  const second = ["device", "add", "--certificate", "old.der", "--name", "old", "--allow-classical"];
  assertEquals((await world.json(...second) as Added).device.suite, "rsa-oaep-256");

  const secrets = { signing: await exportPkcs8(card.key.pair.privateKey), kem: null };
  const keys = await importDeviceKeys(card.certificate.spki, secrets, null, true);
  const { profile, state, checkCode } = acceptGrantToCertificate(keys, card.certificate.der, added.grant);
  assertEquals(checkCode, added.checkCode);
  await world.json("device", "confirm", "card", "--code", checkCode);
  await world.json("sync");
  const memory = new MemoryInProcess();
  await createMemory(memory, state);
  const surroundings = surroundingsOf({ clock: world.clock, fetch: (url, init) => world.edge.fetch(url, init) });
  const device = new PosternDevice({ profile, keys, memory, surroundings });
  assertEquals((await device.login()).generation, 1);
  assertEquals((await device.verifyAll()).rows.devices, 1);
});
