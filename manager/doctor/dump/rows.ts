/** The rows of a dump, table by table, and what the edge verifies logins with. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { orTampered } from "../../../shared/client/verify/open_content.ts";
import type { TablePage } from "../../../shared/client/verify/verify_table.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { TOKEN_BYTES, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { decodeRow, type DeviceExtra } from "../../../shared/protocol/row.ts";
import { type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import type { Dump } from "./open_dump.ts";
import { blob, dumpTables, integer, present } from "./schema.ts";

/** Which rows of a dump are an owner's state. */
export type State = { readonly owner: number; readonly space: number; readonly generation: number };

/** Rows read at once: of the largest size they still fit into a Pi's memory. */
const PAGE_ROWS = 64;

type Place = State & { readonly tbl: number; readonly token: Bytes; readonly number: number };

const pages = query((p: Place & { readonly limit: number }) =>
  dumpTables.selectFrom("rows").select([
    ...[integer("id", "id"), blob("token", TOKEN_BYTES, "token"), integer("number", "number"), integer("size", "size")],
    blob("body", LIMITS.maxRowBytes, "body"),
  ]).where("owner", "=", p.owner).where("space", "=", p.space).where("tbl", "=", p.tbl)
    .where("born", "<=", p.generation).where("died", ">", p.generation)
    .where((e) => e(e.refTuple("token", "number"), ">", e.tuple(p.token, p.number)))
    .orderBy("token").orderBy("number").limit(p.limit)
);
const logins = query((p: State & { readonly limit: number }) =>
  dumpTables.selectFrom("devices").select([
    ...[blob("device", 16, "device"), integer("registration", "registration"), integer("row", "row")],
    blob("public_key", LIMITS.maxSpkiBytes, "publicKey"),
  ]).where("owner", "=", p.owner).where("space", "=", p.space)
    .where("born", "<=", p.generation).where("died", ">", p.generation).limit(p.limit)
);

/** Before every key. */
const START = { token: new Uint8Array(0), number: -1 };

/** Hands out pages of tables as an edge does, and remembers what it said of devices. */
export class DumpRows {
  readonly #dump: Dump;
  readonly #state: State;
  /** By device id in hexadecimal: number of the row, and what it has in clear. */
  readonly #devices = new Map<string, { readonly row: number; readonly extra: DeviceExtra }>();

  constructor(dump: Dump, state: State) {
    this.#dump = dump;
    this.#state = state;
  }

  /** @throws `tampered` for a row that stands in another place than it says */
  async page(name: TableName, after: Bytes | null): Promise<TablePage> {
    const place = after === null ? START : cursor(after);
    const values = { ...this.#state, tbl: TABLES[name], ...place, limit: PAGE_ROWS };
    const { rows: lines } = await this.#dump.execute(pages.bind(values));
    const rows: Bytes[] = [];
    let next: Bytes | null = null;
    for (const line of lines) {
      const [token, number] = [present(line.token, "index token"), present(line.number, "row number")];
      const body = present(line.body, "row");
      const row = await orTampered(() => Promise.resolve(decodeRow(body)));
      const isThere = row.table === TABLES[name] && equalBytes(row.token, token) && row.number === number &&
        line.size === body.length;
      if (!isThere) throw new PosternError("tampered", `A row of the table ${name} stands in a place not its own`);
      if (row.extra !== null) {
        this.#devices.set(toHex(row.extra.device), { row: present(line.id, "row id"), extra: row.extra });
      }
      rows.push(body);
      next = treeKey(token, number);
    }
    return { rows, next: lines.length < PAGE_ROWS ? null : next };
  }

  /**
   * What logins are verified with is what the rows say, which the manager wrote; once all rows are verified.
   *
   * @returns for how many devices
   * @throws `tampered` for a login of somebody else's; `withheld` when a device could not log in
   */
  // spec: STORE-04
  async requireLogins(): Promise<number> {
    const { rows: lines } = await this.#dump.execute(logins.bind({ ...this.#state, limit: LIMITS.maxDevices + 1 }));
    for (const line of lines) {
      const known = this.#devices.get(toHex(present(line.device, "device id")));
      const isSame = known !== undefined && line.row === known.row && line.registration === known.extra.registration &&
        equalBytes(present(line.publicKey, "login key"), known.extra.publicKey);
      if (!isSame) {
        throw new PosternError("tampered", "The edge lets in a device, or a key, that the manager did not register");
      }
    }
    if (lines.length > this.#devices.size) throw new PosternError("tampered", "The edge has a device twice");
    if (lines.length < this.#devices.size) {
      throw new PosternError("withheld", `The edge lets in ${lines.length} of ${this.#devices.size} devices`);
    }
    return lines.length;
  }
}

function cursor(key: Bytes): { token: Bytes; number: number } {
  const number = new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(TOKEN_BYTES);
  return { token: key.slice(0, TOKEN_BYTES), number: Number(number) };
}
