/** Envelopes of every schema that one instance can open, small ones. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { encryptForRecipients, encryptSchema1, encryptToCover } from "../../../shared/manifest/encrypt.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../../shared/manifest/open_envelope.ts";
import { encryption, makeInstance, type TestInstance } from "./fixture.ts";

/** A small one, with the leaf of the instance, and a leaf that is revoked. */
export const COVER = CoverSecret.create(webCryptoRandom, 10);
export const LEAF = 5;
export const REVOKED_LEAF = 77;

export const KINDS = ["schema 1", "schema 2 xwing", "schema 2 x25519", "schema 3"] as const;
export type Kind = typeof KINDS[number];

/** An instance, and how to encrypt for it. */
export interface Scene {
  readonly instance: TestInstance;
  encrypt(kind: Kind, changes?: Partial<ReleaseManifest>): Promise<Bytes>;
}

export async function makeScene(): Promise<Scene> {
  const symmetric = webCryptoRandom(32);
  const instance = await makeInstance({ member: memberKeys(COVER, LEAF), symmetric });
  const encrypt = async (kind: Kind, changes: Partial<ReleaseManifest> = {}): Promise<Bytes> => {
    switch (kind) {
      case "schema 1":
        return await encryptSchema1(encryption(changes), symmetric);
      case "schema 2 xwing":
        return await encryptForRecipients(encryption(changes), "xwing", [instance.recipient("xwing")]);
      case "schema 2 x25519":
        return await encryptForRecipients(encryption(changes), "x25519", [instance.recipient("x25519")]);
      case "schema 3":
        return await encryptToCover(encryption(changes), COVER, [REVOKED_LEAF]);
    }
  };
  return { instance, encrypt };
}

/** All steps but the signature and the judgement. */
export async function openUnsigned(bytes: Bytes, keys: InstanceKeys): Promise<ReleaseManifest> {
  const envelope = parseEnvelope(bytes);
  return validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, keys)));
}
