/** What a PKCS#11 library returns, as errors of Postern. */
import { type ErrorCode, PosternError } from "../../../shared/errors.ts";

const CODES: Readonly<Record<string, { code: ErrorCode; advice: string }>> = {
  CKR_PIN_INCORRECT: { code: "wrong_key", advice: "the PIN is wrong; tokens lock themselves after a few wrong ones" },
  CKR_PIN_LEN_RANGE: { code: "wrong_key", advice: "the PIN is wrong: no PIN of this token has this length" },
  CKR_PIN_INVALID: { code: "wrong_key", advice: "the PIN is wrong: it has characters that no PIN of this token has" },
  CKR_PIN_LOCKED: {
    code: "wrong_key",
    advice: "the token is locked after too many wrong PINs; its officer unlocks it",
  },
  CKR_USER_PIN_NOT_INITIALIZED: { code: "configuration", advice: "the token has no PIN yet; initialise it first" },
  CKR_MECHANISM_INVALID: { code: "unsupported", advice: "the token does not know this mechanism" },
  CKR_MECHANISM_PARAM_INVALID: { code: "unsupported", advice: "the token does not accept this mechanism's parameters" },
  CKR_KEY_TYPE_INCONSISTENT: { code: "unsupported", advice: "the key is of another kind than it is asked to be" },
  CKR_KEY_SIZE_RANGE: { code: "unsupported", advice: "the token does not work with keys of this size" },
  CKR_KEY_FUNCTION_NOT_PERMITTED: { code: "unsupported", advice: "the key was not made for this use" },
  CKR_ENCRYPTED_DATA_INVALID: {
    code: "tampered",
    advice: "what is to be decrypted was changed, or is for another key",
  },
  CKR_ENCRYPTED_DATA_LEN_RANGE: { code: "tampered", advice: "what is to be decrypted has not the length of this key" },
};

/** True for the error of a library that returned this value. */
export function hasReturned(error: unknown, value: string): boolean {
  return nameOf(error) === value;
}

/** @param tried continues "Could not ..." */
export function fromPkcs11Error(error: unknown, tried: string): unknown {
  const name = nameOf(error);
  if (name === undefined) return error;
  const known = CODES[name] ?? { code: "storage", advice: "look whether the token is there and works" };
  return new PosternError(known.code, `Could not ${tried} (${name}): ${known.advice}`, { cause: error });
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? /\bCKR_[A-Z0-9_]+/.exec(error.message)?.[0] : undefined;
}
