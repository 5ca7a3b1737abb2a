/**
 * What the edge's store must behave like, as simply as it can be said: whole states in memory, copied at every
 * commit.
 */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { PushBody } from "../../../edge/store/push/state.ts";

/** A place of a row in few tables, tokens and numbers, so that pushes meet. */
export interface Place {
  readonly table: 2 | 3;
  readonly token: number;
  readonly number: number;
}

export interface Content {
  readonly add: readonly { readonly place: Place; readonly row: Bytes }[];
  readonly remove: readonly Place[];
}

export type Rows = ReadonlyMap<string, { readonly place: Place; readonly row: Bytes }>;

interface State {
  readonly generation: number;
  readonly epoch: number;
  readonly rows: Rows;
  until: number;
}

interface OpenPush {
  readonly body: PushBody;
  readonly chunks: Map<number, Content>;
  touched: number;
}

/** What an operation leads to: an error, or nothing to say. */
export type Outcome = ErrorCode | "ok";

export const keyOf = ({ table, token, number }: Place): string => `${table}/${token}/${number}`;

/** Rows of a table in key order. */
export function inOrder(rows: Rows, table: number): { place: Place; row: Bytes }[] {
  return [...rows.values()].filter(({ place }) => place.table === table)
    .sort((a, b) => a.place.token - b.place.token || a.place.number - b.place.number);
}

/** One owner on the edge. */
export class OwnerModel {
  generation = 0;
  epoch = 0;
  rows: Rows = new Map();
  states: State[] = [];
  push: OpenPush | null = null;
  deleteNumber = 0;
  /** The push that was last given up or committed, and when. */
  past: { readonly body: PushBody; readonly at: number } | null = null;

  begin(body: PushBody, now: number): Outcome {
    if (this.past !== null && toHex(this.past.body.id) === toHex(body.id)) return "conflict";
    if (this.push !== null && toHex(this.push.body.id) === toHex(body.id)) {
      if (!this.isOpen(now) || !isSame(this.push.body, body)) return "conflict";
      this.push.touched = now;
      return "ok";
    }
    const continues = body.full ? body.epoch > this.epoch : this.generation > 0 && body.epoch === this.epoch;
    if (body.base !== this.generation || !continues) return "conflict";
    this.#giveUp(now);
    this.push = { body, chunks: new Map(), touched: now };
    return "ok";
  }

  chunk(id: Bytes, n: number, content: Content, now: number): Outcome {
    const push = this.#named(id);
    if (push === null) return this.#isPast(id) ? "conflict" : "not_found";
    if (!this.isOpen(now)) return "conflict";
    if (n >= push.body.chunks) return "malformed";
    const held = push.chunks.get(n);
    if (held !== undefined) return isSameContent(held, content) ? "ok" : "conflict";
    const added = [...push.chunks.values(), content].flatMap(({ add }) => add.map(({ place }) => keyOf(place)));
    if (new Set(added).size !== added.length) return "conflict";
    push.chunks.set(n, content);
    push.touched = now;
    return "ok";
  }

  /** The rows that the open push leads to, or null if it contradicts itself or the present state. */
  result(): Map<string, { place: Place; row: Bytes }> | null {
    if (this.push === null) return null;
    const rows = new Map(this.push.body.full ? [] : this.rows);
    const contents = [...this.push.chunks.values()];
    for (const place of contents.flatMap(({ remove }) => remove)) if (!rows.delete(keyOf(place))) return null;
    for (const entry of contents.flatMap(({ add }) => add)) {
      if (rows.has(keyOf(entry.place))) return null;
      rows.set(keyOf(entry.place), entry);
    }
    return rows;
  }

  /** How many rows of a table there would be if what the push adds and removes were as it says. */
  claimed(table: number): number {
    const { push } = this;
    const before = push?.body.full ? 0 : inOrder(this.rows, table).length;
    const contents = [...push?.chunks.values() ?? []];
    const added = contents.flatMap(({ add }) => add).filter(({ place }) => place.table === table).length;
    return before + added - contents.flatMap(({ remove }) => remove).filter((place) => place.table === table).length;
  }

  commit(id: Bytes, generation: number, count: (table: number) => number, now: number): Outcome {
    const push = this.#named(id);
    if (push === null) return this.#isPast(id) ? "conflict" : "not_found";
    const rows = this.result();
    const complete = push.chunks.size === push.body.chunks;
    if (!this.isOpen(now) || !complete || rows === null) return "conflict";
    if ([2, 3].some((table) => inOrder(rows, table).length !== count(table))) return "conflict";
    for (const state of this.states) if (state.until === Infinity) state.until = now + LIMITS.readGraceMillis;
    this.generation = generation;
    this.epoch = push.body.epoch;
    this.rows = rows;
    this.states.push({ generation, epoch: this.epoch, rows, until: Infinity });
    this.past = { body: push.body, at: now };
    this.push = null;
    return "ok";
  }

  abort(id: Bytes, now: number): Outcome {
    if (this.#named(id) === null) return this.#isPast(id) ? "ok" : "not_found";
    this.#giveUp(now);
    return "ok";
  }

  deleteTables(number: number, now: number): Outcome {
    // Repeated: the push that may have begun since stays.
    if (number === this.deleteNumber && this.generation === 0) return "ok";
    if (number <= this.deleteNumber) return "conflict";
    this.deleteNumber = number;
    this.#giveUp(now);
    this.generation = 0;
    this.epoch = 0;
    this.rows = new Map();
    this.states = [];
    return "ok";
  }

  isOpen(now: number): boolean {
    return this.push !== null && this.push.touched > now - LIMITS.pushIdleMillis;
  }

  /** The newest state of an epoch, while it is served. */
  ofEpoch(epoch: number, now: number): State | undefined {
    return this.states.findLast((state) => state.epoch === epoch && state.until > now);
  }

  /** The state of a generation, while it is served. */
  at(generation: number, epoch: number, now: number): State | undefined {
    return this.states.find((state) => state.generation === generation && state.epoch === epoch && state.until > now);
  }

  #named(id: Bytes): OpenPush | null {
    return this.push !== null && toHex(this.push.body.id) === toHex(id) ? this.push : null;
  }

  #isPast(id: Bytes): boolean {
    return this.past !== null && toHex(this.past.body.id) === toHex(id);
  }

  #giveUp(now: number): void {
    if (this.push !== null) this.past = { body: this.push.body, at: now };
    this.push = null;
  }
}

function isSame(a: PushBody, b: PushBody): boolean {
  return a.base === b.base && a.epoch === b.epoch && a.full === b.full && a.chunks === b.chunks;
}

/** What is the same byte for byte: rows are like no others, so that only those that are one are alike. */
function isSameContent(a: Content, b: Content): boolean {
  const things = ({ add, remove }: Content) => [...add.map(({ row }) => row), null, ...remove.map(keyOf)];
  const [one, other] = [things(a), things(b)];
  return one.length === other.length && one.every((thing, index) => thing === other[index]);
}
