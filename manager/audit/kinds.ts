/** Every kind of event of the audit trail, with what it says; `postern log --kinds` shows them. The part before the dot groups them. */
export const EVENT_KINDS = {
  "manager.made": "this manager was set up, or the part of it that a backup brought was loaded",
  "manager.restored": "a new life began from a backup",
  "device.added": "a device asks to be paired; its code is not confirmed yet",
  "device.active": "a device was confirmed",
  "device.revoked": "a device was revoked",
  "device.pending": "a device waits for its confirmation again",
  "key.made": "a key was made",
  "key.used": "a key signed or opened something; the detail says what for",
  "key.exported": "a private key left this manager, under a passphrase",
  "key.imported": "a private key came from outside",
  "key.revoked": "a key is used for nothing new any more",
  "kek.changed": "other keys protect the keys here",
  "rotation.begun": "a new epoch is built beside the current one",
  "rotation.current": "the edge serves the new epoch",
  "rotation.past": "an epoch is over",
  "rotation.dropped": "a new epoch was given up before the edge served it",
  "trust.given": "a certificate counts as an anchor",
  "trust.withdrawn": "a certificate counts as an anchor no more",
  "edge.chosen": "the edge that holds the ciphertext",
  "alarm.raised": "something that the owner must see",
  "alarm.cleared": "the owner has dealt with it",
  "backup.created": "a backup was written",
  "update.configured": "the product, publisher or policy that updates follow",
  "update.checked": "releases were looked for, and what was found",
  "update.refused": "a release or an index was refused, and why",
  "update.downloaded": "a release is complete in the download cache",
  "update.applied": "a release was switched to",
  "update.returned": "the version before was switched back to",
} as const;

export type EventKind = keyof typeof EVENT_KINDS;

export function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(EVENT_KINDS, kind);
}
