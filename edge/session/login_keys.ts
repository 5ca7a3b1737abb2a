/** Public keys that verify logins. Importing one costs about as much as verifying with it, so they are kept. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../shared/bytes/encoding.ts";
import type { NativeKeys, VerifyKey } from "../../shared/crypto/native_keys.ts";
import { LIMITS } from "../../shared/limits.ts";
import { Recent } from "../recent.ts";

/** The public key of RFC 8032 section 7.1, test 1. Whatever it verifies is refused all the same. */
const NOBODY: Bytes = fromHex(
  "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
);

export class LoginKeys {
  readonly #native: NativeKeys;
  readonly #keys = new Recent<VerifyKey>(LIMITS.loginKeys);

  constructor(native: NativeKeys) {
    this.#native = native;
  }

  /** @param spki DER SubjectPublicKeyInfo @throws `malformed`, `unsupported` */
  async get(spki: Bytes): Promise<VerifyKey> {
    const name = toHex(spki);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = await this.#native.verifyKey(spki);
    this.#keys.set(name, key);
    return key;
  }

  /** A key to verify with where there is none, so that unknown devices take as long to refuse as known ones. */
  nobodys(): Promise<VerifyKey> {
    return this.get(NOBODY);
  }
}
