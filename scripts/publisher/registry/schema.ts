/** The tables of a publisher's registry. Nothing in them opens a release; what does derives from the secret beside them. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Migration } from "../../../shared/database/migrations.ts";
import { builder } from "../../../shared/database/query.ts";

/** An instance that was ever registered. Rows are never deleted: their leaves must not be given out again (spec: COVER-02). */
export interface InstancesTable {
  /** 16 bytes (spec: REG-01). */
  id: Bytes;
  /** Its place in the tree of the cover. */
  leaf: number;
  mdk_version: number;
  /** The generation of the manifest key that it was last given. */
  key_version: number;
  /** Millis. */
  registered: number;
  /** Millis; null for one that may read. */
  revoked: number | null;
  /** The generation of the manifest key that it has and must not use any more. */
  revoked_key_version: number | null;
}

/** The newest request of each instance: apart, so that listing does not read the public keys of everybody. */
export interface RequestsTable {
  id: Bytes;
  /** As it was handed in, signature included. */
  request: Bytes;
}

export interface RegistrySchema {
  instances: InstancesTable;
  requests: RequestsTable;
}

export const tables = builder<RegistrySchema>();

export const REGISTRY_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "instances and their requests",
    statements: [
      `CREATE TABLE instances (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        leaf INTEGER NOT NULL UNIQUE,
        mdk_version INTEGER NOT NULL,
        key_version INTEGER NOT NULL,
        registered INTEGER NOT NULL,
        revoked INTEGER,
        revoked_key_version INTEGER,
        CHECK ((revoked IS NULL) = (revoked_key_version IS NULL))
      ) STRICT, WITHOUT ROWID`,
      "CREATE INDEX instances_revoked ON instances (revoked_key_version, leaf) WHERE revoked IS NOT NULL",
      "CREATE TABLE requests (id BLOB PRIMARY KEY REFERENCES instances (id), request BLOB NOT NULL) STRICT",
    ],
  },
];
