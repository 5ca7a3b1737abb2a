// spec: AUDIT-01
/**
 * What the database writes into the audit trail by itself: with the change that it tells of, in the same transaction, whoever makes
 * it, so that nobody can forget it. What changes no row is noted in the code (manager/audit/note.ts).
 */

/**
 * An event from within a trigger. The counters are missing while a backup is loaded (manager/backup/load.ts): what happens then, happened
 * long ago and stands in the trail that the backup brings along.
 */
const note = (kind: string, subject: string, detail: string): string =>
  `INSERT INTO events (time, kind, subject, detail)
    SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), ${kind}, ${subject}, ${detail} FROM counters WHERE name = 'epoch'`;

const trigger = (name: string, when: string, ...event: Parameters<typeof note>): string =>
  `CREATE TRIGGER audit_${name} ${when} BEGIN ${note(...event)}; END`;

const DEVICE_DETAIL = `json_object('id', lower(hex(new.id)), 'suite', new.suite)`;

export const AUDIT_TABLE: readonly string[] = [
  `CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    hash BLOB)`,
  `CREATE INDEX events_without_hash ON events (number) WHERE hash IS NULL`,
  `CREATE INDEX events_by_kind ON events (kind, number)`,
  // What has happened stays: only the hash comes later, once.
  `CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END`,
  `CREATE TRIGGER events_keep BEFORE UPDATE ON events WHEN NOT (
      old.hash IS NULL AND new.hash IS NOT NULL AND new.number = old.number AND new.time = old.time AND new.kind = old.kind
      AND new.subject = old.subject AND new.detail = old.detail)
    BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END`,
];

export const AUDIT_TRIGGERS: readonly string[] = [
  trigger(
    "device_added",
    "AFTER INSERT ON devices",
    `'device.' || iif(new.state = 'pending', 'added', new.state)`,
    "new.name",
    DEVICE_DETAIL,
  ),
  trigger(
    "device_state",
    "AFTER UPDATE OF state ON devices WHEN new.state <> old.state",
    `'device.' || new.state`,
    "new.name",
    DEVICE_DETAIL,
  ),
  trigger("key_made", "AFTER INSERT ON keys", `'key.made'`, "new.role", `json_object('version', new.version)`),
  trigger(
    "statement",
    "AFTER INSERT ON statements",
    `'key.used'`,
    `'root'`,
    `json_object('for', 'owner statement', 'number', new.number)`,
  ),
  trigger(
    "head",
    "AFTER INSERT ON heads",
    `'key.used'`,
    `'manager'`,
    `json_object('for', 'head', 'generation', new.generation)`,
  ),
  trigger(
    "submission",
    "AFTER INSERT ON submissions",
    `'key.used'`,
    `'inbox'`,
    `json_object('for', 'submission', 'device', lower(hex(new.device)), 'number', new.number, 'kind', new.kind, 'outcome', new.outcome)`,
  ),
  trigger(
    "epoch_begun",
    "AFTER INSERT ON epochs",
    `'rotation.begun'`,
    `'epoch ' || new.epoch`,
    `json_object('classical', new.classical)`,
  ),
  trigger(
    "epoch_state",
    "AFTER UPDATE OF state ON epochs WHEN new.state <> old.state",
    `'rotation.' || new.state`,
    `'epoch ' || new.epoch`,
    `json_object('rows', new.sealed)`,
  ),
  trigger("alarm", "AFTER INSERT ON alarms", `'alarm.raised'`, "new.code", `json_object('text', new.text)`),
  trigger(
    "alarm_cleared",
    "AFTER UPDATE OF cleared ON alarms WHEN old.cleared IS NULL AND new.cleared IS NOT NULL",
    `'alarm.cleared'`,
    "new.code",
    `json_object('text', new.text)`,
  ),
  trigger(
    "anchor",
    "AFTER UPDATE OF anchor ON certificates WHEN new.anchor <> old.anchor",
    `iif(new.anchor = 1, 'trust.given', 'trust.withdrawn')`,
    "new.display_subject",
    `json_object('fingerprint', lower(hex(new.fingerprint)))`,
  ),
  ...(["INSERT", "UPDATE"] as const).flatMap((change) => [
    trigger(
      `edge_${change.toLowerCase()}`,
      `AFTER ${change} ON meta WHEN new.name = 'origin'`,
      `'edge.chosen'`,
      "CAST(new.value AS TEXT)",
      `'{}'`,
    ),
    trigger(
      `life_${change.toLowerCase()}`,
      `AFTER ${change} ON meta WHEN new.name = 'incarnation'`,
      change === "INSERT" ? `'manager.made'` : `'manager.restored'`,
      `'incarnation'`,
      `json_object('incarnation', lower(hex(new.value)))`,
    ),
  ]),
];
