import { toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { openIndex } from "../../../shared/manifest/open_index.ts";
import { parseIndex, type ReleaseIndex } from "../../../shared/manifest/release_index.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals } from "../../assert.ts";
import { encryptRelease, makeRelease, makeWorkshop, PUBLISH, RELEASE } from "./releases.ts";
import type { Workshop } from "./workshop.ts";

const TO_WEB = `${PUBLISH} --to web`;

async function indexOf(workshop: Workshop, root = "root.pem"): Promise<ReleaseIndex> {
  const [block] = readPem(new TextDecoder().decode(await workshop.read(root)));
  assert(block !== undefined);
  const trust = { roots: [readCertificate(block.bytes)], now: workshop.now };
  const file = { content: await workshop.read("web/index.json"), signature: await workshop.read("web/index.json.sig") };
  const verify = (content: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) =>
    verifyDetached(content, signature, trust);
  return (await openIndex(file, { verify, product: "postern", memory: [], now: workshop.now })).index;
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("MAN-24 publish_release puts files by their content, envelope, signature, and an index that instances take", async () => {
  await using workshop = await makeWorkshop();
  await makeRelease(workshop, "1.0.0");
  assertEquals(await workshop.code(`${TO_WEB} ${RELEASE}`), "not_found");
  const { json } = await workshop.ok(`${TO_WEB} ${RELEASE} --anew --rollout 25`);
  assertEquals([json["number"], json["sent"], json["there"]], [1, 4, 0]);
  const index = await indexOf(workshop);
  const envelope = await workshop.read("encrypted_manifest.json");
  assertEquals(index.releases.map(({ version, rollout, envelope }) => [version, rollout, envelope.sha256]), [
    ["1.0.0", 25, toHex(sha256(envelope))],
  ]);
  assertEquals(names(`${workshop.path}/web`), [".lock", "index.json", "index.json.sig", "v1.0.0"]);
  const inside = names(`${workshop.path}/web/v1.0.0`);
  assertEquals(inside.length, 4);
  for (const name of inside.filter((one) => /^[0-9a-f]{64}$/.test(one))) {
    assertEquals(toHex(sha256(await workshop.read(`web/v1.0.0/${name}`))), name);
  }
  assertEquals(await workshop.read("web/v1.0.0/encrypted_manifest.json"), envelope);
});

Deno.test("publish_release once more sends nothing, widens the roll-out, takes back and sets a floor", async () => {
  await using workshop = await makeWorkshop();
  await makeRelease(workshop, "1.0.0");
  await workshop.ok(`${TO_WEB} ${RELEASE} --anew --rollout 25`);
  workshop.now += 1_000;
  const again = (await workshop.ok(`${TO_WEB} ${RELEASE} --rollout 50`)).json;
  assertEquals([again["number"], again["sent"], again["there"], again["bytesSent"]], [2, 0, 4, 0]);
  await makeRelease(workshop, "1.1.0");
  await workshop.ok(`${TO_WEB} ${RELEASE} --floor 1.0.0`);
  await workshop.ok(`${TO_WEB} --release 1.0.0 --rollout 100 --revoke 1.1.0 --expires 7d`);
  const index = await indexOf(workshop);
  assertEquals([index.number, index.floor, index.expires - index.created], [4, "1.0.0", 7 * 86_400_000]);
  assertEquals(index.releases.map(({ version, rollout, isRevoked }) => [version, rollout, isRevoked]), [
    ["1.0.0", 100, false],
    ["1.1.0", 100, true],
  ]);
});

Deno.test("publish_release takes another envelope of a version only with --replace", async () => {
  await using workshop = await makeWorkshop();
  await makeRelease(workshop, "1.0.0");
  await workshop.ok(`${TO_WEB} ${RELEASE} --anew`);
  await encryptRelease(workshop);
  assertEquals(await workshop.code(`${TO_WEB} ${RELEASE}`), "conflict");
  assertEquals((await workshop.ok(`${TO_WEB} ${RELEASE} --replace`)).json["there"], 2);
});

Deno.test("IDX-05 after a stolen key, --anew goes on above its number, with nothing that it said", async () => {
  await using workshop = await makeWorkshop();
  await makeRelease(workshop, "1.0.0");
  await workshop.ok(`${TO_WEB} ${RELEASE} --anew 4711`);
  assertEquals((await indexOf(workshop)).number, 4712);
  const { json } = await workshop.ok(`${TO_WEB} --anew`);
  assertEquals([json["number"], json["releases"]], [4713, []]);
});

Deno.test("publish_release goes on wherever the run before it was killed between the index and its signature", async () => {
  await using workshop = await makeWorkshop();
  await workshop.ok(`${TO_WEB} --anew`);
  const before = await Promise.all(["index.json", "index.json.sig"].map((name) => workshop.read(`web/${name}`)));
  workshop.now += 1_000;
  await workshop.ok(TO_WEB);
  const after = await Promise.all(["index.json", "index.json.sig"].map((name) => workshop.read(`web/${name}`)));
  const [oldIndex, oldSignature] = before;
  const [newIndex, newSignature] = after;
  assert(oldIndex && oldSignature && newIndex && newSignature);
  const web = (name: string) => `web/${name}`;
  // After each step of the second run: content, signature, what lies beside them, and the number that counts.
  const states = [
    [oldIndex, oldSignature, newIndex, null, 1],
    [oldIndex, oldSignature, newIndex, newSignature, 2],
    [newIndex, oldSignature, null, newSignature, 2],
    [newIndex, newSignature, null, null, 2],
  ] as const;
  for (const [content, signature, nextContent, nextSignature, number] of states) {
    const files = { "index.json": content, "index.json.sig": signature };
    const next = { "index.json.next": nextContent, "index.json.sig.next": nextSignature };
    for (const [name, bytes] of Object.entries({ ...files, ...next })) {
      if (bytes !== null) await workshop.write(web(name), bytes);
      else await Deno.remove(`${workshop.path}/web/${name}`).catch(() => {});
    }
    assertEquals((await workshop.ok(TO_WEB)).json["number"], number + 1);
    assertEquals(names(`${workshop.path}/web`), [".lock", "index.json", "index.json.sig"]);
  }
});

Deno.test("IDX-09, MAN-25, MAN-26 publish_release lays revocation lists beside the index, and the manifest beside the envelope", async () => {
  await using workshop = await makeWorkshop();
  await makeRelease(workshop, "1.0.0");
  await workshop.ok("publisher_ca crl --root root.pem --root-key root.key --crl root.crl --anew");
  await workshop.ok(`${TO_WEB} ${RELEASE} --anew --crl root.crl --public`);
  assertEquals(await workshop.read("web/release.crl"), await workshop.read("root.crl"));
  const manifest = await workshop.read("web/v1.0.0/manifest.json");
  assertEquals(manifest, await workshop.read("manifest.json"));
  const named = { size: manifest.length, sha256: toHex(sha256(manifest)) };
  assertEquals(parseIndex(await workshop.read("web/index.json")).releases[0]?.manifest, named);
  const signed = "--input web/v1.0.0/manifest.json --signature web/v1.0.0/manifest.json.sig";
  await workshop.ok(`verify_manifest ${signed} --root root.pem --crl web/release.crl`);
});

const REFUSED: readonly (readonly [string, string, string, ((workshop: Workshop) => Promise<unknown>)?])[] = [
  ["no place", `${PUBLISH} ${RELEASE}`, "usage"],
  ["files without an envelope", `${TO_WEB} --release-dir release --anew`, "usage"],
  ["an envelope that somebody changed", `${TO_WEB} ${RELEASE} --anew`, "signature", async (w) => {
    const text = new TextDecoder().decode(await w.read("encrypted_manifest.json"));
    await w.write("encrypted_manifest.json", text.replace("1.0.0", "1.0.1"));
  }],
  ["a manifest of another release", `${TO_WEB} ${RELEASE} --anew`, "mixed_up", async (w) => {
    await w.ok("generate_manifest --version 1.0.1 --release-dir release --output manifest.json --date 2026-06-01");
  }],
  ["files that changed after they were described", `${TO_WEB} ${RELEASE} --anew`, "conflict", async (w) => {
    await w.write("release/postern", "version 1.0.9\n", 0o755);
  }],
  ["files that were cut off", `${TO_WEB} ${RELEASE} --anew`, "conflict", (w) => w.write("release/postern", "v")],
  ["another product", `${TO_WEB} ${RELEASE} --anew --product other`, "mixed_up"],
  ["a release that is past its time", `${TO_WEB} ${RELEASE} --anew`, "expired", (w) => {
    w.now += 370 * 86_400_000;
    return w.ok("publisher_ca crl --root root.pem --root-key root.key --crl root.crl --anew");
  }],
  ["an index that is to be believed for too long", `${TO_WEB} --anew --expires 100d`, "malformed"],
  ["a roll-out of nothing", `${TO_WEB} --anew --rollout 5`, "usage"],
  ["a roll-out of what is not published", `${TO_WEB} --anew --rollout 5 --release 3.0.0`, "not_found"],
  ["to take back what is not published", `${TO_WEB} --anew --revoke 3.0.0`, "not_found"],
  ["a percentage above 100", `${TO_WEB} --anew --rollout 101`, "usage"],
  ["an index there by somebody else", TO_WEB, "signature", async (w) => {
    await w.ok(`${TO_WEB} --anew`);
    const text = new TextDecoder().decode(await w.read("web/index.json"));
    await w.write("web/index.json", text.replace('"number":1', '"number":7'));
  }],
  [
    "a signer that was revoked",
    `${TO_WEB} --anew --crl root.crl`,
    "revoked",
    (w) => w.ok("publisher_ca crl --root root.pem --root-key root.key --crl root.crl --anew --revoke release_cert.pem"),
  ],
];

for (const [what, line, code, prepare] of REFUSED) {
  Deno.test(`publish_release refuses ${what}: ${code}`, async () => {
    await using workshop = await makeWorkshop();
    await makeRelease(workshop, "1.0.0");
    await prepare?.(workshop);
    assertEquals(await workshop.code(line), code);
    // Whatever lies there: no index names what was refused.
    const there = await Deno.readTextFile(`${workshop.path}/web/index.json`).catch(() => "");
    assert(!there.includes("1.0.0"));
  });
}
