/** The manager's schema, step by step. A step that has landed is never changed; what comes later is a new step. */
import type { Migration } from "../../shared/database/migrations.ts";
import { AUDIT_TABLE, AUDIT_TRIGGERS } from "./audit_triggers.ts";

/** Whatever touches an entry leaves its name for the next delta, and a version that no push that began before has. */
const noteChange = (name: string, when: string, row: "new" | "old"): string =>
  `CREATE TRIGGER entries_${name} ${when} BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'entries-version';
    INSERT INTO changed (content_key, version, kind, name, name_is_text, number)
      SELECT ${row}.content_key, value, ${row}.kind, ${row}.name, ${row}.name_is_text, ${row}.number
      FROM counters WHERE name = 'entries-version'
      ON CONFLICT (content_key) DO UPDATE SET version = excluded.version;
  END`;

export const MIGRATIONS: readonly Migration[] = [{
  version: 1,
  name: "the truth: keys, devices, certificates, messages, entries, heads",
  statements: [
    `CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
    `INSERT INTO counters VALUES
      ('entries-version', 0), ('devices-version', 0), ('registration', 0), ('deletion', 0), ('epoch', 0)`,
    `CREATE TABLE keys (
      role TEXT NOT NULL, version INTEGER NOT NULL, public_key BLOB NOT NULL, private_key BLOB, created INTEGER NOT NULL,
      PRIMARY KEY (role, version))`,
    `CREATE TABLE statements (number INTEGER PRIMARY KEY, signed BLOB NOT NULL, created INTEGER NOT NULL)`,
    `CREATE TABLE devices (
      id BLOB PRIMARY KEY, registration INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, public_key BLOB NOT NULL,
      certificate BLOB, suite TEXT NOT NULL, kem_public_key BLOB, state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'revoked')),
      pairing_request BLOB, pairing_grant BLOB, added INTEGER NOT NULL, revoked INTEGER)`,
    `CREATE UNIQUE INDEX devices_by_name ON devices (name) WHERE state <> 'revoked'`,
    `CREATE TABLE certificates (
      fingerprint BLOB PRIMARY KEY, der BLOB NOT NULL, subject TEXT NOT NULL, issuer TEXT NOT NULL, display_subject TEXT NOT NULL,
      not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
      reason TEXT NOT NULL, origin TEXT NOT NULL, note TEXT NOT NULL, anchor INTEGER NOT NULL, subject_number INTEGER NOT NULL,
      added INTEGER NOT NULL, UNIQUE (subject, subject_number))`,
    `CREATE INDEX certificates_by_status ON certificates (status)`,
    `CREATE TABLE channels (
      number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, last_position INTEGER NOT NULL)`,
    `CREATE TABLE messages (
      id BLOB PRIMARY KEY, channel INTEGER NOT NULL REFERENCES channels (number), position INTEGER NOT NULL,
      direction TEXT NOT NULL CHECK (direction IN ('in', 'out')), date INTEGER, added INTEGER NOT NULL, size INTEGER NOT NULL,
      sha256 BLOB NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL, parts INTEGER NOT NULL,
      UNIQUE (channel, position))`,
    `CREATE UNIQUE INDEX messages_by_hash ON messages (channel, sha256) WHERE direction = 'in'`,
    `CREATE TABLE entries (
      id INTEGER PRIMARY KEY AUTOINCREMENT, tbl INTEGER NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, name_is_text INTEGER NOT NULL,
      number INTEGER NOT NULL, content_key BLOB NOT NULL UNIQUE, content_hash BLOB NOT NULL, plaintext BLOB NOT NULL)`,
    `CREATE TABLE changed (
      content_key BLOB PRIMARY KEY, version INTEGER NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, name_is_text INTEGER NOT NULL,
      number INTEGER NOT NULL) WITHOUT ROWID`,
    noteChange("added", "AFTER INSERT ON entries", "new"),
    noteChange("replaced", "AFTER UPDATE OF content_hash ON entries WHEN new.content_hash <> old.content_hash", "new"),
    noteChange("removed", "AFTER DELETE ON entries", "old"),
    `CREATE TABLE placed (
      epoch INTEGER NOT NULL, content_key BLOB NOT NULL, content_hash BLOB NOT NULL, PRIMARY KEY (epoch, content_key)) WITHOUT ROWID`,
    `CREATE TABLE leaves (
      epoch INTEGER NOT NULL, tbl INTEGER NOT NULL, token BLOB NOT NULL, number INTEGER NOT NULL, row_hash BLOB NOT NULL,
      PRIMARY KEY (epoch, tbl, token, number)) WITHOUT ROWID`,
    `CREATE TABLE staged (
      chunk INTEGER NOT NULL, place INTEGER NOT NULL, content_key BLOB NOT NULL, content_hash BLOB, tbl INTEGER NOT NULL,
      token BLOB NOT NULL, number INTEGER NOT NULL, row_hash BLOB, PRIMARY KEY (chunk, place)) WITHOUT ROWID`,
    `CREATE TABLE wraps (
      epoch INTEGER NOT NULL, device BLOB NOT NULL, encapsulated BLOB NOT NULL, wrapped BLOB NOT NULL,
      PRIMARY KEY (epoch, device))`,
    `CREATE TABLE epochs (
      epoch INTEGER PRIMARY KEY, incarnation BLOB NOT NULL, sym_key BLOB NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('building', 'current', 'past', 'dropped')),
      devices_version INTEGER NOT NULL, is_verified INTEGER NOT NULL, recovery_encapsulated BLOB NOT NULL,
      recovery_ciphertext BLOB NOT NULL, classical INTEGER NOT NULL, sealed INTEGER NOT NULL, created INTEGER NOT NULL)`,
    `CREATE TABLE heads (
      generation INTEGER PRIMARY KEY, hash BLOB NOT NULL, statement INTEGER NOT NULL, time INTEGER NOT NULL,
      committed INTEGER NOT NULL, signed BLOB NOT NULL)`,
    `CREATE TABLE pushes (
      id BLOB PRIMARY KEY, base INTEGER NOT NULL, epoch INTEGER NOT NULL, is_full INTEGER NOT NULL, chunks INTEGER NOT NULL,
      secret BLOB NOT NULL, entries_version INTEGER NOT NULL, staged INTEGER NOT NULL, generation INTEGER, created INTEGER NOT NULL)`,
    `CREATE TABLE streams (
      device BLOB NOT NULL, stream BLOB NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, ended INTEGER NOT NULL,
      updated INTEGER NOT NULL, PRIMARY KEY (device, stream))`,
    `CREATE TABLE submissions (
      device BLOB NOT NULL, stream BLOB NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, kind TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('done', 'held', 'refused')), detail TEXT NOT NULL, taken INTEGER NOT NULL,
      PRIMARY KEY (device, stream, number))`,
    `CREATE TABLE outgoing (
      id BLOB PRIMARY KEY, message BLOB NOT NULL REFERENCES messages (id), device BLOB NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'held', 'sent', 'failed')), attempts INTEGER NOT NULL, detail TEXT NOT NULL,
      queued INTEGER NOT NULL)`,
    `CREATE TABLE alarms (
      id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL, text TEXT NOT NULL, raised INTEGER NOT NULL, cleared INTEGER)`,
  ],
}, {
  version: 2,
  name: "proofs: nodes of the history, blocks of the trees",
  statements: [
    `CREATE TABLE history (
      level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, generation INTEGER NOT NULL,
      PRIMARY KEY (level, idx)) WITHOUT ROWID`,
    `CREATE INDEX history_by_generation ON history (generation, level)`,
    `CREATE TABLE blocks (
      id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, tbl INTEGER NOT NULL, path TEXT NOT NULL, block BLOB NOT NULL,
      UNIQUE (epoch, tbl, path))`,
    `CREATE TABLE staged_blocks (tbl INTEGER NOT NULL, path TEXT NOT NULL, block BLOB, PRIMARY KEY (tbl, path))`,
    // What an edge holds by now came without nodes: it is pushed anew.
    `ALTER TABLE epochs ADD COLUMN has_nodes INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE pushes ADD COLUMN newest INTEGER NOT NULL DEFAULT 0`,
  ],
}, {
  version: 3,
  name: "forks: heads that this manager never signed",
  statements: [
    `CREATE TABLE forks (
      id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, hash BLOB NOT NULL, found INTEGER NOT NULL, cleared INTEGER,
      UNIQUE (generation, hash))`,
  ],
}, {
  version: 4,
  name: "cover rows",
  statements: [`CREATE TABLE covers (tbl INTEGER NOT NULL, content_key BLOB NOT NULL, PRIMARY KEY (tbl, content_key))`],
}, {
  version: 5,
  name: "the audit trail",
  statements: [...AUDIT_TABLE, ...AUDIT_TRIGGERS],
}, {
  version: 6,
  name: "change lists",
  statements: [`CREATE TABLE change_lists (generation INTEGER PRIMARY KEY, size INTEGER NOT NULL)`],
}, {
  version: 7,
  name: "the instance: versions of its MDK, and what publishers answered",
  statements: [
    `CREATE TABLE mdks (
      version INTEGER PRIMARY KEY, secret BLOB NOT NULL, xwing BLOB NOT NULL, x25519 BLOB NOT NULL, created INTEGER NOT NULL,
      revoked INTEGER)`,
    `CREATE TABLE registrations (
      product TEXT NOT NULL, root BLOB NOT NULL, entry_secret BLOB NOT NULL, cover BLOB, mdk_version INTEGER NOT NULL,
      registered INTEGER NOT NULL, PRIMARY KEY (product, entry_secret))`,
    `CREATE TABLE shared_keys (
      product TEXT NOT NULL, key_id TEXT NOT NULL, key_version INTEGER NOT NULL, secret BLOB NOT NULL,
      PRIMARY KEY (product, key_id, key_version))`,
  ],
}, {
  version: 8,
  name: "updates: what is followed, what publishers said, the manifests of releases",
  statements: [
    `CREATE TABLE update_configs (product TEXT PRIMARY KEY, config TEXT NOT NULL, rollout_key BLOB NOT NULL)`,
    `CREATE TABLE update_signers (
      product TEXT NOT NULL, place INTEGER NOT NULL, signer TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL,
      created INTEGER NOT NULL, floor TEXT, path BLOB NOT NULL, PRIMARY KEY (product, signer))`,
    `CREATE TABLE update_lists (
      product TEXT NOT NULL, issuer TEXT NOT NULL, der BLOB NOT NULL, PRIMARY KEY (product, issuer))`,
    `CREATE TABLE update_checks (
      product TEXT PRIMARY KEY, time INTEGER NOT NULL, outcome TEXT NOT NULL, version TEXT, detail TEXT NOT NULL)`,
    `CREATE TABLE releases (
      product TEXT NOT NULL, version TEXT NOT NULL, tag_name TEXT NOT NULL, signer TEXT NOT NULL,
      origin TEXT NOT NULL CHECK (origin IN ('schema 1', 'schema 2', 'schema 3', 'public')), accepted INTEGER NOT NULL,
      downloaded INTEGER, applied INTEGER, returned INTEGER, PRIMARY KEY (product, version))`,
    `CREATE TABLE release_parts (
      product TEXT NOT NULL, version TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
      PRIMARY KEY (product, version, part))`,
  ],
}, {
  version: 9,
  name: "certificates that a restore left in doubt",
  statements: ["ALTER TABLE certificates ADD COLUMN held INTEGER NOT NULL DEFAULT 0"],
}];
