/**
 * Domain labels of what the manager keeps for itself. They never leave this machine, so they are no part of the protocol's
 * table (shared/spec/keys.md).
 */
export const KEK_LABELS = {
  /** Derivation from a KEK provider's secret. */
  kek: "postern/1/kek",
  /** The stored record, and the associated data of what is sealed in it. */
  wrappedKey: "postern/1/wrapped-key",
} as const;

/** One event of the audit trail, chained to the one before. */
export const AUDIT_LABEL = "postern/1/audit-event";

/** The same for the instance's own keys. */
export const MDK_LABELS = {
  /** Derivation of a version's private keys from its 32 bytes. */
  mdk: "postern/1/mdk",
  /** A file that all versions were exported into, and what is inside. */
  export: "postern/1/mdk-export",
  exported: "postern/1/mdk-exported",
} as const;
