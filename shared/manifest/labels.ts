/** Every domain label of release manifests; those of shared/spec/manifest.md. Nothing else in the code spells one. */
export const MANIFEST_LABELS = {
  release: "postern/1/manifest-release",
  key: "postern/1/manifest-key",
  content: "postern/1/manifest-content",
  recipient: "postern/1/manifest-recipient",
  wrap: "postern/1/manifest-wrap",
  rollout: "postern/1/manifest-rollout",
} as const;

/** What a key derived from the MEK is for. */
export const MANIFEST_PURPOSES = {
  content: "content",
  keyCommitment: "key-commitment",
  manifestCommitment: "manifest-commitment",
} as const;

/** What a file says it is. */
export const FORMATS = { release: "postern/release/1", index: "postern/index/1" } as const;
