/**
 * Domain labels of what a publisher derives for itself. They never leave its machine, so they are no part of the protocol's table
 * (shared/spec/keys.md).
 */
export const REGISTRY_LABELS = {
  /** The record of the secret under a passphrase. */
  secret: "postern/1/registry-secret",
  /** The secret of the subset cover's tree. */
  cover: "postern/1/registry-cover",
  /** The entry secret of an instance. */
  entry: "postern/1/registry-entry",
  /** The key of schema 1. */
  shared: "postern/1/registry-shared",
} as const;
