/** The order of MAN-19: what fails in several ways fails in the earliest one, and nothing later is touched. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import type { ReleasePolicy } from "../../../shared/manifest/judge_release.ts";
import { openManifest } from "../../../shared/manifest/open_manifest.ts";
import type { IndexEntry } from "../../../shared/manifest/release_index.ts";
import { assertRejects } from "../../assert.ts";
import { KINDS, makeScene } from "./envelopes.ts";
import { edit, makeSigner, manifest, NOW, POLICY } from "./fixture.ts";

const scene = await makeScene();
const signer = await makeSigner();
const NONE: InstanceKeys = { mdks: [], registrations: [], shared: [] };
const UNTOUCHABLE: InstanceKeys = new Proxy(NONE, {
  get: () => {
    throw new Error("a key was used before all that comes first had passed");
  },
});

/** Everything that the judgement can find wrong at once. */
const LATE = { product: "other", version: "1.0.0", floor: "1.0.0", expires: NOW };
const ABOVE: ReleasePolicy = { ...POLICY, installed: "2.0.0", floor: "2.0.0" };

function naming(content: Bytes, changes: Partial<IndexEntry> = {}): IndexEntry {
  const { version, tagName, created, isCritical } = manifest();
  const envelope = { size: content.length, sha256: toHex(sha256(content)) };
  return { version, tagName, created, isCritical, rollout: 100, isRevoked: false, envelope, ...changes };
}

interface Step {
  readonly content: Bytes;
  readonly policy: ReleasePolicy;
  readonly signature?: Bytes;
  readonly keys?: InstanceKeys;
}

async function refuses(code: ErrorCode, { content, policy, signature, keys = UNTOUCHABLE }: Step): Promise<void> {
  const file = { content, signature: signature ?? await signer.sign(content) };
  await assertRejects(() => openManifest(file, { verify: signer.verify, keys, policy, now: NOW }), code);
}

Deno.test("MAN-19 order: signature, then the file that is named, then form and schema", async () => {
  const other = naming(utf8("another file"));
  const content = utf8("no envelope");
  await refuses("signature", { content, policy: { ...POLICY, named: other }, signature: new Uint8Array(64) });
  await refuses("mixed_up", { content, policy: { ...POLICY, named: other } });
  await refuses("malformed", { content, policy: POLICY });
  await refuses("unsupported", { content: await scene.encrypt("schema 1", LATE), policy: ABOVE });
});

for (const kind of KINDS.slice(1)) {
  Deno.test(`MAN-19 order: ${kind}: product and release, time, floor, and only then a key`, async () => {
    const content = await scene.encrypt(kind, LATE);
    await refuses("mixed_up", { content, policy: ABOVE });
    await refuses("mixed_up", { content, policy: { ...ABOVE, product: "other", named: naming(content) } });
    await refuses("expired", { content, policy: { ...ABOVE, product: "other" } });
    const old = await scene.encrypt(kind, { ...LATE, expires: NOW + 1 });
    await refuses("rolled_back", { content: old, policy: { ...ABOVE, product: "other" } });
    await refuses("forbidden", { content: old, policy: { ...POLICY, product: "other" }, keys: NONE });
  });

  Deno.test(`MAN-19 order: ${kind}: the MEK's commitment before the content`, async () => {
    const content = edit(
      await scene.encrypt(kind),
      (text) =>
        text.replace(/("key_commitment":")[^"]*/, `$1${"A".repeat(43)}=`).replace(
          /("tag":")[^"]*/,
          `$1${"A".repeat(22)}==`,
        ),
    );
    const { message } = await assertRejects(() => open(content, scene.instance.keys), "tampered");
    if (!message.includes("MEK")) throw new Error(`the content was opened first: ${message}`);
  });
}

async function open(content: Bytes, keys: InstanceKeys) {
  const signature = await signer.sign(content);
  return await openManifest({ content, signature }, { verify: signer.verify, keys, policy: POLICY, now: NOW });
}
