/** Schema 3 with a real cover, whole: what the publisher makes, and what each instance makes of it. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { decodeHeader } from "../../../shared/cover/header.ts";
import { type MemberKeys, memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { randomLeaf } from "../../../shared/cover/tree.ts";
import { encryptToCover } from "../../../shared/manifest/encrypt.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { openUnsigned } from "./envelopes.ts";
import { edit, encryption, makeInstance, manifest, parsed } from "./fixture.ts";

const secret = CoverSecret.create(webCryptoRandom);

function encrypt(revoked: readonly number[]): Promise<Bytes> {
  return encryptToCover(encryption(), secret, revoked);
}

async function keysFor(member: MemberKeys): Promise<InstanceKeys> {
  return (await makeInstance({ member })).keys;
}

Deno.test("MAN-18 schema 3: with 100 of 2^32 revoked, others and newcomers read the release, none of these does", async () => {
  const revoked = Array.from({ length: 100 }, () => randomLeaf(32, webCryptoRandom));
  const envelope = await encrypt(revoked);
  assert(envelope.length <= 24_576, `${envelope.length} bytes`);
  const leaf = randomLeaf(32, webCryptoRandom);
  assertEquals(await openUnsigned(envelope, await keysFor(memberKeys(secret, leaf))), manifest());
  for (const gone of revoked.slice(0, 5)) {
    const keys = await keysFor(memberKeys(secret, gone));
    assertEquals(await openUnsigned(await encrypt([]), keys), manifest());
    await assertRejects(() => openUnsigned(envelope, keys), "revoked");
  }
  const stranger = memberKeys(CoverSecret.create(webCryptoRandom), leaf);
  await assertRejects(async () => openUnsigned(envelope, await keysFor(stranger)), "forbidden");
});

Deno.test("MAN-18 schema 3: the cover of another release opens nothing, though it is for the same instances", async () => {
  const keys = await keysFor(memberKeys(secret, 7));
  const other = parsed(await encrypt([]));
  const moved = edit(await encrypt([]), (text) => text.replace(/"cover":"[^"]*"/, `"cover":"${other.cover}"`));
  await assertRejects(() => openUnsigned(moved, keys), "revoked");
});

Deno.test("MAN-18 schema 3: envelopes for the same instances have nothing of their covers in common but tree and depth", async () => {
  const cover = async () => decodeHeader(Uint8Array.fromBase64(String(parsed(await encrypt([1, 2, 3])).cover)));
  const [first, second] = [await cover(), await cover()];
  assertEquals([first.tree, first.depth], [second.tree, second.depth]);
  assert(toBase64(first.salt) !== toBase64(second.salt));
  assert(toBase64(first.entries.subarray(0, 45)) !== toBase64(second.entries.subarray(0, 45)));
});
