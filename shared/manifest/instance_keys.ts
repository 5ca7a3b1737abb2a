/** The keys that an instance opens releases with. */
import type { Bytes } from "../bytes/bytes.ts";
import type { HpkePrivateKey } from "../crypto/hpke_keys.ts";
import type { Redacted } from "../crypto/redacted.ts";
import type { X25519KeyPair } from "../crypto/x25519.ts";
import type { KeyName } from "./envelope.ts";

/** One version of an instance's manifest decryption key. Older ones stay, for older releases. */
export interface Mdk {
  /** From 1. */
  readonly version: number;
  /** Of suite `xwing`. */
  readonly xwing: HpkePrivateKey;
  readonly x25519: X25519KeyPair;
}

/**
 * Opens a cover's header with the member keys of one leaf.
 *
 * @throws `revoked`, `tampered`, `malformed`, `wrong_key`
 */
export type CoverOpener = (header: Bytes, release: Bytes) => Bytes;

/** What the publisher gave the instance when it registered it, for one generation of its manifest key. */
export interface Registration extends KeyName {
  /** 32 bytes; schema 2 is found by it. */
  readonly lookup: Redacted<Bytes>;
  /** Schema 3 is opened by it. */
  readonly openCover?: CoverOpener;
}

/** A key of schema 1, the same for all instances. */
export interface SharedKey extends KeyName {
  /** 32 bytes. */
  readonly key: Redacted<Bytes>;
}

/** Everything; what a release does not name is left alone. */
export interface InstanceKeys {
  readonly mdks: readonly Mdk[];
  readonly registrations: readonly Registration[];
  readonly shared: readonly SharedKey[];
}
