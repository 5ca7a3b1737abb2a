/** Judges what an edge shows and remembers it durably before anybody relies on it (spec: SESS-08). */
import { type Bytes, EMPTY, equalBytes } from "../../bytes/bytes.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import type { EpochKeys } from "../../protocol/epoch_keys.ts";
import { decodeSignedHead } from "../../protocol/head.ts";
import type { NamedHead } from "../../protocol/head_code.ts";
import { decodeRow } from "../../protocol/row.ts";
import { type EdgeName, type VerifiedStatement, verifyStatement } from "../../protocol/statement.ts";
import type { DeviceKeys } from "../identity/device_keys.ts";
import type { CopyState } from "../memory/copy_store.ts";
import {
  openRecord,
  readHead,
  rememberHead,
  rememberStatement,
  requireNamed,
  seenHead,
  type ShownHead,
} from "./judge.ts";
import { type DeviceMemory, StateKeeper } from "../memory/memory.ts";
import { dropSettled } from "../memory/outbox_store.ts";
import type { DeviceProfile } from "../identity/profile.ts";
import { VerifiedHeads } from "./verified_heads.ts";
import { type View, viewOf, withHead } from "./view.ts";

/** A new incarnation that the user has not confirmed: the manager says that it was restored from a backup (spec: STMT-03). */
export interface Restore {
  readonly incarnation: Bytes;
  /** Number and time (Millis) of the owner statement that says so. */
  readonly statement: number;
  readonly time: number;
  /** How many generations that this device has seen are lost by it. */
  readonly lostGenerations: number;
}

/** What an edge shows of the present state, at login or with the device's record; nothing of it is judged. */
export interface Shown {
  readonly statement: Bytes | null;
  readonly head: Bytes | null;
  readonly record: Bytes | null;
  readonly history: ShownHead["history"];
}

export class Verifier {
  readonly profile: DeviceProfile;
  readonly keys: DeviceKeys;
  readonly memory: DeviceMemory;
  readonly state: StateKeeper;
  readonly #now: () => number;
  readonly #verified = new VerifiedHeads();
  #statement: VerifiedStatement | null = null;
  #restore: Restore | null = null;

  /** @param now the device's clock, Millis */
  constructor(profile: DeviceProfile, keys: DeviceKeys, memory: DeviceMemory, now: () => number) {
    this.profile = profile;
    this.keys = keys;
    this.memory = memory;
    this.#now = now;
    this.state = new StateKeeper(memory);
  }

  /** The restore that waits for the user, if one was shown since the start. */
  get restore(): Restore | null {
    return this.#restore;
  }

  /** The edge to talk to: that of pairing, unless the newest statement goes before it (spec: STMT-04). */
  async edge(): Promise<EdgeName> {
    const statement = await this.#remembered((await this.state.read()).statement);
    const { edge } = this.profile;
    return statement?.edges.find(({ origin }) => origin === edge.origin) ?? statement?.edges[0] ?? edge;
  }

  /** Generation of the newest head that was verified in this incarnation, for the edge to show how its head builds on it (spec: READ-07). */
  async seen(): Promise<number | undefined> {
    return seenHead(await this.state.read())?.generation;
  }

  /** The newest head that was verified, under its name; null before there is one, and between a restore and its first head. */
  async newest(): Promise<NamedHead | null> {
    const { head, times, statement } = await this.state.read();
    const verified = await this.#remembered(statement);
    if (head === null || verified === null || (times === null && head.epoch === 0)) return null;
    const { owner, incarnation } = verified;
    return { owner, incarnation, generation: head.generation, hash: head.hash };
  }

  /** Which heads were verified since the start, and when the last one was. */
  get verified(): VerifiedHeads {
    return this.#verified;
  }

  /** Confirms that the manager was restored, once and for all (spec: STMT-03). */
  async confirm(incarnation: Bytes): Promise<void> {
    await this.state.update((state) => {
      return Promise.resolve({ state: { ...state, confirmed: incarnation.slice() }, result: undefined });
    });
    if (this.#restore !== null && equalBytes(this.#restore.incarnation, incarnation)) this.#restore = null;
  }

  /** Verifies, judges and remembers a signed statement (spec: STMT-01, STMT-02, STMT-03). */
  async statement(signed: Bytes): Promise<VerifiedStatement> {
    return await this.state.update(async (state) => {
      const before = await this.#remembered(state.statement);
      const isSame = before !== null && equalBytes(before.signed, signed);
      const statement = isSame ? before : await verifyStatement(signed, this.profile.owner);
      try {
        const judged = rememberStatement(state, statement, before);
        this.#statement = statement;
        return { state: judged.state, result: statement };
      } catch (error) {
        if (isPosternError(error, "restored")) this.#restore = restoreOf(statement, state.head?.generation ?? 0);
        throw error;
      }
    });
  }

  /** Everything that makes a login, in the order of SESS-08: statement, head, record. */
  async enter(shown: Shown, edge: EdgeName): Promise<View> {
    if (shown.statement === null || shown.head === null || shown.record === null) {
      throw new PosternError("withheld", "The edge admits this device, but shows no statement, head or record of it");
    }
    const statement = await this.statement(shown.statement);
    requireNamed(statement, edge);
    const head = await this.#head({ head: shown.head, history: shown.history }, statement, edge);
    return await viewOf({ edge, statement, head, keys: await this.#openEpoch(shown.record, head) });
  }

  /**
   * The view with a newer head, or null when the head is of another epoch or statement, so that the record has to be fetched. Nothing
   * of such a head is judged.
   */
  async advance(view: View, shown: ShownHead): Promise<View | null> {
    const { head } = decodeSignedHead(shown.head);
    if (head.epoch !== view.keys.epoch || head.statement.number !== view.statement.number) return null;
    return await withHead(view, await this.#head(shown, view.statement, view.edge));
  }

  /**
   * The view of a local copy, judged as if an edge had shown it; null for one that this device's memory knows nothing of, and for one
   * of an incarnation that has passed.
   *
   * @param devices all rows of the table of devices
   */
  async reopen(copy: CopyState, devices: readonly Bytes[]): Promise<View | null> {
    const state = await this.state.read();
    const statement = await verifyStatement(copy.statement, this.profile.owner);
    const [edge] = statement.edges;
    if (edge === undefined || !await this.isPresent({ statement })) return null;
    const head = await readHead(copy.head, statement, edge);
    const isSeen = state.head !== null && (head.head.generation < state.head.generation ||
      equalBytes(head.hash, state.head.hash));
    const record = devices.find((bytes) => equalBytes(decodeRow(bytes).extra?.device ?? EMPTY, this.profile.device));
    if (!isSeen || record === undefined) return null;
    return await viewOf({ edge, statement, head, keys: await this.#openEpoch(record, head) });
  }

  /** Whether a view is of the incarnation that the newest statement names (spec: COPY-05). */
  async isPresent({ statement }: Pick<View, "statement">): Promise<boolean> {
    const newest = await this.#remembered((await this.state.read()).statement);
    return newest !== null && equalBytes(newest.incarnation, statement.incarnation);
  }

  async #head(shown: ShownHead, statement: VerifiedStatement, edge: EdgeName) {
    return await this.state.update(async (state) => {
      const where = { edge, device: this.profile.device, now: this.#now() };
      const judged = await rememberHead(state, shown, statement, where);
      this.#verified.add(judged.result, where.now);
      await dropSettled(this.memory, state.streams, judged.state.streams);
      return judged;
    });
  }

  #openEpoch(record: Bytes, head: View["head"]): Promise<EpochKeys> {
    return openRecord(record, head, this.profile, this.keys);
  }

  /** The remembered statement, verified once in each run. */
  async #remembered(signed: Bytes | null): Promise<VerifiedStatement | null> {
    if (signed === null) return null;
    if (this.#statement !== null && equalBytes(this.#statement.signed, signed)) return this.#statement;
    return this.#statement = await verifyStatement(signed, this.profile.owner);
  }
}

function restoreOf({ incarnation, number, time, base }: VerifiedStatement, seen: number): Restore {
  return { incarnation, statement: number, time, lostGenerations: Math.max(0, seen - (base?.generation ?? 0)) };
}
