/**
 * The manager's database: the truth. Page-encrypted as a whole, so nothing in it is encrypted again.
 *
 * `entries` is the heart: one row for each row that the edge shall hold, with its plaintext. Whatever changes a device,
 * certificate or message changes its entries in the same transaction, and a push only turns entries into stored rows.
 * `placed` says what the edge holds since the last commit, and `changed` in which entries the two may differ.
 */
import type { Generated } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type {
  BlocksTable,
  ChangedTable,
  ChangeListsTable,
  EpochsTable,
  HeadsTable,
  HistoryTable,
  LeavesTable,
  PlacedTable,
  PushesTable,
  StagedBlocksTable,
  StagedTable,
  WrapsTable,
} from "./schema_push.ts";
import type {
  MdksTable,
  RegistrationsTable,
  ReleasePartsTable,
  ReleasesTable,
  SharedKeysTable,
  UpdateChecksTable,
  UpdateConfigsTable,
  UpdateListsTable,
  UpdateSignersTable,
} from "./schema_releases.ts";

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
  /** 1 when it waits for the owner's own word, whoever vouches for it: a restore left it in doubt. */
  held: number;
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

/** Last processed submission of each stream (spec: INBOX-07). */
export interface StreamsTable {
  device: Bytes;
  stream: Bytes;
  number: number;
  hash: Bytes;
  /** 1 when a wrong `previous` ended it. */
  ended: number;
  /** Millis, rising within a device whatever the clock did. */
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
