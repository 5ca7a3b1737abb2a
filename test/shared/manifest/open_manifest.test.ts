import { createCipheriv } from "node:crypto";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import type { ReleasePolicy } from "../../../shared/manifest/judge_release.ts";
import { writeManifest } from "../../../shared/manifest/manifest.ts";
import { openManifest } from "../../../shared/manifest/open_manifest.ts";
import type { IndexEntry } from "../../../shared/manifest/release_index.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { KINDS, makeScene } from "./envelopes.ts";
import { edit, KEY, makeSigner, manifest, NOW, parsed, POLICY } from "./fixture.ts";

const scene = await makeScene();
const { keys } = scene.instance;
const signer = await makeSigner();
const ALL_SCHEMAS: ReleasePolicy = { ...POLICY, allowsSchema1: true };

async function open(content: Bytes, policy: ReleasePolicy = ALL_SCHEMAS, now = NOW, held: InstanceKeys = keys) {
  const signature = await signer.sign(content);
  return await openManifest({ content, signature }, { verify: signer.verify, keys: held, policy, now });
}

Deno.test("MAN-19 which keys may open a release can hang on who signed it", async () => {
  const content = await scene.encrypt("schema 3");
  const file = { content, signature: await signer.sign(content) };
  const none: InstanceKeys = { mdks: [], registrations: [], shared: [] };
  const openAs = (trusted: string) =>
    openManifest(file, {
      ...{ verify: signer.verify, policy: ALL_SCHEMAS, now: NOW },
      keys: (signedBy) => signedBy === trusted ? keys : none,
    });
  assertEquals((await openAs("publisher")).manifest, manifest());
  await assertRejects(() => openAs("another"), "forbidden");
});

for (const kind of KINDS) {
  Deno.test(`MAN-19 ${kind}: a signed release opens, and says who signed it`, async () => {
    const opened = await open(await scene.encrypt(kind));
    assertEquals(opened.manifest, manifest());
    assertEquals(opened.signer, "publisher");
    assertEquals(`schema ${opened.schema}`, kind.slice(0, 8));
  });

  Deno.test(`MAN-20 ${kind}: a release of another product is mixed_up`, async () => {
    await assertRejects(async () => await open(await scene.encrypt(kind, { product: "other" })), "mixed_up");
  });

  Deno.test(`MAN-21 ${kind}: a release is taken up to its end, and not before its beginning`, async () => {
    const content = await scene.encrypt(kind, { created: NOW, expires: NOW + 1_000 });
    await open(content, ALL_SCHEMAS, NOW + 999);
    await assertRejects(() => open(content, ALL_SCHEMAS, NOW + 1_000), "expired");
    await open(content, ALL_SCHEMAS, NOW - 600_000);
    await assertRejects(() => open(content, ALL_SCHEMAS, NOW - 600_001), "not_yet_valid");
  });

  Deno.test(`MAN-22 ${kind}: a release below what is installed or a floor is rolled_back`, async () => {
    const content = await scene.encrypt(kind);
    await open(content, { ...ALL_SCHEMAS, installed: "1.2.0", floor: "1.2.0" });
    await assertRejects(() => open(content, { ...ALL_SCHEMAS, installed: "1.2.1" }), "rolled_back");
    await assertRejects(() => open(content, { ...ALL_SCHEMAS, installed: "1.3.0-rc.1" }), "rolled_back");
    await assertRejects(() => open(content, { ...ALL_SCHEMAS, floor: "1.10.0" }), "rolled_back");
  });

  Deno.test(`MAN-20 IDX-06 ${kind}: a release is the one that the index names`, async () => {
    const content = await scene.encrypt(kind);
    const { version, tagName, created, isCritical } = manifest();
    const named: IndexEntry = {
      ...{ version, tagName, created, isCritical, rollout: 100, isRevoked: false },
      envelope: { size: content.length, sha256: toHex(sha256(content)) },
    };
    const by = (changes: Partial<IndexEntry>) => open(content, { ...ALL_SCHEMAS, named: { ...named, ...changes } });
    await by({});
    const others: Partial<IndexEntry>[] = [
      ...[{ version: "1.2.1" }, { tagName: "v1.2.1" }, { created: 1 }, { isCritical: false }],
      ...[{ size: content.length + 1 }, { sha256: "0".repeat(64) }].map((one) => ({
        envelope: { ...named.envelope, ...one },
      })),
    ];
    for (const other of others) await assertRejects(() => by(other), "mixed_up");
  });

  Deno.test(`MAN-03 MAN-19 ${kind}: sizes are looked at before the signature`, async () => {
    const opening = { verify: () => Promise.reject(new Error("looked at")), keys, policy: ALL_SCHEMAS, now: NOW };
    const content = await scene.encrypt(kind);
    const signature = new Uint8Array(content.length + 262_145);
    await assertRejects(() => openManifest({ content, signature }, opening), "too_large");
    const large = { content: new Uint8Array(67_108_865), signature: new Uint8Array(64) };
    await assertRejects(() => openManifest(large, opening), "too_large");
  });
}

Deno.test("MAN-03 sizes are limits themselves", async () => {
  const seen: number[] = [];
  const verify = (content: Bytes, signature: Bytes) => {
    seen.push(content.length, signature.length);
    return Promise.reject(new PosternError("signature", "looked at"));
  };
  const opening = { verify, keys, policy: POLICY, now: NOW };
  const whole = { content: new Uint8Array(67_108_864), signature: new Uint8Array(64) };
  await assertRejects(() => openManifest(whole, opening), "signature");
  const long = { content: new Uint8Array(1), signature: new Uint8Array(262_145) };
  await assertRejects(() => openManifest(long, opening), "signature");
  assertEquals(seen, [67_108_864, 64, 1, 262_145]);
});

Deno.test("MAN-09 schema 1 is refused unless the instance's configuration allows it", async () => {
  const content = await scene.encrypt("schema 1");
  await assertRejects(() => open(content, POLICY), "unsupported");
});

Deno.test("MAN-08 the wrong key of schema 1 is wrong_key", async () => {
  const held = { ...keys, shared: [{ ...KEY, key: new Redacted(webCryptoRandom(32)) }] };
  await assertRejects(async () => await open(await scene.encrypt("schema 1"), ALL_SCHEMAS, NOW, held), "wrong_key");
});

Deno.test("MAN-08 schema 1 as other tools write it opens: any order and white space, made by node's crypto", async () => {
  const [key, iv] = [webCryptoRandom(32), webCryptoRandom(12)];
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const ciphertext = [cipher.update(writeManifest(manifest())), cipher.final()].map((part) => part.toString("base64"));
  const envelope = {
    ...{ schema_version: 1, encryption_algorithm: "AES-256-GCM", key_id: "manifest_decryption_key", key_version: 1 },
    encrypted_blob: {
      ...{ key_id: "manifest_decryption_key", key_version: 1, iv: Buffer.from(iv).toString("base64") },
      ...{ ciphertext: ciphertext.join(""), tag: cipher.getAuthTag().toString("base64") },
    },
    ...{ version: "1.2.0", tag_name: "v1.2.0", is_critical: true },
  };
  const held = { ...keys, shared: [{ keyId: "manifest_decryption_key", keyVersion: 1, key: new Redacted(key) }] };
  const content = utf8(`${JSON.stringify(envelope, null, 2).replaceAll("\n", "\r\n")}\n`);
  assertEquals((await open(content, ALL_SCHEMAS, NOW, held)).manifest, manifest());
});

Deno.test("MAN-23 what schema 1 says outside is what it says inside, or it is mixed_up", async () => {
  const content = await scene.encrypt("schema 1");
  const changes: [string, string][] = [
    ['"version":"1.2.0"', '"version":"1.2.1"'],
    ['"tag_name":"v1.2.0"', '"tag_name":"v9"'],
    ['"is_critical":true', '"is_critical":false'],
  ];
  for (const [from, to] of changes) {
    const changed = edit(content, (text) => text.replace(from, to));
    assert(JSON.stringify(parsed(changed)) !== JSON.stringify(parsed(content)));
    await assertRejects(() => open(changed), "mixed_up");
  }
});

Deno.test("MAN-13 an instance that was revoked before a release does not open it, whatever it kept", async () => {
  const { instance: former } = await makeScene();
  for (const kind of KINDS.slice(1, 3)) {
    await assertRejects(async () => await open(await scene.encrypt(kind), POLICY, NOW, former.keys), "revoked");
  }
});
