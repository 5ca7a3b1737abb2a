import nodeCrypto from "node:crypto";
import * as fc from "fast-check";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { type MemberKeys, memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { encryptForRecipients } from "../../../shared/manifest/encrypt.ts";
import { type Envelope2, parseEnvelope } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import { type JsonValue, writeJson } from "../../../shared/manifest/json.ts";
import type { ReleaseId } from "../../../shared/manifest/release_keys.ts";
import { requireCanonicalX25519, unwrapX25519, wrapX25519 } from "../../../shared/manifest/wrap.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { inOtherRuntime } from "../../other_runtime.ts";
import { encryption, file, makeInstance, makeMdk, manifest, parsed } from "./fixture.ts";
import { COVER, KINDS, LEAF, makeScene, openUnsigned, REVOKED_LEAF } from "./envelopes.ts";

const scene = await makeScene();
const { keys } = scene.instance;

for (const kind of KINDS) {
  Deno.test(`MAN-12 ${kind}: what was encrypted opens`, async () => {
    assertEquals(await openUnsigned(await scene.encrypt(kind), keys), manifest());
    const { floor: _, notes: __, commit: ___, ...least } = manifest({ isCritical: false });
    const bytes = await scene.encrypt(kind, { ...least, floor: undefined } as never);
    assertEquals((await openUnsigned(bytes, keys)).isCritical, false);
  });

  Deno.test(`MAN-12 ${kind}: manifests of any size open`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(300), fc.boolean(), async (count, isCritical) => {
        const files = Array.from({ length: count + 1 }, (_, at) => file(`f/${String(at).padStart(4, "0")}`));
        assertEquals(
          await openUnsigned(await scene.encrypt(kind, { files, isCritical }), keys),
          manifest({ files, isCritical }),
        );
      }),
      { numRuns: 5 },
    );
  });

  Deno.test(`MAN-13 ${kind}: two envelopes of one manifest have no secret bytes in common`, async () => {
    const [a, b] = [parsed(await scene.encrypt(kind)), parsed(await scene.encrypt(kind))];
    for (const name of ["nonce", "ephemeral", "key_commitment", "manifest_commitment", "cover", "encrypted_keys"]) {
      if (name in a) assert(JSON.stringify(a[name]) !== JSON.stringify(b[name]), name);
    }
    const [blobA, blobB] = [a["encrypted_blob"], b["encrypted_blob"]] as Record<string, string>[];
    assert(blobA?.["iv"] !== blobB?.["iv"] && blobA?.["ciphertext"] !== blobB?.["ciphertext"]);
  });

  Deno.test(`MAN-15 ${kind}: an instance that no publisher has registered is forbidden`, async () => {
    const bytes = await scene.encrypt(kind);
    const others: InstanceKeys[] = [
      { ...keys, registrations: [], shared: [] },
      { ...keys, registrations: [], shared: keys.shared.map((one) => ({ ...one, keyId: "other" })) },
      { ...keys, registrations: [], shared: keys.shared.map((one) => ({ ...one, keyVersion: 2 })) },
    ];
    for (const held of others) await assertRejects(() => openUnsigned(bytes, held), "forbidden");
  });
}

for (const kind of KINDS.slice(1)) {
  Deno.test(`MAN-10 MAN-11 ${kind}: every public field is bound to key and content`, async () => {
    const bytes = await scene.encrypt(kind);
    const envelope = parsed(bytes) as Record<string, JsonValue>;
    const others: Record<string, JsonValue> = {
      ...{ product: "other", version: "1.2.1", tag_name: "v1.2.1", is_critical: false, floor: "1.0.0" },
      ...{ created: Number(envelope["created"]) + 1, expires: Number(envelope["expires"]) + 1 },
      ...{ nonce: toBase64(webCryptoRandom(16)), key_commitment: toBase64(webCryptoRandom(32)) },
      manifest_commitment: toBase64(webCryptoRandom(32)),
    };
    for (const [name, value] of Object.entries(others)) {
      const changed = utf8(writeJson({ ...envelope, [name]: value }));
      const code = await codeOf(() => openUnsigned(changed, keys));
      // With another release id the instance's entry has another place, too, and nothing stands there.
      const expected = name.endsWith("commitment") ? "tampered" : "revoked";
      assertEquals(code, expected, name);
    }
  });
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "none";
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.code;
  }
}

Deno.test("MAN-12 the length of a ciphertext is padded", async () => {
  const lengthOf = async (notes: string) => {
    const envelope = parseEnvelope(await scene.encrypt("schema 3", { notes }));
    return envelope.blob.ciphertext.length;
  };
  assertEquals(await lengthOf("a"), await lengthOf("ab"));
});

for (const wrap of ["xwing", "x25519"] as const) {
  Deno.test(`MAN-14 MAN-16 ${wrap}: each of many recipients finds its own entry, and others none`, async () => {
    const instances = await Promise.all(Array.from({ length: 9 }, () => makeInstance()));
    const bytes = await encryptForRecipients(encryption(), wrap, instances.map((one) => one.recipient(wrap)));
    for (const instance of instances) assertEquals(await openUnsigned(bytes, instance.keys), manifest());
    await assertRejects(async () => await openUnsigned(bytes, (await makeInstance()).keys), "revoked");
    const envelope = parseEnvelope(bytes) as Envelope2;
    assertEquals(envelope.recipients.count, 9);
  });

  Deno.test(`MAN-14 ${wrap}: an instance is not listed twice`, async () => {
    const instance = await makeInstance();
    const twice = [instance.recipient(wrap), instance.recipient(wrap)];
    await assertRejects(() => encryptForRecipients(encryption(), wrap, twice), "usage");
    await assertRejects(() => encryptForRecipients(encryption(), wrap, []), "usage");
  });

  Deno.test(`MAN-15 ${wrap}: an entry that another key is wrapped in is tampered`, async () => {
    const [own, other] = [await makeInstance(), await makeInstance()];
    const swapped = { ...own.recipient(wrap), publicKey: other.recipient(wrap).publicKey };
    const bytes = await encryptForRecipients(encryption(), wrap, [swapped]);
    await assertRejects(() => openUnsigned(bytes, own.keys), "tampered");
  });

  Deno.test(`MAN-14 ${wrap}: the newest MDK is looked for first, and an older one opens as well`, async () => {
    const instance = await makeInstance({ version: 3 });
    const older = await makeMdk(2);
    const held = { ...instance.keys, mdks: [older, ...instance.keys.mdks] };
    assertEquals(
      await openUnsigned(await encryptForRecipients(encryption(), wrap, [instance.recipient(wrap)]), held),
      manifest(),
    );
    const publicKey = wrap === "xwing" ? older.xwing.publicKey : older.x25519.publicKey;
    const former = { ...instance.recipient(wrap), mdkVersion: 2, publicKey };
    const bytes = await encryptForRecipients(encryption(), wrap, [former]);
    assertEquals(await openUnsigned(bytes, held), manifest());
    await assertRejects(() => openUnsigned(bytes, instance.keys), "revoked");
  });
}

Deno.test("MAN-14 opaque ids of one instance differ between releases", async () => {
  const instance = await makeInstance();
  const idOf = async () => {
    const bytes = await encryptForRecipients(encryption(), "x25519", [instance.recipient("x25519")]);
    const [entry] = parsed(bytes)["encrypted_keys"] as { instance_id: string }[];
    return entry?.instance_id;
  };
  assert(await idOf() !== await idOf());
});

Deno.test("MAN-17 public keys of X25519 that are no canonical ones, or of small order, are refused", async () => {
  const prime = Uint8Array.from({ length: 32 }, (_, at) => at === 0 ? 0xed : at === 31 ? 0x7f : 0xff);
  for (const publicKey of [prime, prime.with(0, 0xee), new Uint8Array(32).fill(0xff), new Uint8Array(31)]) {
    assertThrows(() => requireCanonicalX25519(publicKey), "malformed");
  }
  requireCanonicalX25519(prime.with(0, 0xec));
  const recipient = (await makeInstance()).recipient("x25519");
  const encryptFor = (publicKey: Uint8Array<ArrayBuffer>) =>
    encryptForRecipients(encryption(), "x25519", [{ ...recipient, publicKey }]);
  await assertRejects(() => encryptFor(new Uint8Array(32)), "tampered");
  // The same key in another spelling.
  const respelled = recipient.publicKey.with(31, (recipient.publicKey[31] ?? 0) | 0x80);
  await assertRejects(() => encryptFor(respelled), "malformed");
});

Deno.test("MAN-17 one ephemeral for all: an entry opens with no other recipient's key, though both know the ephemeral", async () => {
  const [alice, eve] = [await makeInstance(), await makeInstance()];
  const recipients = [alice.recipient("x25519"), eve.recipient("x25519")];
  const bytes = await encryptForRecipients(encryption(), "x25519", recipients);
  const [registration] = alice.keys.registrations;
  assert(registration !== undefined);
  const spy: InstanceKeys = { ...eve.keys, registrations: [registration] };
  await assertRejects(() => openUnsigned(bytes, spy), "tampered");
});

Deno.test("MAN-18 schema 3: a revoked leaf is revoked; without keys of the tree the release is forbidden", async () => {
  const bytes = await scene.encrypt("schema 3");
  const holding = (...members: MemberKeys[]): InstanceKeys => {
    const [registration] = keys.registrations;
    assert(registration !== undefined);
    return { ...keys, registrations: members.map((member) => ({ ...registration, member })) };
  };
  const other = memberKeys(CoverSecret.create(webCryptoRandom, 10), LEAF);
  await assertRejects(() => openUnsigned(bytes, holding(memberKeys(COVER, REVOKED_LEAF))), "revoked");
  await assertRejects(() => openUnsigned(bytes, holding(other)), "forbidden");
  await assertRejects(async () => await openUnsigned(bytes, (await makeInstance()).keys), "forbidden");
  assertEquals(await openUnsigned(bytes, holding(other, memberKeys(COVER, LEAF))), manifest());
  assertEquals(await openUnsigned(bytes, holding(memberKeys(COVER, 1_000))), manifest());
});

Deno.test("MAN-17 a runtime without X25519 and HKDF of its own wraps to the same bytes", async () => {
  const [ephemeral, recipient] = [await generateX25519(), await generateX25519()];
  const [release, mek] = [webCryptoRandom(32) as ReleaseId, secretKey<"Mek">(webCryptoRandom(32))];
  const context = { release, id: webCryptoRandom(16) };
  const wrap = () => wrapX25519(ephemeral, recipient.publicKey, context, mek);
  const wrapped = await wrap();
  const lacking = [[nodeCrypto, "diffieHellman"], [nodeCrypto, "hkdfSync"]] as const;
  assertEquals(await inOtherRuntime(lacking, wrap), wrapped);
  assertEquals(await unwrapX25519(recipient, ephemeral.publicKey, context, wrapped), mek);
  assertEquals(
    await inOtherRuntime(lacking, () => unwrapX25519(recipient, ephemeral.publicKey, context, wrapped)),
    mek,
  );
});
