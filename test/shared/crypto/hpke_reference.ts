/**
 * HPKE once more, from the text of RFC 9180 and node's primitives, for the tests to compare with. It shares no code with
 * `@hpke/core`, and is itself checked against the RFC's own vectors.
 */
import { createCipheriv, createHmac } from "node:crypto";
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";

/** A KEM by its number, the hash of its KDF and the bytes of its shared secret (RFC 9180 section 7.1). */
export interface ReferenceKem {
  readonly id: number;
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly secretBytes: number;
}

export const REFERENCE_KEMS = {
  p256: { id: 0x0010, hash: "sha256", secretBytes: 32 },
  p384: { id: 0x0011, hash: "sha384", secretBytes: 48 },
  p521: { id: 0x0012, hash: "sha512", secretBytes: 64 },
  x25519: { id: 0x0020, hash: "sha256", secretBytes: 32 },
} as const satisfies Record<string, ReferenceKem>;

export const XWING_KEM_ID = 0x647a;
const HKDF_SHA256 = 1;
const AEADS = {
  "aes-128-gcm": { id: 1, keyBytes: 16 },
  "aes-256-gcm": { id: 2, keyBytes: 32 },
} as const;
const NONCE_BYTES = 12;
const MODE_BASE = 0;

const EMPTY = new Uint8Array(0);

function u16(value: number): Uint8Array {
  return new Uint8Array([value >> 8, value & 255]);
}

function hmac(hash: string, key: Uint8Array, ...parts: Uint8Array[]): Bytes {
  return new Uint8Array(createHmac(hash, key).update(concat(...parts)).digest());
}

/** Section 4. */
function labeled(hash: string, suiteId: Uint8Array) {
  const prefix = concat(utf8("HPKE-v1"), suiteId);
  return {
    extract: (salt: Uint8Array, label: string, ikm: Uint8Array) => hmac(hash, salt, prefix, utf8(label), ikm),
    expand: (prk: Uint8Array, label: string, info: Uint8Array, length: number) => {
      let output: Bytes = new Uint8Array(0);
      let block: Bytes = new Uint8Array(0);
      for (let counter = 1; output.length < length; counter++) {
        block = hmac(hash, prk, block, u16(length), prefix, utf8(label), info, new Uint8Array([counter]));
        output = concat(output, block);
      }
      return output.slice(0, length);
    },
  };
}

/** Section 4.1: the shared secret of a DHKEM from what Diffie-Hellman gave. */
export function dhkemSecret(kem: ReferenceKem, dh: Uint8Array, encapsulated: Uint8Array, publicKey: Uint8Array): Bytes {
  const { extract, expand } = labeled(kem.hash, concat(utf8("KEM"), u16(kem.id)));
  const prk = extract(EMPTY, "eae_prk", dh);
  return expand(prk, "shared_secret", concat(encapsulated, publicKey), kem.secretBytes);
}

/** Sections 5.1 and 5.2: the first ciphertext in base mode under a KEM's shared secret. */
export function referenceSeal(
  kemId: number,
  aead: keyof typeof AEADS,
  shared: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Bytes {
  const { id, keyBytes } = AEADS[aead];
  const { extract, expand } = labeled("sha256", concat(utf8("HPKE"), u16(kemId), u16(HKDF_SHA256), u16(id)));
  const context = concat(
    new Uint8Array([MODE_BASE]),
    extract(EMPTY, "psk_id_hash", EMPTY),
    extract(EMPTY, "info_hash", info),
  );
  const secret = extract(shared, "secret", EMPTY);
  const nonce = expand(secret, "base_nonce", context, NONCE_BYTES);
  const cipher = createCipheriv(aead, expand(secret, "key", context, keyBytes), nonce);
  cipher.setAAD(associatedData);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}
