/**
 * A local copy of everything that the owner has at the edge: synced by what changed, verified against the signed roots, and read
 * without the edge. Its rows lie sealed; who has the device's keys opens them.
 */
import { isPosternError, PosternError } from "../errors.ts";
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { LIMITS } from "../limits.ts";
import { rowHash } from "../protocol/row.ts";
import { Certificates } from "./certificates.ts";
import { changeTables, COPIED, type CopiedName, emptyTables } from "./copied_tables.ts";
import { fetchChanges, type Fetched, fetchWhole } from "./copy_fetch.ts";
import { CopyReader, type OpenCopy } from "./copy_reader.ts";
import type { CopyStore } from "./copy_store.ts";
import type { DeviceLink } from "./device_link.ts";
import type { CallOptions } from "./http.ts";
import type { StaleReads } from "./lists.ts";
import { Messages } from "./messages.ts";
import type { PendingReader } from "./pending.ts";
import { type AsOf, asOf, type View } from "./view.ts";

/** What a sync did. */
export interface CopySync {
  readonly asOf: AsOf;
  /** True when everything was fetched: the first time, in a new epoch, and after a long time. */
  readonly isWhole: boolean;
  /** Rows that came and went. */
  readonly put: number;
  readonly removed: number;
}

export class LocalCopy {
  /** Like those of the device, from the copy; what is pending is asked for at the edge all the same. */
  readonly certificates: Certificates;
  readonly messages: Messages;
  readonly #link: DeviceLink;
  readonly #store: CopyStore;
  #open: OpenCopy | null = null;
  #syncing: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: DeviceLink, store: CopyStore, pending: PendingReader, staleReads: StaleReads) {
    this.#link = link;
    this.#store = store;
    const { now } = link.surroundings;
    const reader = new CopyReader(
      (run) => this.#inTurn(async () => await run(await this.#opened())),
      store,
      now,
      staleReads,
    );
    this.certificates = new Certificates(reader, pending, now);
    this.messages = new Messages(reader);
  }

  /**
   * Brings the copy to the newest head. One sync runs at a time; the copy can be read meanwhile.
   *
   * @throws `withheld`, `tampered` when what the edge shows does not lead to the tables that the manager signed: the copy stays as it
   * was; what `DeviceLink.refresh` throws
   */
  async sync(options: CallOptions = {}): Promise<CopySync> {
    const next = this.#syncing.then(() => this.#sync(options));
    this.#syncing = next.catch(() => undefined);
    return await next;
  }

  /** Of which state the copy is. @throws `not_found` when there is none */
  async asOf(): Promise<AsOf> {
    return asOf(await this.view(), this.#link.surroundings.now());
  }

  /** The view of the copy. @throws `not_found` when there is none */
  async view(): Promise<View> {
    return await this.#inTurn(async () => (await this.#opened()).view);
  }

  async #sync(options: CallOptions): Promise<CopySync> {
    let isLeft = false;
    for (let starts = 0; starts < LIMITS.maxRefreshes; starts++) {
      const base = await this.#inTurn(() => this.#openOrNull());
      const view = await this.#link.refresh(options);
      if (base !== null && equalBytes(base.view.head.hash, view.head.hash)) {
        return this.#report(view, false, { put: [], remove: [] });
      }
      const since = base === null || isLeft || !isSameEpoch(base.view, view) ? null : base;
      try {
        const fetched = since === null
          ? await fetchWhole(this.#link, view, options)
          : await fetchChanges(this.#link, since.view, view, options);
        await this.#inTurn(() => this.#take(view, since, fetched));
        return this.#report(view, since === null, fetched);
      } catch (error) {
        if (!isPosternError(error, "epoch_gone")) throw error;
        isLeft = true;
      }
    }
    throw new PosternError("withheld", "The state changes faster than the edge lets it be read");
  }

  /** Verifies what was fetched, keeps it, and reads it from then on. */
  async #take(view: View, base: OpenCopy | null, fetched: Fetched): Promise<void> {
    const tables = base?.tables ?? emptyTables();
    changeTables(tables, fetched, view.head.head);
    const state = { statement: view.statement.signed, head: encodeCbor([view.head.bytes, view.head.signature]) };
    // Should the store fail, it holds the copy before, and so does what is read from it anew.
    this.#open = null;
    await this.#store.apply({ state, isWhole: base === null, ...fetched });
    this.#open = { view, tables };
  }

  #report(view: View, isWhole: boolean, { put, remove }: Fetched): CopySync {
    return { asOf: asOf(view, this.#link.surroundings.now()), isWhole, put: put.length, removed: remove.length };
  }

  async #opened(): Promise<OpenCopy> {
    const copy = await this.#openOrNull();
    if (copy === null) throw new PosternError("not_found", "There is no local copy yet, or none of this incarnation");
    return copy;
  }

  /** The copy in the store, checked as if the edge had shown it; null when there is none, or one that is of no use. */
  async #openOrNull(): Promise<OpenCopy | null> {
    if (this.#open !== null) return this.#open;
    const state = await this.#store.state();
    if (state === null) return null;
    const tables = emptyTables();
    const devices: Bytes[] = [];
    for await (const { table, key, bytes } of this.#store.rows()) {
      if (!isCopied(table)) return null;
      tables[table].put({ key, rowHash: rowHash(bytes) });
      if (table === "devices") devices.push(bytes);
    }
    try {
      const view = await this.#link.verifier.reopen(state, devices);
      if (view === null) return null;
      for (const name of COPIED) tables[name].requireState(view.head.head.tables[name]);
      return this.#open = { view, tables };
    } catch (error) {
      if (!isPosternError(error)) throw error;
      return null;
    }
  }

  /** One after the other: nothing is read while a change is written. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

function isSameEpoch(one: View, other: View): boolean {
  return one.keys.epoch === other.keys.epoch && equalBytes(one.keys.incarnation, other.keys.incarnation);
}

function isCopied(table: string): table is CopiedName {
  return COPIED.some((name) => name === table);
}
