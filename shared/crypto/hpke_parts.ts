/**
 * HKDF and AES-256-GCM for the library of HPKE, synchronous where the runtime allows. Its own go to WebCrypto a dozen times for one
 * message, each time through the event loop: opening with X-Wing took twice as long.
 */
import { type AeadEncryptionContext, Aes256Gcm, HkdfSha256 } from "@hpke/core";
import type { Bytes } from "../bytes/bytes.ts";
import { hkdf, hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { openOnce, sealOnce } from "./short_aead.ts";

type Data = ArrayBufferLike | ArrayBufferView;

/** The library's HKDF over {@link file://./hkdf.ts}. */
export class ShortHkdf extends HkdfSha256 {
  override extract(salt: Data, ikm: Data): Promise<ArrayBuffer> {
    return Promise.resolve(hkdfExtract(bytesOf(salt), bytesOf(ikm)).buffer);
  }

  override expand(prk: Data, info: Data, length: number): Promise<ArrayBuffer> {
    return Promise.resolve(hkdfExpand(bytesOf(prk), bytesOf(info), length).buffer);
  }

  override extractAndExpand(salt: Data, ikm: Data, info: Data, length: number): Promise<ArrayBuffer> {
    return Promise.resolve(hkdf(bytesOf(salt), bytesOf(ikm), bytesOf(info), length).buffer);
  }
}

/** The library's AES-256-GCM over {@link file://./short_aead.ts}: Postern seals one message under each of its keys. */
export class ShortAes256Gcm extends Aes256Gcm {
  override createEncryptionContext(key: Data): AeadEncryptionContext {
    const raw = bytesOf(key).slice();
    return {
      seal: async (iv, data, aad) => (await sealOnce(raw, bytesOf(iv), bytesOf(data), bytesOf(aad))).buffer,
      open: async (iv, data, aad) => (await openOnce(raw, bytesOf(iv), bytesOf(data), bytesOf(aad))).buffer,
    };
  }
}

function bytesOf(data: Data): Bytes {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data as ArrayBuffer);
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
