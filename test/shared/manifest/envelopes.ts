/** Envelopes of every schema that one instance can open, small ones. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { hmacSha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { PosternError } from "../../../shared/errors.ts";
import { encryptForRecipients, encryptSchema1, encryptToCover } from "../../../shared/manifest/encrypt.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../../shared/manifest/open_envelope.ts";
import { encryption, makeInstance, type TestInstance } from "./fixture.ts";

const xor = (a: Bytes, b: Bytes) => a.map((byte, at) => byte ^ (b[at] ?? 0));

/** A cover of one instance: as much of one as the envelope needs to know, with the errors of a real one. */
export function tinyCover(
  key: Bytes,
): { seal(release: Bytes, mek: Bytes): Bytes; open(header: Bytes, release: Bytes): Bytes } {
  return {
    seal: (release, mek) => xor(mek, hmacSha256(key, release)),
    open: (header, release) => {
      if (header.length !== 32) throw new PosternError("malformed", "no header of a cover");
      return xor(header, hmacSha256(key, release));
    },
  };
}

export const KINDS = ["schema 1", "schema 2 xwing", "schema 2 x25519", "schema 3"] as const;
export type Kind = typeof KINDS[number];

/** An instance, and how to encrypt for it. */
export interface Scene {
  readonly instance: TestInstance;
  encrypt(kind: Kind, changes?: Partial<ReleaseManifest>): Promise<Bytes>;
}

export async function makeScene(): Promise<Scene> {
  const cover = tinyCover(webCryptoRandom(32));
  const symmetric = webCryptoRandom(32);
  const instance = await makeInstance({ openCover: cover.open, symmetric });
  const encrypt = async (kind: Kind, changes: Partial<ReleaseManifest> = {}): Promise<Bytes> => {
    switch (kind) {
      case "schema 1":
        return await encryptSchema1(encryption(changes), symmetric);
      case "schema 2 xwing":
        return await encryptForRecipients(encryption(changes), "xwing", [instance.recipient("xwing")]);
      case "schema 2 x25519":
        return await encryptForRecipients(encryption(changes), "x25519", [instance.recipient("x25519")]);
      case "schema 3":
        return await encryptToCover(encryption(changes), cover.seal);
    }
  };
  return { instance, encrypt };
}

/** All steps but the signature and the judgement. */
export async function openUnsigned(bytes: Bytes, keys: InstanceKeys): Promise<ReleaseManifest> {
  const envelope = parseEnvelope(bytes);
  return validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, keys)));
}
