/**
 * A device's connection: logged in, in the present epoch, with the newest head judged; and back there by itself when a session ends or
 * the epoch turns while something is asked. How often, is bounded: an edge can always say that there is something newer.
 */
import type * as v from "valibot";
import { equalBytes } from "../bytes/bytes.ts";
import { type ErrorCode, isPosternError, PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { decodeSignedHead } from "../protocol/head.ts";
import type { EdgeName } from "../protocol/statement.ts";
import type { EdgeCall, EdgeSession } from "./session/edge_session.ts";
import { fetchStatement } from "./session/fetch_statement.ts";
import type { CallOptions } from "./session/http.ts";
import { openSession } from "./session/open_session.ts";
import { headCall, logoutCall, recordCall } from "./session/calls.ts";
import type { ShownHead } from "./verify/judge.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Verifier } from "./verify/verifier.ts";
import type { View } from "./verify/view.ts";

/** What every answer to a read says of the present. */
interface Current {
  readonly generation: number;
  readonly epoch: number;
}

/** An open session and the view that belongs to it. */
interface Entered {
  readonly session: EdgeSession;
  readonly view: View;
}

/** How a session ends: the edge no longer knows it, or the owner's newest statement no longer names the edge (spec: STMT-04). */
const ENDED: readonly ErrorCode[] = ["unauthorized", "untrusted"];

/** What leaves nothing to go on with: besides, a restore that the user has not confirmed, until which nothing is read or handed in (spec: STMT-03). */
const LEAVING: readonly ErrorCode[] = [...ENDED, "restored"];

/** How a login fails when the owner's edge has another key now, or is another one. */
const MOVED: readonly ErrorCode[] = ["unauthorized", "tampered", "untrusted"];

/** What a statement says about its owner's manager, whichever edge shows it: more telling than the failed login before it. */
const TELLING: readonly ErrorCode[] = ["rolled_back", "forked", "restored"];

export class DeviceLink {
  readonly verifier: Verifier;
  readonly surroundings: Surroundings;
  #entered: Entered | null = null;
  #opening: Promise<Entered> | null = null;
  #renewing: Promise<void> | null = null;
  /** Asks about heads one after the other: what the edge shows builds on the head remembered when it was asked (spec: READ-07). */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(verifier: Verifier, surroundings: Surroundings) {
    this.verifier = verifier;
    this.surroundings = surroundings;
  }

  /** The view of the open session; logs in if there is none. */
  async view(options: CallOptions = {}): Promise<View> {
    return (await this.#enter(options)).view;
  }

  /**
   * Asks within the session, and once more after a new login if the session is over.
   *
   * @param make the request under a view
   */
  async ask<S extends v.GenericSchema>(
    make: (view: View) => EdgeCall<S>,
    options: CallOptions = {},
  ): Promise<{ answer: v.InferOutput<S>; view: View }> {
    return await this.#withSession(options, async ({ session, view }) => {
      return { answer: await session.request(make(view), options), view };
    });
  }

  /**
   * Asks for something of the owner's present state. When epoch or generation went on, the new ones are judged first; if the epoch is
   * another, or the generation answered was left meanwhile, the request is made anew (spec: READ-04, READ-05, READ-09).
   *
   * @param make the request under a view
   * @returns the answer, and the view of its generation
   * @throws `rolled_back` for an answer from before what this device had seen; `withheld` when the edge names something newer again and
   * again and does not show it
   */
  async read<S extends v.GenericSchema<unknown, Current>>(
    make: (view: View) => EdgeCall<S>,
    options: CallOptions = {},
  ): Promise<{ answer: v.InferOutput<S>; view: View }> {
    return await this.#read(make, options, (answer, newest) => answer.generation === newest.head.head.generation);
  }

  /**
   * Like {@link read}, for what the request itself names the generation of: the one answered may be left meanwhile.
   *
   * @param make the request under a view; `isGone` says that the edge no longer keeps what was asked for last
   */
  async readAt<S extends v.GenericSchema<unknown, Current>>(
    make: (view: View, isGone: boolean) => EdgeCall<S>,
    options: CallOptions = {},
  ): Promise<{ answer: v.InferOutput<S>; view: View }> {
    return await this.#read(make, options, () => true);
  }

  async #read<S extends v.GenericSchema<unknown, Current>>(
    make: (view: View, isGone: boolean) => EdgeCall<S>,
    options: CallOptions,
    isOfUse: (answer: Current, newest: View) => boolean,
  ): Promise<{ answer: v.InferOutput<S>; view: View }> {
    let isGone = false;
    for (let round = 0; round <= LIMITS.maxRefreshes; round++) {
      const done = await this.#withSession(options, async ({ session, view }) => {
        const answer = await orGone(session.request(make(view, isGone), options));
        isGone = answer === null;
        const isOfEpoch = answer !== null && isOf(answer, view);
        if (isOfEpoch && answer.generation === view.head.head.generation) return { answer, view };
        const newest = await this.#renew(view, answer, options);
        const isUsable = isOfEpoch && newest.keys.epoch === view.keys.epoch && isOfUse(answer, newest);
        return isUsable ? { answer, view: newest } : null;
      });
      if (done !== null) return done;
    }
    throw new PosternError("withheld", "The edge keeps naming a newer state than the one it shows");
  }

  /** Fetches and judges the newest head, and the record with it if the epoch is another. */
  async refresh(options: CallOptions = {}): Promise<View> {
    return await this.#withSession(options, ({ view }) => this.#renew(view, null, options));
  }

  /** The newest view, asked for at this moment: by logging in where there is no session, else as {@link refresh}. */
  async present(options: CallOptions = {}): Promise<View> {
    const isOpen = this.#entered !== null && !this.#entered.session.isOver;
    return isOpen ? await this.refresh(options) : await this.view(options);
  }

  /**
   * How the newest head builds on that of an earlier generation, as the edge shows it: unverified (spec: READ-07).
   *
   * @returns the path, and the view of the head that it is in
   * @throws `withheld` when the edge names something newer again and again
   */
  async historyOf(
    generation: number,
    options: CallOptions = {},
  ): Promise<{ readonly view: View; readonly history: ShownHead["history"] }> {
    const { owner } = this.verifier.profile;
    for (let round = 0; round <= LIMITS.maxRefreshes; round++) {
      const view = await this.refresh(options);
      const { answer: { head, history } } = await this.ask(() => headCall(owner, generation), options);
      if (head !== null && equalBytes(decodeSignedHead(head).hash, view.head.hash)) return { view, history };
    }
    throw new PosternError("withheld", "The edge keeps showing another head than the newest");
  }

  /** Ends the session on both sides; this side also when the other cannot be reached. */
  async logout(options: CallOptions = {}): Promise<void> {
    const entered = this.#entered;
    this.#entered = null;
    if (entered === null || entered.session.isOver) return;
    await entered.session.request(logoutCall(this.verifier.profile.owner), options);
  }

  async #withSession<T>(options: CallOptions, run: (entered: Entered) => Promise<T>): Promise<T> {
    const entered = await this.#enter(options);
    try {
      return await run(entered);
    } catch (error) {
      if (!isPosternError(error) || !LEAVING.includes(error.code)) throw error;
      if (this.#entered?.session === entered.session) this.#entered = null;
      if (!ENDED.includes(error.code)) throw error;
      return await run(await this.#enter(options));
    }
  }

  async #enter(options: CallOptions): Promise<Entered> {
    if (this.#entered !== null && !this.#entered.session.isOver) return this.#entered;
    // Shared by all who wait for it, and so not ended by one of them.
    this.#opening ??= this.#open().then((entered) => this.#entered = entered).finally(() => this.#opening = null);
    return await orAborted(this.#opening, options);
  }

  async #open(): Promise<Entered> {
    const edge = await this.verifier.edge();
    try {
      return await this.#login(edge);
    } catch (error) {
      if (!isPosternError(error) || !MOVED.includes(error.code)) throw error;
      const moved = await this.#edgeNow(edge);
      if (moved === null) throw error;
      return await this.#login(moved);
    }
  }

  async #login(edge: EdgeName): Promise<Entered> {
    const { owner, device } = this.verifier.profile;
    return await this.#alone(async () => {
      const seen = await this.verifier.seen();
      const identity = { owner, edge, device, statement: null, seen, sign: this.verifier.keys.sign };
      const { session, answer } = await openSession(identity, this.surroundings);
      return { session, view: requireCurrent(await this.verifier.enter(answer, edge), answer) };
    });
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#asking.then(run, run);
    this.#asking = result;
    return result;
  }

  /** The edge that the owner's newest statement leads to, null if it is the same one still. */
  async #edgeNow(edge: EdgeName): Promise<EdgeName | null> {
    try {
      const signed = await fetchStatement(this.verifier.profile.owner, edge.origin, this.surroundings);
      if (signed !== null) await this.verifier.statement(signed);
    } catch (error) {
      if (!isPosternError(error) || TELLING.includes(error.code)) throw error;
    }
    const now = await this.verifier.edge();
    return now.origin === edge.origin && equalBytes(now.key, edge.key) ? null : now;
  }

  /**
   * The newest view. Concurrent callers share one renewal, but a caller who was told of something newer while it ran starts another.
   *
   * @param atLeast what the edge said there is; null for whatever there is
   * @throws `withheld` when the edge does not show what it said
   */
  async #renew(view: View, atLeast: Current | null, options: CallOptions): Promise<View> {
    for (let isOwn = false;;) {
      const { session, view: present } = await this.#enter(options);
      const isReached = atLeast === null
        ? isOwn || present !== view
        : present.head.head.generation >= atLeast.generation;
      if (isReached) return present;
      if (isOwn && atLeast !== null) {
        throw new PosternError(
          "withheld",
          `The edge names generation ${atLeast.generation}, but does not show its head`,
        );
      }
      isOwn = this.#renewing === null;
      const isSameEpoch = atLeast === null || atLeast.epoch === present.keys.epoch;
      this.#renewing ??= this.#alone(() => this.#fetchView(session, present, isSameEpoch)).then((newest) => {
        if (this.#entered?.session === session) this.#entered = { session, view: newest };
      }).finally(() => this.#renewing = null);
      await orAborted(this.#renewing, options);
    }
  }

  /** The head is enough while epoch and statement stay the same; otherwise the record is fetched, which brings all three. */
  async #fetchView(session: EdgeSession, view: View, isSameEpoch: boolean): Promise<View> {
    const { owner } = this.verifier.profile;
    const seen = await this.verifier.seen();
    if (isSameEpoch) {
      const { head, history, ...answer } = await session.request(headCall(owner, seen));
      if (head === null) throw new PosternError("withheld", "The edge shows no head any more");
      const advanced = await this.verifier.advance(view, { head, history });
      if (advanced !== null) return requireCurrent(advanced, answer);
    }
    const answer = await session.request(recordCall(owner, seen));
    return requireCurrent(await this.verifier.enter(answer, view.edge), answer);
  }
}

/** @throws `tampered` unless the answer names the generation and epoch of the head in it (spec: READ-03) */
function requireCurrent(view: View, { generation, epoch }: { generation: number | null; epoch: number | null }): View {
  const { head } = view.head;
  if (head.generation === generation && head.epoch === epoch) return view;
  throw new PosternError("tampered", "The edge names another generation or epoch than its head is of");
}

/** True when an answer is of the view's epoch. @throws `rolled_back` when it is from before the view (spec: READ-05) */
function isOf({ generation, epoch }: Current, view: View): boolean {
  const { head } = view.head;
  if (generation < head.generation || epoch < head.epoch) {
    throw new PosternError(
      "rolled_back",
      `The edge answers from generation ${generation} of epoch ${epoch}, but ${head.generation} of ${head.epoch} was seen`,
    );
  }
  return epoch === head.epoch;
}

async function orGone<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isPosternError(error, "epoch_gone")) return null;
    if (!isPosternError(error, "conflict")) throw error;
    // Only generations are named that the edge has shown the head of.
    throw new PosternError("rolled_back", "The edge no longer knows a generation that it has shown", { cause: error });
  }
}

/** Lets a caller go when its signal says so, while what it waited for goes on. */
async function orAborted<T>(shared: Promise<T>, { signal }: CallOptions): Promise<T> {
  if (signal === undefined) return await shared;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => abort = () => reject(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([shared, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
