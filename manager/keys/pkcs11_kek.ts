/**
 * The KEK in a PKCS#11 token: an AES-256 key that never leaves it wraps by AES-GCM, the context being associated data. The token is
 * opened for each use and closed again: it may be shared, or pulled out once the manager has started.
 */
import { Buffer } from "node:buffer";
import type { Handle, Mechanism } from "pkcs11js";
import * as v from "valibot";
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { bytesOf } from "../../shared/protocol/shapes.ts";
import { envelopeKek } from "./envelope.ts";
import { KEK_LABELS } from "./labels.ts";
import { Pkcs11Session } from "./pkcs11/session.ts";
import { parsePkcs11Uri, type TokenKey } from "./pkcs11_uri.ts";
import type { KekProvider } from "./provider.ts";
import { KEK_SECRET_BYTES } from "./seal.ts";

export const PKCS11_KIND = "pkcs11";

const parameters = v.strictObject({
  nonce: bytesOf(AEAD_NONCE_BYTES),
  sealed: bytesOf(KEK_SECRET_BYTES + AEAD_TAG_BYTES),
});

/** @param uri as `parsePkcs11Uri` takes it @throws `usage` */
export function pkcs11Kek(uri: string, pin: Redacted<string>, random: RandomBytes): KekProvider {
  const place = parsePkcs11Uri(uri);
  const description = `key '${place.object}' in the token '${place.token}' (${place.library})`;
  return envelopeKek({
    ...{ kind: PKCS11_KIND, description, parameters },
    protect: (secret, context) =>
      withKey(place, pin, (session, key) => {
        const nonce = random(AEAD_NONCE_BYTES);
        const sealed = crypt(session, "wrap", key, gcm(session, nonce, context), reveal(secret));
        return { nonce, sealed };
      }),
    recover: ({ nonce, sealed }, context) =>
      withKey(place, pin, (session, key) => {
        try {
          return new Redacted(crypt(session, "unwrap", key, gcm(session, nonce, context), sealed));
        } catch (error) {
          // Libraries say "general error" to a tag that does not fit.
          if (!isPosternError(error) || !/CKR_(GENERAL_ERROR|FUNCTION_FAILED|ENCRYPTED_DATA)/.test(error.message)) {
            throw error;
          }
          const found =
            `the key '${place.object}' in the token is not the one that wrapped this, or the record was changed`;
          throw new PosternError("wrong_key", `${found}: name the right one with --pkcs11`, { cause: error });
        }
      }),
  }, random);
}

/**
 * Makes the AES-256 key in the token: it cannot be read out, and only encrypts and decrypts.
 *
 * @throws `conflict` if there is one of this label
 */
export async function createTokenKek(uri: string, pin: Redacted<string>): Promise<void> {
  const place = parsePkcs11Uri(uri);
  using session = await Pkcs11Session.open(place, pin);
  if (session.findAll("secret", place.object).length > 0) {
    throw new PosternError("conflict", `There is a secret key labelled '${place.object}' in the token already`);
  }
  const c = session.constants;
  const attributes: readonly (readonly [number, boolean | number | string])[] = [
    ...[[c.CKA_CLASS, c.CKO_SECRET_KEY], [c.CKA_KEY_TYPE, c.CKK_AES], [c.CKA_VALUE_LEN, 32]] as const,
    ...[[c.CKA_LABEL, place.object], [c.CKA_TOKEN, true], [c.CKA_PRIVATE, true], [c.CKA_SENSITIVE, true]] as const,
    ...[[c.CKA_EXTRACTABLE, false], [c.CKA_ENCRYPT, true], [c.CKA_DECRYPT, true]] as const,
  ];
  const template = attributes.map(([type, value]) => ({ type, value }));
  session.call("make a key in the token", (cryptoki, handle) => {
    cryptoki.C_GenerateKey(handle, { mechanism: c.CKM_AES_KEY_GEN }, template);
  });
}

async function withKey<T>(
  place: TokenKey,
  pin: Redacted<string>,
  use: (session: Pkcs11Session, key: Handle) => T,
): Promise<T> {
  using session = await Pkcs11Session.open(place, pin);
  return use(session, session.find("secret", place.object));
}

function gcm({ constants }: Pkcs11Session, nonce: Bytes, context: Bytes): Mechanism {
  const parameter = {
    type: constants.CK_PARAMS_AES_GCM,
    iv: Buffer.from(nonce),
    ivBits: 8 * AEAD_NONCE_BYTES,
    aad: Buffer.from(encodeCbor([KEK_LABELS.kek, PKCS11_KIND, context])),
    tagBits: 8 * AEAD_TAG_BYTES,
  };
  return { mechanism: constants.CKM_AES_GCM, parameter };
}

function crypt(
  session: Pkcs11Session,
  way: "wrap" | "unwrap",
  key: Handle,
  mechanism: Mechanism,
  input: Bytes,
): Bytes {
  return session.call(`${way} by the key in the token`, (cryptoki, handle) => {
    const [from, to] = [Buffer.from(input), Buffer.alloc(input.length + AEAD_TAG_BYTES)];
    if (way === "wrap") {
      cryptoki.C_EncryptInit(handle, mechanism, key);
      return copied(cryptoki.C_Encrypt(handle, from, to));
    }
    cryptoki.C_DecryptInit(handle, mechanism, key);
    return copied(cryptoki.C_Decrypt(handle, from, to));
  });
}

function copied(buffer: Uint8Array): Bytes {
  return buffer.length === 0 ? EMPTY : new Uint8Array(buffer);
}
