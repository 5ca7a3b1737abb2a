/**
 * The runtime's own synchronous hashes, HKDF, Ed25519, X25519 and AES-GCM, where there are some: Deno, Node from 20.16, and workerd with
 * `nodejs_compat`.
 *
 * Found at run time and described by hand, so that this folder imports no runtime and runs in browsers, which have none.
 */

/** As much of node's `Hash` as is used here. */
export interface NativeHash {
  /** A text stands for its UTF-8. */
  update(data: Uint8Array | string): NativeHash;
  digest(): Uint8Array;
}

/** Hashes by the names that the runtime has for them. */
export type NativeHashName = "sha256" | "sha384" | "sha512";

/** As much of node's `Cipher` and `Decipher` as is used here; what they hand out is of a subclass of node's own. */
export interface NativeCipher {
  setAAD(associatedData: Uint8Array): unknown;
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

type NewCipher<Cipher> = (name: string, key: Uint8Array, nonce: Uint8Array, of: { authTagLength: number }) => Cipher;

interface NativeCrypto {
  createHash(algorithm: NativeHashName): NativeHash;
  /** All in one call, which costs less than an object; Node has it from 20.12 on. */
  readonly hash?: (algorithm: NativeHashName, data: Uint8Array, encoding: "hex") => string;
  readonly hkdfSync?: (
    algorithm: NativeHashName,
    inputKey: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ) => ArrayBuffer;
  readonly createPublicKey?: (spki: { key: Uint8Array; format: "der"; type: "spki" }) => object;
  /** Of node's own kind, from one of WebCrypto. */
  readonly KeyObject?: { from(key: CryptoKey): object };
  readonly diffieHellman?: (keys: { privateKey: object; publicKey: object }) => Uint8Array;
  /** With null for the algorithm, which means that of the key: Ed25519. */
  readonly verify?: (algorithm: null, data: Uint8Array, key: object, signature: Uint8Array) => boolean;
  readonly createCipheriv?: NewCipher<NativeCipher & { getAuthTag(): Uint8Array }>;
  readonly createDecipheriv?: NewCipher<NativeCipher & { setAuthTag(tag: Uint8Array): unknown }>;
}

interface WithBuiltins {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

function find(): NativeCrypto | undefined {
  const module = (globalThis as WithBuiltins).process?.getBuiltinModule?.("node:crypto");
  const usable = typeof module === "object" && module !== null && "createHash" in module &&
    typeof module.createHash === "function";
  return usable ? module as NativeCrypto : undefined;
}

/** Undefined where the runtime has no synchronous hashes. */
export const nativeCrypto: NativeCrypto | undefined = find();
