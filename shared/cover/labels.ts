/** Every domain label of the subset cover; the table of shared/spec/cover.md. Nothing else in the code spells one. */
export const COVER_LABELS = {
  tree: "postern/1/cover-tree",
  node: "postern/1/cover-node",
  start: "postern/1/cover-start",
  everyone: "postern/1/cover-everyone",
  step: "postern/1/cover-step",
  context: "postern/1/cover-context",
  place: "postern/1/cover-place",
  wrap: "postern/1/cover-wrap",
  commitment: "postern/1/cover-commitment",
  header: "postern/1/cover",
  member: "postern/1/cover-member",
} as const;
