/** A release, and an instance that it is for. */
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { MemberKeys } from "../../../shared/cover/member.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { Encryption, Recipient } from "../../../shared/manifest/encrypt.ts";
import type { Wrap } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys, Mdk } from "../../../shared/manifest/instance_keys.ts";
import type { ReleasePolicy } from "../../../shared/manifest/judge_release.ts";
import type { ReleaseFile, ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import type { VerifySignature } from "../../../shared/manifest/open_manifest.ts";

/** 2030-01-01T00:00:00Z, a week after the release was made. */
export const NOW = 1_893_456_000_000;
const WEEK = 604_800_000;
const YEAR = 31_536_000_000;

export const KEY = { keyId: "fleet", keyVersion: 1 } as const;
export const POLICY: ReleasePolicy = { product: "postern", allowsSchema1: false };

export function file(path: string, size = 3): ReleaseFile {
  return { path, size, mode: "0644", sha256: "ab".repeat(32) };
}

export function manifest(changes: Partial<ReleaseManifest> = {}): ReleaseManifest {
  return {
    ...{ product: "postern", version: "1.2.0", tagName: "v1.2.0", isCritical: true },
    ...{ created: NOW - WEEK, expires: NOW + YEAR, floor: "1.1.0", commit: "2b".repeat(20), notes: "Größer.\n" },
    files: [{ ...file("bin/postern", 84), mode: "0755" }, file("lib/main.ts")],
    ...changes,
  };
}

export function encryption(changes: Partial<ReleaseManifest> = {}): Encryption {
  return { ...KEY, manifest: manifest(changes), random: webCryptoRandom };
}

/** An instance and what its publisher knows of it. */
export interface TestInstance {
  readonly keys: InstanceKeys;
  recipient(wrap: Wrap): Recipient;
}

export async function makeMdk(version: number): Promise<Mdk> {
  return { version, xwing: await importHpkeKey("xwing", webCryptoRandom(32)), x25519: await generateX25519() };
}

export async function makeInstance(
  { version = 1, member, symmetric = webCryptoRandom(32) }: {
    version?: number;
    member?: MemberKeys;
    symmetric?: Bytes;
  } = {},
): Promise<TestInstance> {
  const entrySecret = webCryptoRandom(32);
  const mdk = await makeMdk(version);
  return {
    keys: {
      mdks: [mdk],
      registrations: [{ entrySecret: new Redacted(entrySecret), ...(member === undefined ? {} : { member }) }],
      shared: [{ ...KEY, key: new Redacted(symmetric) }],
    },
    recipient: (wrap) => ({
      entrySecret,
      mdkVersion: version,
      publicKey: wrap === "xwing" ? mdk.xwing.publicKey : mdk.x25519.publicKey,
    }),
  };
}

/** Ed25519 in the place of CMS: what is tested here is that a signature comes first, and over all bytes. */
export async function makeSigner(): Promise<{ sign(content: Bytes): Promise<Bytes>; verify: VerifySignature<string> }> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]) as CryptoKeyPair;
  const { privateKey, publicKey } = pair;
  return {
    sign: async (content) => new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, content)),
    verify: async (content, signature) => {
      if (await crypto.subtle.verify("Ed25519", publicKey, signature, content)) return "publisher";
      throw new PosternError("signature", "the signature does not verify");
    },
  };
}

/** The text of a file, changed by `change`, as bytes. */
export function edit(bytes: Bytes, change: (text: string) => string): Bytes {
  return utf8(change(new TextDecoder().decode(bytes)));
}

/** An object in the spelling of a file. */
export function parsed(bytes: Bytes): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}
