/**
 * A local copy of everything that the owner has at the edge: synced by what changed, verified against the signed roots, and read
 * without the edge. Its rows lie sealed; who has the device's keys opens them.
 */
import { isPosternError, PosternError } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { LIMITS } from "../../limits.ts";
import { KEY_BYTES } from "../../merkle/tree_hash.ts";
import { rowHash } from "../../protocol/row.ts";
import { Certificates } from "../read/certificates.ts";
import { COPIED, type Copied, emptyTables, isCopied } from "./copied_tables.ts";
import { carryOver } from "./copy_carry.ts";
import { changeExact, changeProven, type OpenCopy, proven, type ProvenChange } from "./copy_change.ts";
import { fetchChanges, type Fetched, fetchWhole } from "./copy_fetch.ts";
import { canFollow, fetchNamed, type NamedRows, namedRows } from "./copy_lists.ts";
import { readNote } from "./copy_note.ts";
import { CopyReader } from "./copy_reader.ts";
import type { CopiedRow, CopyStore } from "../memory/copy_store.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import type { StaleReads } from "../read/lists.ts";
import { Messages } from "../read/messages.ts";
import type { PendingReader } from "../read/pending.ts";
import { type AsOf, asOf, type View } from "../verify/view.ts";

/** What a sync did. */
export interface CopySync {
  readonly asOf: AsOf;
  /** True when everything was fetched: the first time, after a long time, and in every new epoch of a small store. */
  readonly isWhole: boolean;
  /** Rows that were fetched, and that went. */
  readonly put: number;
  readonly removed: number;
  /** Rows of the epoch before that were not fetched again. */
  readonly carried: number;
}

type Done = Omit<CopySync, "asOf">;

const NOTHING: Done = { isWhole: false, put: 0, removed: 0, carried: 0 };

/** By asking for what changed, by following change lists, by fetching everything. */
type Way = "changes" | "lists" | "whole";

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
    const reader = new CopyReader((run) => this.#inTurn(() => this.#read(run)), store, now, staleReads);
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
    const given = new Set<Way>();
    for (let starts = 0; starts < LIMITS.maxRefreshes; starts++) {
      const base = await this.#inTurn(() => this.#openOrNull());
      const view = await this.#link.refresh(options);
      if (base !== null && equalBytes(base.view.head.hash, view.head.hash)) return this.#report(view, NOTHING);
      const way = wayFrom(base?.view ?? null, view, given);
      try {
        const done = base === null || way === "whole"
          ? await this.#fetchWhole(view, options)
          : way === "changes"
          ? await this.#follow(base, view, await fetchChanges(this.#link, base.view, view, options))
          : await this.#followLists(base, view, options);
        if (done !== null) return this.#report(view, done);
        given.add(way);
      } catch (error) {
        if (!isPosternError(error, "epoch_gone")) throw error;
        // Lists are those of the newest head: once more under the one that came meanwhile.
        if (way !== "lists" || starts > 0) given.add(way);
      }
    }
    throw new PosternError("withheld", "The state changes faster than the edge lets it be read");
  }

  async #fetchWhole(view: View, options: CallOptions): Promise<Done> {
    const fetched = await fetchWhole(this.#link, view, COPIED, options);
    await this.#inTurn(() => this.#keep(changeExact(emptyTables(), view, true, fetched)));
    return { isWhole: true, put: fetched.put.length, removed: 0, carried: 0 };
  }

  /** Null when what was fetched does not lead to the contents that the manager signed. */
  async #follow(base: OpenCopy, view: View, fetched: Fetched): Promise<Done | null> {
    return await this.#inTurn(async () => {
      if (base.proof !== null) this.#open = null;
      const proven = base.proof === null
        ? changeExact(base.tables, view, false, fetched)
        : await changeProven(this.#store, base, view, fetched);
      if (proven === null) return null;
      await this.#keep(proven);
      return { isWhole: false, put: fetched.put.length, removed: fetched.remove.length, carried: 0 };
    });
  }

  /** Null when the lists do not lead there, whatever the reason (spec: COPY-03). */
  async #followLists(base: OpenCopy, view: View, options: CallOptions): Promise<Done | null> {
    const named = await namedRows(this.#link, base.view, view, options);
    if (isSameEpoch(base.view, view)) {
      const fetched = await fetchNamed(this.#link, view, named.values(), options);
      return fetched === null ? null : await orNull(() => this.#follow(base, view, fetched));
    }
    const rows = [...named.values()].filter(({ name }) => name !== "devices");
    const fetched = await fetchNamed(this.#link, view, rows, options);
    if (fetched === null) return null;
    const devices = await fetchWhole(this.#link, view, ["devices"], options);
    return await orNull(() => this.#carry(base, view, named, [...devices.put, ...fetched.put]));
  }

  async #carry(base: OpenCopy, view: View, named: NamedRows, fetched: readonly Copied[]): Promise<Done | null> {
    const { random } = this.#link.surroundings;
    const rows = withoutDevices(this.#store.rows());
    const carried = await carryOver({ rows, base: base.view, view, named, fetched, random });
    if (carried === null) return null;
    const { tables, contents, put } = carried;
    await this.#inTurn(() => this.#keep(proven({ view, tables, contents }, { isWhole: true, put, remove: [] })));
    return { isWhole: false, put: fetched.length, removed: 0, carried: carried.carried };
  }

  /** Stores a change, and reads the copy after it from then on. */
  // spec: COPY-05
  async #keep({ change, copy }: ProvenChange): Promise<void> {
    // Should the store fail, it holds the copy before, and so does what is read from it anew.
    this.#open = null;
    await this.#store.apply(change);
    this.#open = copy;
  }

  #report(view: View, done: Done): CopySync {
    return { asOf: asOf(view, this.#link.surroundings.now()), ...done };
  }

  async #read<T>(run: (copy: OpenCopy) => Promise<T>): Promise<T> {
    try {
      return await run(await this.#opened());
    } catch (error) {
      // What lies in the store is not what was verified: it is judged once more, and fetched anew if it is of no use.
      if (isPosternError(error, "storage")) this.#open = null;
      throw error;
    }
  }

  async #opened(): Promise<OpenCopy> {
    const copy = await this.#openOrNull();
    if (copy === null) throw new PosternError("not_found", "There is no local copy yet, or none of this incarnation");
    return copy;
  }

  /** The copy in the store, checked as if the edge had shown it; null when there is none, or one that is of no use. */
  // spec: COPY-05
  async #openOrNull(): Promise<OpenCopy | null> {
    const { verifier } = this.#link;
    if (this.#open !== null) return await verifier.isPresent(this.#open.view) ? this.#open : null;
    const state = await this.#store.state();
    if (state === null) return null;
    const tables = emptyTables();
    const devices: Bytes[] = [];
    for await (const { table, key, bytes } of this.#store.rows()) {
      if (!isCopied(table) || key.length !== KEY_BYTES) return null;
      tables[table].put({ key, rowHash: rowHash(bytes) });
      if (table === "devices") devices.push(bytes);
    }
    try {
      const view = await verifier.reopen(state, devices);
      if (view === null) return null;
      const signed = view.head.head.tables;
      const noted = state.note === null ? signed : readNote(view, state.note);
      tables.devices.requireState(signed.devices);
      tables.certificates.requireState(noted.certificates);
      tables.messages.requireState(noted.messages);
      return this.#open = { view, tables, proof: state.note === null ? null : { contents: null } };
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

/** How to get from a copy to a newer head: the first of those that may lead there and were not given up. */
// spec: COPY-01
function wayFrom(base: View | null, view: View, given: ReadonlySet<Way>): Way {
  if (base === null || !equalBytes(base.keys.incarnation, view.keys.incarnation)) return "whole";
  if (isSameEpoch(base, view) && !given.has("changes")) return "changes";
  return canFollow(base, view) && !given.has("lists") ? "lists" : "whole";
}

function isSameEpoch(one: View, other: View): boolean {
  return one.keys.epoch === other.keys.epoch;
}

async function* withoutDevices(rows: AsyncIterable<CopiedRow>): AsyncGenerator<CopiedRow> {
  for await (const row of rows) if (row.table !== "devices") yield row;
}

/** Lists, and rows of an older copy, may be wrong without the edge having lied. */
async function orNull<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (!isPosternError(error, "tampered") && !isPosternError(error, "withheld")) throw error;
    return null;
  }
}
