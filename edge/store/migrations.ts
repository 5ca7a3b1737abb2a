/**
 * The steps that make the tables of `schema.ts`. What is released here never changes; corrections are further steps.
 */
import type { Migration } from "../../shared/database/migrations.ts";

const OWNERS = [
  `CREATE TABLE owners (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    statement_number INTEGER NOT NULL DEFAULT 0,
    space INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    delete_number INTEGER NOT NULL DEFAULT 0,
    incarnation BLOB,
    head_hash BLOB,
    statement_hash BLOB,
    head BLOB,
    statement BLOB
  ) STRICT`,
  `CREATE TABLE spent_challenges (
    owner INTEGER NOT NULL, random BLOB NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (owner, random)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX spent_challenges_expires ON spent_challenges (owner, expires)",
  `CREATE TABLE ended_sessions (
    owner INTEGER NOT NULL, session BLOB NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (owner, session)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX ended_sessions_expires ON ended_sessions (owner, expires)",
];

const ROWS = [
  // AUTOINCREMENT: the number of a space that is gone never means another one.
  `CREATE TABLE spaces (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL,
    push BLOB NOT NULL,
    state INTEGER NOT NULL,
    devices INTEGER NOT NULL DEFAULT 0,
    certificates INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    changes INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
  "CREATE INDEX spaces_owner ON spaces (owner, state)",
  `CREATE TABLE generations (
    owner INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    space INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (owner, generation)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    space INTEGER NOT NULL,
    tbl INTEGER NOT NULL,
    token BLOB NOT NULL,
    number INTEGER NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT`,
  "CREATE UNIQUE INDEX rows_place ON rows (owner, space, tbl, token, number, born)",
  // What deltas changed. Rows of a full push stand in neither index, and cost nothing there.
  "CREATE INDEX rows_born ON rows (owner, space, tbl, born) WHERE born > 0",
  "CREATE INDEX rows_died ON rows (owner, space, tbl, died) WHERE died < 9007199254740991",
  `CREATE TABLE devices (
    owner INTEGER NOT NULL,
    space INTEGER NOT NULL,
    device BLOB NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER NOT NULL,
    registration INTEGER NOT NULL,
    row INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    PRIMARY KEY (owner, space, device, born)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX devices_row ON devices (owner, space, row)",
  `CREATE TRIGGER rows_device_died AFTER UPDATE OF died ON rows WHEN NEW.tbl = 1 BEGIN
    UPDATE devices SET died = NEW.died WHERE owner = NEW.owner AND space = NEW.space AND row = NEW.id;
  END`,
  `CREATE TRIGGER rows_device_deleted AFTER DELETE ON rows WHEN OLD.tbl = 1 BEGIN
    DELETE FROM devices WHERE owner = OLD.owner AND space = OLD.space AND row = OLD.id;
  END`,
];

const PUSHES = [
  `CREATE TABLE pushes (
    owner INTEGER NOT NULL,
    id BLOB NOT NULL,
    state INTEGER NOT NULL,
    base INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    incarnation BLOB NOT NULL,
    is_full INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    space INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    added_devices INTEGER NOT NULL DEFAULT 0,
    added_certificates INTEGER NOT NULL DEFAULT 0,
    added_messages INTEGER NOT NULL DEFAULT 0,
    added_changes INTEGER NOT NULL DEFAULT 0,
    removed_devices INTEGER NOT NULL DEFAULT 0,
    removed_certificates INTEGER NOT NULL DEFAULT 0,
    removed_messages INTEGER NOT NULL DEFAULT 0,
    removed_changes INTEGER NOT NULL DEFAULT 0,
    touched INTEGER NOT NULL,
    is_undone INTEGER NOT NULL,
    PRIMARY KEY (owner, id)
  ) STRICT, WITHOUT ROWID`,
  "CREATE UNIQUE INDEX pushes_open ON pushes (owner) WHERE state = 0",
  `CREATE TABLE push_chunks (
    owner INTEGER NOT NULL, push BLOB NOT NULL, n INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (owner, push, n)
  ) STRICT, WITHOUT ROWID`,
];

const INBOX = [
  `CREATE TABLE inbox_arrivals (owner INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT`,
  `CREATE TABLE inbox_usage (
    owner INTEGER NOT NULL,
    device BLOB NOT NULL,
    submissions INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (owner, device)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE inbox (
    owner INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    device BLOB NOT NULL,
    stream BLOB NOT NULL,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    has_copy INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    PRIMARY KEY (owner, arrival)
  ) STRICT, WITHOUT ROWID`,
  "CREATE UNIQUE INDEX inbox_place ON inbox (owner, device, stream, number)",
  "CREATE INDEX inbox_gone ON inbox (owner, gone) WHERE gone < 9007199254740991",
  `CREATE TABLE inbox_bodies (
    owner INTEGER NOT NULL, arrival INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (owner, arrival)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE inbox_parts (
    owner INTEGER NOT NULL,
    device BLOB NOT NULL,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    created INTEGER NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, device, hash)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX inbox_parts_hash ON inbox_parts (owner, hash)",
  "CREATE INDEX inbox_parts_unnamed ON inbox_parts (owner, created) WHERE refs = 0",
  `CREATE TABLE inbox_part_bodies (
    owner INTEGER NOT NULL, device BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (owner, device, hash)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE inbox_named (
    owner INTEGER NOT NULL, arrival INTEGER NOT NULL, hash BLOB NOT NULL, device BLOB NOT NULL,
    PRIMARY KEY (owner, arrival, hash)
  ) STRICT, WITHOUT ROWID`,
];

const INBOX_TRIGGERS = [
  `CREATE TRIGGER inbox_arrived AFTER INSERT ON inbox BEGIN
    INSERT INTO inbox_usage (owner, device, submissions, bytes) VALUES (NEW.owner, NEW.device, 1, 0)
      ON CONFLICT (owner, device) DO UPDATE SET submissions = submissions + 1;
  END`,
  `CREATE TRIGGER inbox_acknowledged AFTER UPDATE OF gone ON inbox WHEN OLD.gone = 9007199254740991 BEGIN
    UPDATE inbox_usage SET submissions = submissions - 1 WHERE owner = OLD.owner AND device = OLD.device;
  END`,
  `CREATE TRIGGER inbox_deleted AFTER DELETE ON inbox BEGIN
    DELETE FROM inbox_bodies WHERE owner = OLD.owner AND arrival = OLD.arrival;
  END`,
  `CREATE TRIGGER inbox_part_arrived AFTER INSERT ON inbox_parts BEGIN
    INSERT INTO inbox_usage (owner, device, submissions, bytes) VALUES (NEW.owner, NEW.device, 0, NEW.size)
      ON CONFLICT (owner, device) DO UPDATE SET bytes = bytes + NEW.size;
  END`,
  `CREATE TRIGGER inbox_part_deleted AFTER DELETE ON inbox_parts BEGIN
    UPDATE inbox_usage SET bytes = bytes - OLD.size WHERE owner = OLD.owner AND device = OLD.device;
    DELETE FROM inbox_part_bodies WHERE owner = OLD.owner AND device = OLD.device AND hash = OLD.hash;
  END`,
  `CREATE TRIGGER inbox_part_named AFTER INSERT ON inbox_named BEGIN
    UPDATE inbox_parts SET refs = refs + 1 WHERE owner = NEW.owner AND device = NEW.device AND hash = NEW.hash;
  END`,
  // The last submission that named a part is done with: so is the part.
  `CREATE TRIGGER inbox_part_unnamed AFTER DELETE ON inbox_named BEGIN
    UPDATE inbox_parts SET refs = refs - 1 WHERE owner = OLD.owner AND device = OLD.device AND hash = OLD.hash;
    DELETE FROM inbox_parts WHERE owner = OLD.owner AND device = OLD.device AND hash = OLD.hash AND refs = 0;
  END`,
];

const CHECKS = [
  "CREATE VIEW checks AS SELECT NULL AS reason WHERE 0",
  // RAISE takes no computed text, so every reason of `checks.ts` stands here.
  `CREATE TRIGGER checks_fail INSTEAD OF INSERT ON checks WHEN NEW.reason IS NOT NULL BEGIN
    SELECT CASE NEW.reason
      WHEN 'unauthorized' THEN RAISE(ABORT, 'unauthorized')
      WHEN 'base' THEN RAISE(ABORT, 'base')
      WHEN 'push_unknown' THEN RAISE(ABORT, 'push_unknown')
      WHEN 'push_over' THEN RAISE(ABORT, 'push_over')
      WHEN 'push_differs' THEN RAISE(ABORT, 'push_differs')
      WHEN 'push_committed' THEN RAISE(ABORT, 'push_committed')
      WHEN 'remnants' THEN RAISE(ABORT, 'remnants')
      WHEN 'chunk_number' THEN RAISE(ABORT, 'chunk_number')
      WHEN 'incomplete' THEN RAISE(ABORT, 'incomplete')
      WHEN 'counts' THEN RAISE(ABORT, 'counts')
      WHEN 'clash' THEN RAISE(ABORT, 'clash')
      WHEN 'superseded' THEN RAISE(ABORT, 'superseded')
      WHEN 'delete_number' THEN RAISE(ABORT, 'delete_number')
      WHEN 'inbox_full' THEN RAISE(ABORT, 'inbox_full')
      WHEN 'part_missing' THEN RAISE(ABORT, 'part_missing')
      ELSE RAISE(ABORT, 'unknown_reason')
    END;
  END`,
];

/** What the view `checks` fails with from the second step on. */
const REASONS = [
  ...[
    "unauthorized",
    "base",
    "push_unknown",
    "push_over",
    "push_differs",
    "push_committed",
    "remnants",
    "chunk_number",
  ],
  ...["incomplete", "counts", "clash", "superseded", "delete_number", "inbox_full", "part_missing"],
  ...["too_many_pushes", "owner_full"],
];

const QUOTAS = [
  "ALTER TABLE spaces ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
  `UPDATE spaces SET bytes = (
    SELECT IFNULL(SUM(r.size), 0) FROM rows r WHERE r.owner = spaces.owner AND r.space = spaces.no)`,
  `CREATE TRIGGER rows_deleted AFTER DELETE ON rows BEGIN
    UPDATE spaces SET bytes = bytes - OLD.size WHERE no = OLD.space AND owner = OLD.owner;
  END`,
  "DROP TRIGGER checks_fail",
  `CREATE TRIGGER checks_fail INSTEAD OF INSERT ON checks WHEN NEW.reason IS NOT NULL BEGIN
    SELECT CASE NEW.reason
      ${REASONS.map((reason) => `WHEN '${reason}' THEN RAISE(ABORT, '${reason}')`).join("\n      ")}
      ELSE RAISE(ABORT, 'unknown_reason')
    END;
  END`,
];

const SPENT_BY_TIME = [
  // In the order in which they expire, which is about the order in which they come: records are added at the end of one tree,
  // instead of anywhere in two, and swept from its beginning. A challenge's MAC covers its expiry, so that what is spent
  // twice meets itself here as well.
  `CREATE TABLE spent_by_time (
    owner INTEGER NOT NULL, expires INTEGER NOT NULL, random BLOB NOT NULL, PRIMARY KEY (owner, expires, random)
  ) STRICT, WITHOUT ROWID`,
  "INSERT INTO spent_by_time (owner, expires, random) SELECT owner, expires, random FROM spent_challenges",
  "DROP TABLE spent_challenges",
  "ALTER TABLE spent_by_time RENAME TO spent_challenges",
];

const BLOCKS = [
  "ALTER TABLE pushes ADD COLUMN nodes INTEGER NOT NULL DEFAULT 0",
  // Until the next commit nothing is known of the history, and no path is asked for that could be told.
  "ALTER TABLE owners ADD COLUMN history INTEGER NOT NULL DEFAULT 0",
  `CREATE TABLE push_nodes (
    owner INTEGER NOT NULL, push BLOB NOT NULL, n INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (owner, push, n)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    incarnation BLOB NOT NULL,
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT`,
  "CREATE UNIQUE INDEX history_place ON history (owner, incarnation, level, idx)",
];

/** All steps, in order. */
export const EDGE_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "owners, rows, pushes, inbox",
    statements: [...OWNERS, ...ROWS, ...PUSHES, ...INBOX, ...INBOX_TRIGGERS, ...CHECKS],
  },
  { version: 2, name: "what an owner may take up", statements: QUOTAS },
  { version: 3, name: "spent challenges in the order of their time", statements: SPENT_BY_TIME },
  { version: 4, name: "blocks of trees, and the history of heads", statements: BLOCKS },
  // spec: INBOX-06: devices are shown everything.
  {
    version: 5,
    name: "submissions without a mark of their copy",
    statements: ["ALTER TABLE inbox DROP COLUMN has_copy"],
  },
];
