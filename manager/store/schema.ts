/**
 * The manager's database: the truth. Page-encrypted as a whole, so nothing in it is encrypted again.
 *
 * `entries` is the heart: one row for each row that the edge shall hold, with its plaintext. Whatever changes a device,
 * certificate or message changes its entries in the same transaction, and a push only turns entries into stored rows.
 * `placed` says what the edge holds since the last commit, and `changed` in which entries the two may differ.
 */
import type { Generated } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";

/** Single values by name; see meta.ts for the names. */
export interface MetaTable {
  name: string;
  value: Bytes;
}

/** Numbers that only go up, changed in SQL so that two processes never take the same one; see counters.ts. */
export interface CountersTable {
  name: string;
  value: number;
}

/** Private and public keys of the owner and the manager. */
export interface KeysTable {
  /** `root`, `manager`, `inbox`, `instance`. */
  role: string;
  /** Counted up when a key of this role is replaced. */
  version: number;
  /** SubjectPublicKeyInfo, or the raw X-Wing public key. */
  public_key: Bytes;
  /** PKCS#8, or the X-Wing seed; null when it is kept elsewhere. */
  private_key: Bytes | null;
  created: number;
}

/** Every owner statement ever signed. */
export interface StatementsTable {
  number: number;
  signed: Bytes;
  created: number;
}

/** A device of the owner's. A revoked one stays, so that its registration is never used again. */
export interface DevicesTable {
  id: Bytes;
  registration: number;
  name: string;
  public_key: Bytes;
  certificate: Bytes | null;
  suite: string;
  kem_public_key: Bytes | null;
  /** `pending` until the check code is confirmed, `active`, `revoked`. */
  state: string;
  /** What it was added with and answered by, for the check code. */
  pairing_request: Bytes | null;
  pairing_grant: Bytes | null;
  added: number;
  revoked: number | null;
}

/** Certificates of others. */
export interface CertificatesTable {
  fingerprint: Bytes;
  der: Bytes;
  subject: string;
  issuer: string;
  /** As a person reads it. */
  display_subject: string;
  not_before: number;
  not_after: number;
  /** 0 blocked, 1 usable, 2 waiting. */
  status: number;
  /** Why it waits or is blocked. */
  reason: string;
  origin: string;
  note: string;
  /** 1 when the owner trusts it as an anchor of chains. */
  anchor: number;
  /** Its number in the list of its subject. */
  subject_number: number;
  added: number;
}

/** Channels of messages. */
export interface ChannelsTable {
  number: Generated<number>;
  name: string;
  created: number;
  /** Highest position given out. */
  last_position: number;
}

/** Messages in their channels; their bytes are in `entries`. */
export interface MessagesTable {
  id: Bytes;
  channel: number;
  position: number;
  /** `in` or `out`. */
  direction: string;
  date: number | null;
  added: number;
  size: number;
  sha256: Bytes;
  sender: string;
  recipients: string;
  subject: string;
  parts: number;
}

/** What the edge shall hold: one entry for each row. */
export interface EntriesTable {
  id: Generated<number>;
  tbl: number;
  kind: string;
  /** UTF-8 of a text name, or the bytes of a bytes name. */
  name: Bytes;
  /** 1 when the name is text. */
  name_is_text: number;
  number: number;
  /** Key of its leaf in the content tree (spec: TREE-05), 40 bytes; unique. */
  content_key: Bytes;
  /** Value of that leaf. */
  content_hash: Bytes;
  plaintext: Bytes;
}

/** Which entries are cover rows (covers.ts). */
export interface CoversTable {
  tbl: number;
  content_key: Bytes;
}

/** Which entries are change lists (change_lists.ts). */
export interface ChangeListsTable {
  generation: number;
  /** Bytes of the plaintext. */
  size: number;
}

/**
 * Entries that came, changed or went since they were last placed, by the name of their row. Triggers of `entries` keep it, so that
 * a delta costs what changed and not what there is. What is not in it is placed as it is.
 */
export interface ChangedTable {
  content_key: Bytes;
  /** `entries-version` at the change; a push forgets what is not newer than what it began with. */
  version: number;
  kind: string;
  name: Bytes;
  name_is_text: number;
  number: number;
}

/** What the edge holds of the current epoch, or will hold of the one being built: the leaves of the content tree. */
export interface PlacedTable {
  epoch: number;
  content_key: Bytes;
  content_hash: Bytes;
}

/** The same rows as leaves of the trees of their tables. */
export interface LeavesTable {
  epoch: number;
  tbl: number;
  token: Bytes;
  number: number;
  row_hash: Bytes;
}

/**
 * What the push under way sends, in the order in which it is sent: written in order, ten times cheaper than into its place at once
 * (measured), and put there when everything is sent. It stays after a delta until that has been read back.
 */
export interface StagedTable {
  chunk: number;
  place: number;
  content_key: Bytes;
  /** Null for a row that goes; a row that is replaced goes and comes. */
  content_hash: Bytes | null;
  tbl: number;
  token: Bytes;
  number: number;
  row_hash: Bytes | null;
}

/** The blocks of the trees over what is placed (spec: TREE-07), and of the content tree, which nobody is sent. */
export interface BlocksTable {
  id: Generated<number>;
  epoch: number;
  /** 0 for the content tree. */
  tbl: number;
  path: string;
  block: Bytes;
}

/** What the delta under way does to them; null for a block that goes. */
export interface StagedBlocksTable {
  tbl: number;
  path: string;
  block: Bytes | null;
}

/** The sym key of an epoch as wrapped for each device: made once, so that a resumed push sends the same bytes. */
export interface WrapsTable {
  epoch: number;
  device: Bytes;
  encapsulated: Bytes;
  wrapped: Bytes;
}

/** Epochs; the sym key of the current one and of the one being built. */
export interface EpochsTable {
  epoch: number;
  incarnation: Bytes;
  sym_key: Bytes;
  /** `building`, `current`, `past`; `dropped` when its push was given up. */
  state: string;
  /** Version of the device list that it is wrapped for. */
  devices_version: number;
  /** 1 once everything has been read back as it was pushed: only then the epochs before are forgotten (spec: PUSH-10). */
  is_verified: number;
  /** 1 once it is pushed with the nodes of its trees (spec: PUSH-13): without them an edge proves nothing. */
  has_nodes: number;
  /** The sym key wrapped to the recovery key. */
  recovery_encapsulated: Bytes;
  recovery_ciphertext: Bytes;
  /** Devices whose suite is not quantum-safe. */
  classical: number;
  /** Rows sealed so far (spec: KEY-04). */
  sealed: number;
  created: number;
}

/** Every head ever signed, stored before it is sent (spec: HEAD-05). */
export interface HeadsTable {
  generation: number;
  hash: Bytes;
  /** Number of the owner statement that it names. */
  statement: number;
  time: number;
  /** 1 once the edge has confirmed its commit. */
  committed: number;
  /** Empty for old ones: their hash is enough to recognise them. */
  signed: Bytes;
}

/** Nodes of the history tree of this incarnation (spec: TREE-06). */
export interface HistoryTable {
  /** 0 is the leaves. */
  level: number;
  idx: number;
  hash: Bytes;
  /** Of the head that completed it. */
  generation: number;
}

/** The push under way, if any. */
export interface PushesTable {
  id: Bytes;
  base: number;
  epoch: number;
  is_full: number;
  chunks: number;
  /** 32 random bytes from which its order and nonces follow, so that it can be resumed with the same bytes. */
  secret: Bytes;
  /** The newest generation signed before it began: which bodies hold which nodes of the history follows from it. */
  newest: number;
  /** `entries-version` at its beginning; another one now means that it cannot be resumed. */
  entries_version: number;
  /** Chunks whose rows are staged, from the first on. */
  staged: number;
  /** Of its newest head, from the moment when that is signed: the edge may hold it from then on. */
  generation: number | null;
  created: number;
}

/** Last processed submission of each stream (spec: INBOX-07). */
export interface StreamsTable {
  device: Bytes;
  stream: Bytes;
  number: number;
  hash: Bytes;
  /** 1 when a wrong `previous` ended it. */
  ended: number;
  updated: number;
}

/** Every submission taken, with what came of it. */
export interface SubmissionsTable {
  device: Bytes;
  stream: Bytes;
  number: number;
  hash: Bytes;
  kind: string;
  /** `done`, `held`, `refused`. */
  outcome: string;
  detail: string;
  taken: number;
}

/** Messages that devices or the owner handed in to be sent. */
export interface OutgoingTable {
  id: Bytes;
  message: Bytes;
  device: Bytes;
  /** `queued`, `held` for the owner's word, `sent`, `failed`. */
  state: string;
  attempts: number;
  detail: string;
  queued: number;
}

/** What the owner must see: forks, gaps, refusals. */
export interface AlarmsTable {
  id: Generated<number>;
  code: string;
  text: string;
  raised: number;
  cleared: number | null;
}

/** Heads that somebody was shown and this manager never signed (spec: HEAD-07). */
export interface ForksTable {
  id: Generated<number>;
  generation: number;
  hash: Bytes;
  /** Millis. */
  found: number;
  /** When the owner cleared it. */
  cleared: number | null;
}

/** The audit trail: triggers keep it from losing or changing anything (audit_triggers.ts). */
export interface EventsTable {
  number: Generated<number>;
  /** Of this machine's clock, Millis. */
  time: number;
  /** What happened, as `device.revoked`; manager/audit/kinds.ts has them all. */
  kind: string;
  /** To what: a device's name, a key's role. */
  subject: string;
  /** A JSON object. */
  detail: string;
  /** Over this event and the hash before it; null until it is chained. */
  hash: Bytes | null;
}

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

/** All tables, for kysely. */
export interface ManagerSchema {
  meta: MetaTable;
  counters: CountersTable;
  keys: KeysTable;
  statements: StatementsTable;
  devices: DevicesTable;
  certificates: CertificatesTable;
  channels: ChannelsTable;
  messages: MessagesTable;
  entries: EntriesTable;
  covers: CoversTable;
  change_lists: ChangeListsTable;
  changed: ChangedTable;
  placed: PlacedTable;
  leaves: LeavesTable;
  staged: StagedTable;
  blocks: BlocksTable;
  staged_blocks: StagedBlocksTable;
  wraps: WrapsTable;
  epochs: EpochsTable;
  heads: HeadsTable;
  history: HistoryTable;
  pushes: PushesTable;
  streams: StreamsTable;
  submissions: SubmissionsTable;
  outgoing: OutgoingTable;
  alarms: AlarmsTable;
  forks: ForksTable;
  events: EventsTable;
  mdks: MdksTable;
  registrations: RegistrationsTable;
  shared_keys: SharedKeysTable;
  update_configs: UpdateConfigsTable;
  update_signers: UpdateSignersTable;
  update_lists: UpdateListsTable;
  update_checks: UpdateChecksTable;
  releases: ReleasesTable;
  release_parts: ReleasePartsTable;
}
