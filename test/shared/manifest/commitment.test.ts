import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { toBase64, toHex } from "../../../shared/bytes/encoding.ts";
import { memberKeys } from "../../../shared/cover/member.ts";
import { sealToCover } from "../../../shared/cover/seal.ts";
import { importAeadKey, openAead } from "../../../shared/crypto/aead.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import { type Commitments, type Envelope, parseEnvelope, type PublicPart } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { unwrapEnvelope } from "../../../shared/manifest/open_envelope.ts";
import {
  contentAssociatedData,
  deriveReleaseKeys,
  type Mek,
  publicJson,
  type ReleaseId,
  releaseId,
} from "../../../shared/manifest/release_keys.ts";
import { opaqueId, wrapX25519 } from "../../../shared/manifest/wrap.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { KEY, makeInstance, manifest } from "./fixture.ts";
import { COVER, LEAF } from "./envelopes.ts";
import { sealUnderTwoKeys } from "./two_keys.ts";

/** A publisher that makes one ciphertext for two MEKs and commits to the first. */
async function forge(
  part: PublicPart,
  wrapped: (release: ReleaseId, meks: [Mek, Mek]) => Promise<Record<string, JsonValue>>,
) {
  const meks: [Mek, Mek] = [secretKey<"Mek">(webCryptoRandom(32)), secretKey<"Mek">(webCryptoRandom(32))];
  const release = releaseId(part);
  const keys = meks.map((mek) => deriveReleaseKeys(mek, release).content) as unknown as [Bytes, Bytes];
  const commitments: Commitments = {
    keyCommitment: deriveReleaseKeys(meks[0], release).keyCommitment,
    manifestCommitment: webCryptoRandom(32),
  };
  const iv = webCryptoRandom(12);
  const associatedData = contentAssociatedData(part, commitments);
  const sealed = await sealUnderTwoKeys(keys, iv, associatedData, webCryptoRandom(256));
  // Both open: this is what the commitment is there for.
  const opened = await Promise.all(keys.map(async (key) => {
    return toHex(await openAead(await importAeadKey(key), iv, sealed, associatedData));
  }));
  assert(opened[0] !== opened[1]);
  const envelope = writeJson({
    ...publicJson(part),
    ...await wrapped(release, meks),
    encrypted_blob: {
      ...{ key_id: part.keyId, key_version: part.keyVersion, iv: toBase64(iv) },
      ...{ ciphertext: toBase64(sealed.slice(0, -16)), tag: toBase64(sealed.slice(-16)) },
    },
    key_commitment: toBase64(commitments.keyCommitment),
    manifest_commitment: toBase64(commitments.manifestCommitment),
  });
  return parseEnvelope(utf8(envelope));
}

function partOf(schema: 2 | 3): PublicPart {
  const { product, version, tagName, isCritical, created, expires } = manifest();
  return { schema, product, version, tagName, isCritical, created, expires, ...KEY, nonce: webCryptoRandom(16) };
}

async function expectRefused(envelope: Envelope, first: InstanceKeys, second: InstanceKeys): Promise<void> {
  assertEquals((await unwrapEnvelope(envelope, first)).schema, envelope.schema);
  const { message } = await assertRejects(() => unwrapEnvelope(envelope, second), "tampered");
  assert(message.includes("commits"), message);
}

Deno.test("MAN-11 schema 2: one ciphertext that opens under two MEKs is refused by whom the other one was wrapped for", async () => {
  const [alice, bob] = [await makeInstance(), await makeInstance()];
  const ephemeral = await generateX25519();
  const part: PublicPart = { ...partOf(2), wrap: "x25519", ephemeral: ephemeral.publicKey };
  const envelope = await forge(part, async (release, meks) => {
    const entries = await Promise.all([alice, bob].map(async (instance, at) => {
      const { entrySecret, mdkVersion, publicKey } = instance.recipient("x25519");
      const id = opaqueId(entrySecret, release, mdkVersion);
      const mek = meks[at] ?? meks[0];
      const wrapped = await wrapX25519(ephemeral, publicKey, { release, id }, mek);
      return { encrypted_mek: toBase64(wrapped), instance_id: toHex(id) };
    }));
    return { encrypted_keys: entries.sort((a, b) => a.instance_id < b.instance_id ? -1 : 1) };
  });
  await expectRefused(envelope, alice.keys, bob.keys);
});

Deno.test("MAN-11 schema 3: one ciphertext that opens under two MEKs is refused with the one that it does not commit to", async () => {
  const instance = await makeInstance({ member: memberKeys(COVER, LEAF) });
  for (const which of [0, 1] as const) {
    const envelope = await forge(partOf(3), (release, meks) => {
      const header = sealToCover({ secret: COVER, revoked: [], release, random: webCryptoRandom }, meks[which]);
      return Promise.resolve({ cover: toBase64(header) });
    });
    if (which === 0) assertEquals((await unwrapEnvelope(envelope, instance.keys)).schema, 3);
    else await assertRejects(() => unwrapEnvelope(envelope, instance.keys), "tampered");
  }
});
