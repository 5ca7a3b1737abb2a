/** What only the publisher could make, or who has its keys: envelopes that say one thing outside, and hold another one. */
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { pad } from "../../../shared/bytes/padding.ts";
import { importAeadKey, sealAead } from "../../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { encryptForRecipients } from "../../../shared/manifest/encrypt.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import { type ReleaseManifest, writeManifest } from "../../../shared/manifest/manifest.ts";
import { unwrapEnvelope } from "../../../shared/manifest/open_envelope.ts";
import { commitToManifest, contentAssociatedData } from "../../../shared/manifest/release_keys.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { type Kind, KINDS, makeScene, openUnsigned } from "./envelopes.ts";
import { encryption, KEY, makeInstance, makeMdk, manifest, NOW, parsed } from "./fixture.ts";

const scene = await makeScene();
const { keys } = scene.instance;

interface Inside {
  readonly plaintext: Bytes;
  readonly commitment?: Bytes;
  readonly padded?: Bytes;
}

/** An envelope whose content was sealed anew by its own key, with associated data and commitment that fit. */
async function holding(kind: Kind, outside: Partial<ReleaseManifest>, inside: Inside): Promise<Bytes> {
  const bytes = await scene.encrypt(kind, outside);
  const envelope = parseEnvelope(bytes);
  const unwrapped = await unwrapEnvelope(envelope, keys);
  assert(envelope.schema !== 1 && unwrapped.schema !== 1);
  const { plaintext, commitment = commitToManifest(unwrapped.keys, plaintext), padded = pad(plaintext) } = inside;
  const associatedData = contentAssociatedData(envelope, { ...envelope, manifestCommitment: commitment });
  const iv = webCryptoRandom(12);
  const sealed = await sealAead(await importAeadKey(unwrapped.keys.content), iv, padded, associatedData);
  return utf8(writeJson({
    ...parsed(bytes) as Record<string, JsonValue>,
    encrypted_blob: {
      ...{ key_id: KEY.keyId, key_version: KEY.keyVersion, iv: toBase64(iv) },
      ...{ ciphertext: toBase64(sealed.slice(0, -16)), tag: toBase64(sealed.slice(-16)) },
    },
    manifest_commitment: toBase64(commitment),
  }));
}

function withoutFloor(): ReleaseManifest {
  const { floor: _, ...rest } = manifest();
  return rest;
}

for (const kind of KINDS.slice(1)) {
  const plaintext = writeManifest(manifest());

  Deno.test(`MAN-12 ${kind}: content that is not the one committed to is tampered, though it opens`, async () => {
    assertEquals(await openUnsigned(await holding(kind, {}, { plaintext }), keys), manifest());
    const other = await holding(kind, {}, { plaintext, commitment: webCryptoRandom(32) });
    const { message } = await assertRejects(() => openUnsigned(other, keys), "tampered");
    assert(message.includes("the manifest"), message);
    const bare = await holding(kind, {}, { plaintext, padded: plaintext });
    await assertRejects(() => openUnsigned(bare, keys), "malformed");
  });

  Deno.test(`MAN-23 ${kind}: what is said outside is what is said inside, or it is mixed_up`, async () => {
    const changes: readonly Partial<ReleaseManifest>[] = [
      ...[{ product: "other" }, { version: "1.2.1" }, { tagName: "v9" }, { isCritical: false }, { floor: "1.0.0" }],
      ...[{ created: NOW - 1 }, { expires: NOW + 1 }],
    ];
    for (const change of changes) {
      const differing = await holding(kind, {}, { plaintext: writeManifest(manifest(change)) });
      await assertRejects(() => openUnsigned(differing, keys), "mixed_up");
    }
    const silent = await holding(kind, {}, { plaintext: writeManifest(withoutFloor()) });
    await assertRejects(() => openUnsigned(silent, keys), "mixed_up");
    const strange = await holding(kind, {}, { plaintext: utf8('{"format":"postern/release/2"}') });
    await assertRejects(() => openUnsigned(strange, keys), "unsupported");
  });
}

for (const wrap of ["xwing", "x25519"] as const) {
  Deno.test(`MAN-14 ${wrap}: of an entry for each MDK, that of the highest version is opened`, async () => {
    const instance = await makeInstance({ version: 3 });
    const older = await makeMdk(2);
    const stranger = await makeMdk(2);
    const wrong = { ...instance.recipient(wrap), mdkVersion: 2, publicKey: stranger[wrap].publicKey };
    const bytes = await encryptForRecipients(encryption(), wrap, [wrong, instance.recipient(wrap)]);
    const [newest] = instance.keys.mdks;
    assert(newest !== undefined);
    for (const mdks of [[older, newest], [newest, older]]) {
      assertEquals(await openUnsigned(bytes, { ...instance.keys, mdks }), manifest());
    }
    await assertRejects(() => openUnsigned(bytes, { ...instance.keys, mdks: [older] }), "tampered");
  });
}
