/**
 * Opens a release as an instance: the whole of MAN-19 in its order, each failure its own error. Nothing is fetched, stored or
 * installed here.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { parseEnvelope } from "./envelope.ts";
import type { InstanceKeys } from "./instance_keys.ts";
import { judgeRelease, type ReleasePolicy, requireNamedFile, requireSchema } from "./judge_release.ts";
import type { ReleaseManifest } from "./manifest.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "./open_envelope.ts";

/**
 * Checks a detached signature up to the pinned root, and returns who signed.
 *
 * @throws `signature`, `untrusted`, `revoked`, `stale`, `expired`, `not_yet_valid`, `malformed`, `unsupported`, `too_large`
 */
export type VerifySignature<Signer> = (content: Bytes, signature: Bytes) => Promise<Signer>;

/** A file and the signature that lies beside it. */
export interface SignedFile {
  readonly content: Bytes;
  readonly signature: Bytes;
}

/** What an instance goes by. */
export interface Opening<Signer> {
  readonly verify: VerifySignature<Signer>;
  /** The instance's, of which those may open a release that its signer's word lets: a key may be good only for earlier ones. */
  readonly keys: InstanceKeys | ((signer: Signer) => InstanceKeys);
  readonly policy: ReleasePolicy;
  /** Millis since 1970. */
  readonly now: number;
}

/** A release that may be installed, as soon as the hashes of its files are right. */
export interface OpenedRelease<Signer> {
  readonly manifest: ReleaseManifest;
  readonly schema: 1 | 2 | 3;
  readonly signer: Signer;
}

/**
 * The manifest of a signed envelope (spec: MAN-19).
 *
 * @throws `too_large`, what `verify` throws, `malformed`, `unsupported`, `mixed_up`, `not_yet_valid`, `expired`, `rolled_back`,
 * `forbidden`, `revoked`, `tampered`, `wrong_key`
 */
export async function openManifest<Signer>(
  file: SignedFile,
  { verify, keys, policy, now }: Opening<Signer>,
): Promise<OpenedRelease<Signer>> {
  requireSizes(file, LIMITS.maxEnvelopeBytes);
  const signer = await verify(file.content, file.signature);
  if (policy.named !== undefined) requireNamedFile(file.content, policy.named.envelope, "envelope");
  const usable = typeof keys === "function" ? keys(signer) : keys;
  const envelope = parseEnvelope(file.content);
  requireSchema(envelope.schema, policy);
  if (envelope.schema !== 1) judgeRelease(envelope, policy, now);
  const manifest = validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, usable)));
  // What is installed is what is inside, and schema 1 says no more of it outside.
  judgeRelease(manifest, policy, now);
  return { manifest, schema: envelope.schema, signer };
}

/** @throws `too_large`, before anything is read */
export function requireSizes({ content, signature }: SignedFile, maxBytes: number): void {
  if (content.length > maxBytes || signature.length > content.length + LIMITS.maxReleaseSignatureBytes) {
    throw new PosternError("too_large", "the file or its signature is larger than its limit");
  }
}
