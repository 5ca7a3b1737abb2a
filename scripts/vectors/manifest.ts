/** Example of manifest.md: a manifest, its envelopes of every schema, what opens them, and an index. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { memberKeys } from "../../shared/cover/member.ts";
import { CoverSecret } from "../../shared/cover/secret.ts";
import { hmacSha256, sha256 } from "../../shared/crypto/hash.ts";
import { importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { importX25519 } from "../../shared/crypto/x25519.ts";
import { PosternError } from "../../shared/errors.ts";
import {
  encryptForRecipients,
  type Encryption,
  encryptSchema1,
  encryptToCover,
} from "../../shared/manifest/encrypt.ts";
import { type Envelope2, type Envelope3, parseEnvelope } from "../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../shared/manifest/instance_keys.ts";
import { jcs, writeJson } from "../../shared/manifest/json.ts";
import { MANIFEST_LABELS } from "../../shared/manifest/labels.ts";
import { parseManifest, type ReleaseManifest, writeManifest } from "../../shared/manifest/manifest.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../shared/manifest/open_envelope.ts";
import { writeIndex } from "../../shared/manifest/release_index.ts";
import { contentAssociatedData, deriveReleaseKeys, publicJson, releaseId } from "../../shared/manifest/release_keys.ts";
import { secretKey } from "../../shared/crypto/brand.ts";
import { opaqueId, wrapInfo } from "../../shared/manifest/wrap.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sealWith, seeded } from "./fixed.ts";
import { TIME } from "./household.ts";
import type { Example, Step } from "./vector.ts";

const YEAR = 31_536_000_000;
const DEPTH = 4;
const LEAF = 5;

const MANIFEST: ReleaseManifest = {
  ...{ product: "postern", version: "1.2.0", tagName: "v1.2.0", isCritical: true, floor: "1.1.0" },
  ...{ created: TIME, expires: TIME + YEAR, commit: "2b".repeat(20), notes: "Größer, schneller.\n" },
  files: [
    { path: "bin/postern", size: 10, mode: "0755", sha256: toHex(sha256(utf8("#!/bin/sh\n"))) },
    { path: "README.md", size: 0, mode: "0644", sha256: toHex(sha256(utf8(""))) },
  ],
};

const text = (bytes: Bytes) => new TextDecoder().decode(bytes);

/** Remembers what was drawn, in order. */
function recording(random: RandomBytes): { random: RandomBytes; drawn: Bytes[] } {
  const drawn: Bytes[] = [];
  const record = (length: number) => {
    const bytes = random(length);
    drawn.push(bytes.slice());
    return bytes;
  };
  return { random: record, drawn };
}

/** An instance, in the secrets that its keys come from. */
async function makeInstance(random: RandomBytes) {
  const [entrySecret, xwingSeed, x25519Secret, symmetric] = [random(32), random(32), random(32), random(32)];
  const coverSecret = random(32);
  const cover = new CoverSecret(coverSecret, DEPTH);
  const [xwing, x25519] = await Promise.all([importHpkeKey("xwing", xwingSeed), importX25519(x25519Secret)]);
  const keys: InstanceKeys = {
    mdks: [{ version: 2, xwing, x25519 }],
    registrations: [{ entrySecret: new Redacted(entrySecret), member: memberKeys(cover, LEAF) }],
    shared: [{ keyId: "fleet", keyVersion: 1, key: new Redacted(symmetric) }],
  };
  return { entrySecret, xwingSeed, x25519Secret, symmetric, coverSecret, cover, xwing, x25519, keys };
}

type Instance = Awaited<ReturnType<typeof makeInstance>>;

export async function manifestExample(): Promise<Example> {
  const random = seeded("postern example manifest");
  const instance = await makeInstance(random);
  return {
    page: "manifest.md",
    about:
      "One release for one instance, whose MDK has version 2. Files are given as text. The key id is fleet, version 1.",
    steps: [
      manifestStep(),
      await schema1Step(instance, random),
      await x25519Step(instance, random),
      await xwingStep(instance, random),
      await schema3Step(instance, random),
      indexStep(),
      rolloutStep(random),
    ],
  };
}

function manifestStep(): Step {
  const bytes = writeManifest(MANIFEST);
  return { name: "manifest", inputs: {}, outputs: { text: text(bytes), hash: sha256(bytes) } };
}

async function schema1Step(instance: Instance, random: RandomBytes): Promise<Step> {
  const { drawn, ...recorder } = recording(random);
  const bytes = await encryptSchema1(encryptionWith(recorder.random), instance.symmetric);
  await requireOpens(bytes, instance.keys);
  const [iv] = drawn;
  return { name: "schema 1", inputs: { key: instance.symmetric, iv: need(iv) }, outputs: { text: text(bytes) } };
}

async function x25519Step(instance: Instance, random: RandomBytes): Promise<Step> {
  const ephemeralSecret = random(32);
  const { entrySecret, x25519Secret, x25519 } = instance;
  const { drawn, ...recorder } = recording(random);
  const recipient = { entrySecret, mdkVersion: 2, publicKey: x25519.publicKey };
  const encryption = encryptionWith(recorder.random);
  const bytes = await encryptForRecipients(encryption, "x25519", [recipient], await importX25519(ephemeralSecret));
  await requireOpens(bytes, instance.keys);
  const envelope = parseEnvelope(bytes) as Envelope2;
  const [nonce, mek, iv] = drawn.map(need);
  const release = releaseId(envelope);
  const id = opaqueId(entrySecret, release, 2);
  return {
    name: "schema 2, x25519",
    inputs: {
      ...{ nonce: need(nonce), mek: need(mek), iv: need(iv), ephemeralSecret, entrySecret },
      ...{ x25519Secret, x25519: x25519.publicKey },
    },
    outputs: {
      ...derived(envelope, need(mek)),
      ...{ opaqueId: id, entry: need(envelope.recipients.find(id)), text: text(bytes) },
    },
  };
}

/** The envelope around it differs from that of x25519 in `wrap`, `ephemeral` and this entry. */
async function xwingStep({ entrySecret, xwingSeed, xwing }: Instance, random: RandomBytes): Promise<Step> {
  const [nonce, mek, randomness] = [random(16), random(32), random(64)];
  const { files: _, notes: __, commit: ___, ...facts } = MANIFEST;
  const part = { schema: 2, ...facts, keyId: "fleet", keyVersion: 1, nonce, wrap: "xwing" } as const;
  const release = releaseId(part);
  const id = opaqueId(entrySecret, release, 2);
  const info = wrapInfo({ release, id });
  const sealed = await sealWith(randomness, xwing.publicKey, info, mek);
  return {
    name: "an entry of schema 2, xwing",
    inputs: { nonce, mek, randomness, entrySecret, xwingSeed, xwing: xwing.publicKey },
    outputs: {
      ...{ public: writeJson(publicJson(part)), releaseId: release, opaqueId: id, info },
      ...{ encapsulated: sealed.encapsulated, ciphertext: sealed.ciphertext },
    },
  };
}

async function schema3Step(instance: Instance, random: RandomBytes): Promise<Step> {
  const { drawn, ...recorder } = recording(random);
  const bytes = await encryptToCover(encryptionWith(recorder.random), instance.cover, [9]);
  await requireOpens(bytes, instance.keys);
  const envelope = parseEnvelope(bytes) as Envelope3;
  const [nonce, mek] = drawn.map(need);
  return {
    name: "schema 3",
    inputs: {
      ...{ nonce: need(nonce), mek: need(mek), iv: need(drawn.at(-1)) },
      ...{ coverSecret: instance.coverSecret, depth: DEPTH, leaf: LEAF, revoked: [9] },
    },
    outputs: { ...derived(envelope, need(mek)), cover: envelope.cover, text: text(bytes) },
  };
}

function indexStep(): Step {
  const bytes = writeIndex({
    ...{ product: "postern", number: 7, created: TIME, expires: TIME + 604_800_000, floor: "1.1.0" },
    releases: [{
      ...{ version: "1.2.0", tagName: "v1.2.0", isCritical: true, created: TIME, rollout: 25, isRevoked: false },
      envelope: { size: 91_022, sha256: "ab".repeat(32) },
      manifest: { size: 20_480, sha256: "cd".repeat(32) },
    }],
  });
  return { name: "index", inputs: {}, outputs: { text: text(bytes), hash: sha256(bytes) } };
}

function rolloutStep(random: RandomBytes): Step {
  const rolloutKey = random(32);
  const message = jcs([MANIFEST_LABELS.rollout, "postern", "1.2.0"]);
  const hash = hmacSha256(rolloutKey, message);
  const place = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
  const from = Math.floor(100 * place / 2 ** 32) + 1;
  return {
    name: "rollout",
    inputs: { rolloutKey, message: text(message) },
    outputs: { hash, place, firstPercent: from },
  };
}

function derived(envelope: Envelope2 | Envelope3, mek: Bytes) {
  const release = releaseId(envelope);
  const { content, keyCommitment, manifestCommitment } = deriveReleaseKeys(secretKey<"Mek">(mek), release);
  return {
    ...{ public: writeJson(publicJson(envelope)), releaseId: release, contentKey: content, keyCommitment },
    ...{ manifestCommitmentKey: manifestCommitment, manifestCommitment: envelope.manifestCommitment },
    contentAad: text(contentAssociatedData(envelope, envelope)),
  };
}

function encryptionWith(random: RandomBytes): Encryption {
  return { manifest: parseManifest(writeManifest(MANIFEST)), keyId: "fleet", keyVersion: 1, random };
}

async function requireOpens(bytes: Bytes, keys: InstanceKeys): Promise<void> {
  const envelope = parseEnvelope(bytes);
  validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, keys)));
}

function need<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new PosternError("not_found", "an example lacks a value");
  return value;
}
