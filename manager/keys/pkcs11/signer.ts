/** Signs with a private key in a token. */
import type { Mechanism } from "pkcs11js";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { CmsAlgorithm } from "../../../shared/cms/algorithms.ts";
import { digest, HASH_BYTES } from "../../../shared/crypto/digest.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Pkcs11Session } from "./session.ts";

/** PKCS #11 v3.0 section 2.3.14; pkcs11js has the constants of v2.40. */
const CKM_EDDSA = 0x1057;

const EC_HASH = { ES256: "SHA-256", ES384: "SHA-384", ES512: "SHA-512" } as const;

/**
 * What signs with the one private key of this label: the signature over the bytes, `r || s` for ECDSA.
 *
 * @param algorithm must be the key's; whether it is shows when the signature is verified
 * @throws `not_found`, `conflict`; signing throws `unsupported` for what the token does not know
 */
export function pkcs11Signer(
  session: Pkcs11Session,
  label: string,
  algorithm: CmsAlgorithm,
): (bytes: Bytes) => Promise<Bytes> {
  const key = session.find("private", label);
  const run = (mechanism: Mechanism, data: Bytes) => session.sign(key, mechanism, data, LIMITS.maxSignatureBytes);
  const { constants } = session;
  switch (algorithm) {
    case "Ed25519":
      return (bytes) => Promise.resolve(run({ mechanism: CKM_EDDSA }, bytes));
    case "ES256":
    case "ES384":
    case "ES512":
      // Hashed here: many tokens know ECDSA over a digest alone.
      return async (bytes) => run({ mechanism: constants.CKM_ECDSA }, await digest(EC_HASH[algorithm], bytes));
    case "RS256":
      return (bytes) => Promise.resolve(run({ mechanism: constants.CKM_SHA256_RSA_PKCS }, bytes));
    case "PS256": {
      const parameter = {
        type: constants.CK_PARAMS_RSA_PSS,
        hashAlg: constants.CKM_SHA256,
        mgf: constants.CKG_MGF1_SHA256,
        saltLen: HASH_BYTES["SHA-256"],
      };
      return (bytes) => Promise.resolve(run({ mechanism: constants.CKM_SHA256_RSA_PKCS_PSS, parameter }, bytes));
    }
  }
}
