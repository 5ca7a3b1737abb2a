/** The blocks of a dump against those that follow from its rows (spec: TREE-07): every one there, to the byte, and no other. */
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { TableRow } from "../../../shared/client/verify/open_content.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Block, encodeBlock } from "../../../shared/merkle/block.ts";
import { createBlocks } from "../../../shared/merkle/block_builder.ts";
import type { SortedRootBuilder } from "../../../shared/merkle/sorted_root.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import type { Dump } from "./open_dump.ts";
import type { State } from "./rows.ts";
import { blob, dumpTables, integer } from "./schema.ts";

/** The blocks of table t are rows of this much more (shared/spec/storage.md). */
const BLOCKS = 10;

type Table = State & { readonly tbl: number };

const blocksAt = query((p: Table & { readonly path: Bytes }) =>
  dumpTables.selectFrom("rows").select([
    ...[integer("number", "number"), integer("size", "size"), blob("body", LIMITS.maxBlockBytes, "body")],
  ]).where("owner", "=", p.owner).where("space", "=", p.space).where("tbl", "=", p.tbl).where("token", "=", p.path)
    .where("born", "<=", p.generation).where("died", ">", p.generation).limit(2)
);
const countBlocks = query((p: Table) =>
  dumpTables.selectFrom("rows").select((e) => e.fn.countAll<number>().as("count"))
    .where("owner", "=", p.owner).where("space", "=", p.space).where("tbl", "=", p.tbl)
    .where("born", "<=", p.generation).where("died", ">", p.generation)
);

/** Takes the rows of the tables as they are verified. */
export class DumpBlocks {
  readonly #dump: Dump;
  readonly #state: State;
  readonly #tables: ReadonlyMap<TableName, { readonly builder: SortedRootBuilder; readonly made: Block[] }>;
  /** Compared and found in order, all tables together. */
  #count = 0;
  /** What was found first. It waits for the end: rows that are missing say better what happened than the blocks above them. */
  #problem: PosternError | null = null;

  constructor(dump: Dump, state: State) {
    this.#dump = dump;
    this.#state = state;
    this.#tables = new Map(TABLE_NAMES.map((name) => {
      const made: Block[] = [];
      return [name, { builder: createBlocks((block) => made.push(block)), made }];
    }));
  }

  /** Takes rows that were opened; what is wrong with their blocks {@link finish} says. */
  async take(name: TableName, rows: readonly TableRow[]): Promise<void> {
    const { builder } = this.#table(name);
    for (const { token, number, hash } of rows) builder.add({ key: treeKey(token, number), rowHash: hash });
    await this.#compareMade(name);
  }

  /**
   * After the last row.
   *
   * @returns how many there are
   * @throws `withheld`, `tampered`
   */
  // spec: TREE-07
  async finish(): Promise<number> {
    for (const name of TABLE_NAMES) this.#table(name).builder.finish();
    for (const name of TABLE_NAMES) await this.#compareMade(name);
    if (this.#problem !== null) throw this.#problem;
    let there = 0;
    for (const name of TABLE_NAMES) {
      there += (await this.#dump.execute(countBlocks.bind(this.#at(name)))).rows[0]?.count ?? 0;
    }
    if (there === this.#count) return there;
    throw new PosternError("tampered", `The edge has ${there} blocks, and ${this.#count} follow from its rows`);
  }

  async #compareMade(name: TableName): Promise<void> {
    const { made } = this.#table(name);
    for (const block of made.splice(0)) {
      this.#problem ??= await this.#compare(name, block);
      this.#count += 1;
    }
  }

  async #compare(name: TableName, { path, nodes }: Block): Promise<PosternError | null> {
    const { rows } = await this.#dump.execute(blocksAt.bind({ ...this.#at(name), path: utf8(path) }));
    const [line] = rows;
    if (line === undefined) return new PosternError("withheld", `A block of the tree of ${name} is not there`);
    const { number, size, body } = line;
    const isSame = rows.length === 1 && number === 0 && body !== null && size === body.length &&
      equalBytes(body, encodeBlock(nodes));
    return isSame ? null : new PosternError("tampered", `A block of the tree of ${name} does not follow from its rows`);
  }

  #table(name: TableName) {
    const table = this.#tables.get(name);
    if (table === undefined) throw new PosternError("usage", `There is no table ${name}`);
    return table;
  }

  #at(name: TableName): Table {
    return { ...this.#state, tbl: TABLES[name] + BLOCKS };
  }
}
