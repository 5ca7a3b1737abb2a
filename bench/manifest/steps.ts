/** The steps of opening a release as an instance, one by one, in their order: what `verifyDetached` and `openManifest` do. */
import { checkContent } from "../../shared/cms/content.ts";
import { releasePath, requireCodeSigner } from "../../shared/cms/release_path.ts";
import { readSignatureFile } from "../../shared/cms/signature_file.ts";
import { signerCertificate } from "../../shared/cms/signer_id.ts";
import {
  checkLists,
  checkNamedCertificates,
  checkSignature,
  checkSigningTime,
  type ReleaseTrust,
} from "../../shared/cms/verify.ts";
import { parseEnvelope } from "../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../shared/manifest/instance_keys.ts";
import { judgeRelease, requireNamedFile, requireSchema } from "../../shared/manifest/judge_release.ts";
import type { ReleasePolicy } from "../../shared/manifest/judge_release.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../shared/manifest/open_envelope.ts";
import type { SignedFile } from "../../shared/manifest/open_manifest.ts";

/** Names of the steps. */
export const STEPS = [
  "read signature",
  "digest",
  "signature",
  "path",
  "revocation list",
  "parse",
  "unwrap",
  "decrypt",
  "validate",
] as const;
export type Step = typeof STEPS[number];

/** Milliseconds. */
export type StepTimes = Readonly<Record<Step, number>>;

/** Opens it once, and says how long each step took. */
export async function timeSteps(
  { content, signature }: SignedFile,
  trust: ReleaseTrust,
  keys: InstanceKeys,
  policy: ReleasePolicy,
): Promise<StepTimes> {
  const began = performance.now();
  const file = readSignatureFile(signature, content.length);
  const read = performance.now();
  await checkContent(content, file);
  const hashed = performance.now();
  const { signed } = file;
  const certificate = signerCertificate(signed);
  await checkSignature(signed, certificate);
  await checkNamedCertificates(signed, certificate);
  requireCodeSigner(certificate);
  const verified = performance.now();
  const path = await releasePath(certificate, signed.certificates, trust.roots, trust.now);
  checkSigningTime(signed, certificate, trust.now);
  const led = performance.now();
  await checkLists(path, trust);
  const listed = performance.now();
  if (policy.named !== undefined) requireNamedFile(content, policy.named.envelope, "envelope");
  const envelope = parseEnvelope(content);
  requireSchema(envelope.schema, policy);
  if (envelope.schema !== 1) judgeRelease(envelope, policy, trust.now);
  const parsed = performance.now();
  const unwrapped = await unwrapEnvelope(envelope, keys);
  const opened = performance.now();
  const plaintext = await decryptEnvelope(unwrapped);
  const decrypted = performance.now();
  validateManifest(envelope, plaintext);
  const validated = performance.now();
  return {
    ...{ "read signature": read - began, digest: hashed - read, signature: verified - hashed, path: led - verified },
    ...{ "revocation list": listed - led, parse: parsed - listed, unwrap: opened - parsed },
    ...{ decrypt: decrypted - opened, validate: validated - decrypted },
  };
}
