/** The tables of the store and the lists in them (shared/spec/rows.md, "Tables and lists"). */

/** Number of each table, as it stands in rows, heads and keys. */
export const TABLES = { devices: 1, certificates: 2, messages: 3, changes: 4 } as const;

export type TableName = keyof typeof TABLES;
export type TableNumber = (typeof TABLES)[TableName];

/** Names in the order of their numbers. */
export const TABLE_NAMES: readonly TableName[] = ["devices", "certificates", "messages", "changes"];

/** The kinds of list, each belonging to one table. */
export const LIST_TABLE = {
  device: TABLES.devices,
  fingerprint: TABLES.certificates,
  subject: TABLES.certificates,
  channels: TABLES.messages,
  channel: TABLES.messages,
  message: TABLES.messages,
  receipt: TABLES.messages,
  generations: TABLES.changes,
} as const;

export type ListKind = keyof typeof LIST_TABLE;

/** Status of a certificate row (spec: ROW-08). */
export const CERTIFICATE_STATUS = { blocked: 0, usable: 1, waiting: 2 } as const;

export type CertificateStatus = keyof typeof CERTIFICATE_STATUS;

/** True for the number of a table. */
export function isTableNumber(value: number): value is TableNumber {
  return value === 1 || value === 2 || value === 3 || value === 4;
}
