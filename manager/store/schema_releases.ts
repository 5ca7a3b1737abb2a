/** Tables of the instance and the releases that it follows. They are part of schema.ts. */
import type { Bytes } from "../../shared/bytes/bytes.ts";

/** Versions of the instance's MDK (shared/spec/registration.md). */
export interface MdksTable {
  version: number;
  /** 32 bytes, from which both private keys derive. */
  secret: Bytes;
  /** Public keys, raw. */
  xwing: Bytes;
  x25519: Bytes;
  created: number;
  /** When it was revoked. */
  revoked: number | null;
}

/** What publishers answered: one line for each entry secret, so several of a product whose manifest key was rotated. */
export interface RegistrationsTable {
  product: string;
  /** DER of the pinned root. */
  root: Bytes;
  entry_secret: Bytes;
  cover: Bytes | null;
  /** The MDK version that the publisher seals to. */
  mdk_version: number;
  registered: number;
}

/** Keys that all instances of a product have in common. */
export interface SharedKeysTable {
  product: string;
  key_id: string;
  key_version: number;
  secret: Bytes;
}

/** Products that are followed, and how. */
export interface UpdateConfigsTable {
  product: string;
  /** JSON; manager/update/config.ts has the shape. */
  config: string;
  /** 32 bytes that never leave this instance (spec: IDX-07). */
  rollout_key: Bytes;
}

/** What certificates that sign releases have said (spec: IDX-05). */
export interface UpdateSignersTable {
  product: string;
  /** In the order of the last word, from 0. */
  place: number;
  /** Fingerprint, hex. */
  signer: string;
  /** Newest index: number (0 for none), SHA-256 in hex, time. */
  number: number;
  hash: string;
  created: number;
  floor: string | null;
  /** CBOR list of certificates in DER, the signer's first. */
  path: Bytes;
}

/** The newest revocation list of each issuer (spec: CMS-21). */
export interface UpdateListsTable {
  product: string;
  /** Name and key identifier. */
  issuer: string;
  der: Bytes;
}

/** How the last look for a release ended. */
export interface UpdateChecksTable {
  product: string;
  time: number;
  /** `current`, `found`, or the code of an error. */
  outcome: string;
  version: string | null;
  detail: string;
}

/** The manifest database: every release that passed all checks. */
export interface ReleasesTable {
  product: string;
  version: string;
  tag_name: string;
  /** Fingerprint of the certificate that signed it, hex. */
  signer: string;
  origin: "schema 1" | "schema 2" | "schema 3" | "public";
  accepted: number;
  downloaded: number | null;
  applied: number | null;
  /** When the version before was gone back to. */
  returned: number | null;
}

/** Their manifests, as `writeManifest` spells them, in parts that a record of a backup holds. */
export interface ReleasePartsTable {
  product: string;
  version: string;
  /** From 0. */
  part: number;
  bytes: Bytes;
}
