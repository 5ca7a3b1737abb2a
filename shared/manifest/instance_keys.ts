/** The keys that an instance opens releases with. */
import type { Bytes } from "../bytes/bytes.ts";
import type { MemberKeys } from "../cover/member.ts";
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

/** What a publisher gave the instance when it registered it; another one after its manifest key was rotated. */
export interface Registration {
  /** 32 bytes; its entry in schema 2 is found by it. */
  readonly entrySecret: Redacted<Bytes>;
  /** Of its leaf; schema 3 is opened by them. */
  readonly member?: MemberKeys;
}

/** A key of schema 1, the same for all instances. */
export interface SharedKey extends KeyName {
  /** 32 bytes. */
  readonly key: Redacted<Bytes>;
}

/** Everything; what a release does not name is left alone. */
export interface InstanceKeys {
  readonly mdks: readonly Mdk[];
  /** Older ones stay, for older releases. */
  readonly registrations: readonly Registration[];
  readonly shared: readonly SharedKey[];
}
