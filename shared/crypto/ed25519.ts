/**
 * Ed25519 signatures (RFC 8032) under a key that comes once and is gone: the runtime's own, synchronous, where there is one.
 * Measured in Deno 2.9, microseconds with the import of the key: 57, by WebCrypto 106.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import { nativeCrypto } from "./native.ts";
import type { Eventually } from "./eventually.ts";

const SIGNATURE_BYTES = 64;
/** SubjectPublicKeyInfo in front of the 32 bytes (RFC 8410 section 4). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** Whether this is the key's signature over the message. @param publicKey 32 bytes; what is no point verifies nothing */
export function verifyEd25519(publicKey: Bytes, signature: Bytes, message: Bytes): Eventually<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const { createPublicKey, verify } = nativeCrypto ?? {};
  if (createPublicKey === undefined || verify === undefined) return verifyByWebCrypto(publicKey, signature, message);
  let key: object;
  try {
    key = createPublicKey({ key: concat(SPKI_PREFIX, publicKey), format: "der", type: "spki" });
  } catch {
    return false;
  }
  return verify(null, message, key, signature);
}

async function verifyByWebCrypto(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", key, signature, message);
}
