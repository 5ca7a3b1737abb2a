/** Signing and checking the bytes of a protocol structure; the algorithm follows from the key alone (spec: KEY-01). */
import type { Bytes } from "../bytes/bytes.ts";
import { algorithmOfSpki, importVerifyKey, verifySignature } from "../crypto/signature.ts";
import { PosternError } from "../errors.ts";

/** Signs bytes with a private key held elsewhere (non-extractable, in a token, in another process). */
export type Signer = (message: Bytes) => Promise<Bytes>;

/**
 * Verifies a signature under a public key given as DER SubjectPublicKeyInfo.
 *
 * @param what names the structure in the error, for example "head"
 * @throws `tampered` when it does not verify, `unsupported` for a key of another kind
 */
export async function requireSignature(spki: Bytes, signature: Bytes, message: Bytes, what: string): Promise<void> {
  const key = await importVerifyKey(spki, algorithmOfSpki(spki));
  if (!await verifySignature(key, signature, message)) {
    throw new PosternError("tampered", `The signature of the ${what} does not verify`);
  }
}
