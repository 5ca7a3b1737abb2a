/** Promise: a changed row is always detected. Every field of stored rows is changed, and every byte of one. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { CborValue } from "../../shared/bytes/cbor.ts";
import { isPosternError } from "../../shared/errors.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { edited, heldRows, replaceBody } from "./edge_database.ts";
import { CHANNEL, pushedWorld, type Setting, SUBJECTS } from "./setting.ts";

/** What a device reads, and what it finds out by that. */
const READS = {
  "certificates.bySubject()": async ({ client }: TestDevice) => {
    for (const subject of SUBJECTS) await client.certificates.bySubject(subject);
  },
  "messages.list()": async ({ client }: TestDevice) => void await client.messages.list(CHANNEL),
  "messages.read()": async ({ client }: TestDevice) => {
    const { messages } = await client.messages.list(CHANNEL);
    for (const message of messages) await client.messages.read(message);
  },
  "tables.verify()": async ({ client }: TestDevice) => {
    for (const table of ["devices", "certificates", "messages"] as const) await client.tables.verify(table);
  },
  "verifyAll()": async ({ client }: TestDevice) => void await client.verifyAll(),
} as const;

type Read = keyof typeof READS;

/** Positions in the array of a stored row (shared/spec/rows.md). */
const FIELD = { version: 0, table: 1, token: 2, number: 3, extra: 4, nonce: 5, ciphertext: 6, mac: 7 } as const;
/** Positions in `extra`. */
const EXTRA = { device: 0, registration: 1, publicKey: 2, suite: 3, encapsulated: 4, wrapped: 5 } as const;

/** The smallest change that a value can have: one bit, one number, one letter. */
function changed(value: CborValue | undefined, at: "first" | "middle" | "last" = "middle"): CborValue {
  if (typeof value === "number") return value + 1;
  if (typeof value === "string") return `${value}x`;
  if (!(value instanceof Uint8Array)) throw new TypeError("There is nothing to change");
  const copy = value.slice();
  const index = at === "first" ? 0 : at === "last" ? copy.length - 1 : copy.length >> 1;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function withField(fields: CborValue[], field: number, value: CborValue): CborValue[] {
  return fields.with(field, value);
}

/** Changes all rows of a table at once, and puts them back after it. */
async function whileChanged(
  { world: { edge } }: Setting,
  table: number,
  change: (body: Bytes) => Bytes,
  run: () => Promise<void>,
): Promise<void> {
  const rows = await heldRows(edge, table);
  assert(rows.length > 0);
  for (const row of rows) await replaceBody(edge, row, change(row.body));
  await run();
  for (const row of rows) await replaceBody(edge, row, row.body);
}

const FIELD_CHANGES = Object.entries(FIELD).filter(([name]) => name !== "extra").flatMap(([name, field]) =>
  name === "ciphertext"
    ? (["first", "middle", "last"] as const).map((at) => ({ name: `${at} byte of ciphertext`, field, at }))
    : [{ name, field, at: "middle" as const }]
);

const TABLE_OF: Readonly<Record<Read, readonly number[]>> = {
  "certificates.bySubject()": [TABLES.certificates],
  "messages.list()": [TABLES.messages],
  "messages.read()": [TABLES.messages],
  "tables.verify()": [TABLES.devices, TABLES.certificates, TABLES.messages],
  "verifyAll()": [TABLES.devices, TABLES.certificates, TABLES.messages],
};

for (const [name, read] of Object.entries(READS)) {
  Deno.test(`${name} throws tampered when any field of the rows is changed (ROW-04, ROW-07)`, async () => {
    await using setting = await pushedWorld();
    const { device } = setting;
    await read(device);
    for (const table of TABLE_OF[name as Read]) {
      for (const { field, at } of FIELD_CHANGES) {
        const change = (body: Bytes) => edited(body, (f) => withField(f, field, changed(f[field], at)));
        await whileChanged(
          setting,
          table,
          change,
          async () => void await assertRejects(() => read(device), "tampered"),
        );
      }
    }
    await read(device);
  });
}

for (const [name, position] of Object.entries(EXTRA)) {
  const code = name === "suite" ? "unsupported" : "tampered";
  Deno.test(`PosternDevice.login() throws ${code} when ${name} in the clear part of its record is changed`, async () => {
    await using setting = await pushedWorld();
    const { device, other } = setting;
    const change = (body: Bytes) =>
      edited(body, (fields) => {
        const extra = fields[FIELD.extra];
        assert(Array.isArray(extra));
        return withField(fields, FIELD.extra, extra.with(position, changed(extra[position])));
      });
    await other.client.login();
    await whileChanged(setting, TABLES.devices, change, async () => {
      await assertRejects(() => device.client.login(), code);
      await assertRejects(() => other.client.tables.verify("devices"), "tampered");
    });
    await device.client.login();
  });
}

Deno.test("certificates.byFingerprint() throws tampered when any single byte of the row is changed (ROW-05, ROW-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { found } = await device.client.certificates.bySubject(SUBJECTS[0] ?? "");
  const [entry] = found;
  assert(entry !== undefined);
  const rows = await heldRows(world.edge, TABLES.certificates);
  const read = () => device.client.certificates.byFingerprint(entry.fingerprint);
  const codes = new Map<string, number>();
  const row = await rowOf(rows, read, setting);
  for (let at = 0; at < row.body.length; at++) {
    const body = row.body.slice();
    body[at] = (body[at] ?? 0) ^ 1 << at % 8;
    await replaceBody(world.edge, row, body);
    const code = await read().then(() => "none", (error) => isPosternError(error) ? error.code : "another error");
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assertEquals([...codes], [["tampered", row.body.length]]);
});

/** The one of these rows that a read rests on: it fails when that one is empty. */
async function rowOf(
  rows: Awaited<ReturnType<typeof heldRows>>,
  read: () => Promise<unknown>,
  { world: { edge } }: Setting,
) {
  for (const row of rows) {
    await replaceBody(edge, row, new Uint8Array([0xf6]));
    const isIt = await read().then(() => false, (error) => isPosternError(error, "tampered"));
    await replaceBody(edge, row, row.body);
    if (isIt) return row;
  }
  throw new Error("The read rests on no row");
}
