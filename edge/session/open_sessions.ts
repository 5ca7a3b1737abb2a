/** The sessions that this isolate has opened: their keys, so that a request needs no decryption, and the numbers they used. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Stamp } from "../../shared/protocol/http_signature.ts";
import { Recent } from "../recent.ts";
import type { EdgeIdentity } from "./identity.ts";
import { openToken, type Session } from "./token.ts";
import { NumberWindow } from "./window.ts";

/** A session with what this isolate knows of its requests. */
export class OpenSession {
  readonly session: Session;
  readonly token: string;
  /** The owner as it stands in paths. */
  readonly ownerHex: string;
  /** The device, zeros for the manager. */
  readonly holder: string;
  readonly #window = new NumberWindow();
  /** Requests that were made up to this second may have been seen and forgotten. */
  readonly #floor: number;
  #newest = 0;

  constructor(session: Session, token: string, floor: number) {
    this.session = session;
    this.token = token;
    this.ownerHex = toHex(session.principal.owner);
    this.holder = toHex(session.principal.device);
    this.#floor = floor;
  }

  /** The latest `created` among its requests, seconds. */
  get newest(): number {
    return this.#newest;
  }

  /** Takes the number of a verified request; false when it was, or may have been, used before (spec: SESS-11). */
  take({ created, number }: Stamp): boolean {
    if (created <= this.#floor || !this.#window.take(number)) return false;
    this.#newest = Math.max(this.#newest, created);
    return true;
  }
}

/** The sessions of one device, or of an owner's manager. */
interface Holder {
  readonly sessions: Recent<OpenSession>;
  floor: number;
}

/** What is remembered of one owner. */
interface OwnerSessions {
  readonly holders: Recent<Holder>;
  floor: number;
}

/** How many devices of an owner are remembered, and how many sessions of each. */
export interface SessionCapacity {
  readonly holders: number;
  readonly sessions: number;
}

const CAPACITY: SessionCapacity = { holders: LIMITS.openSessionHolders, sessions: LIMITS.openSessionsPerHolder };

/**
 * Bounded for each owner, and within it for each device: when there are too many, those that were used least lately are forgotten
 * together with their windows. What they may have seen is then refused by its time instead: nothing made up to their latest request is
 * taken by a session that is opened afterwards. `created` may be ahead of the clock, so whoever opens sessions without end shuts himself
 * out for a while, but no other device and no other owner. Only admitted owners have tokens, so that their number is that of the
 * configuration.
 */
export class OpenSessions {
  readonly #identity: Pick<EdgeIdentity, "tokenKeys" | "admits">;
  readonly #capacity: SessionCapacity;
  readonly #owners = new Map<string, OwnerSessions>();
  /** All of them, by their tokens. */
  readonly #open = new Map<string, OpenSession>();

  constructor(identity: Pick<EdgeIdentity, "tokenKeys" | "admits">, capacity: SessionCapacity = CAPACITY) {
    this.#identity = identity;
    this.#capacity = capacity;
  }

  /** The session of a token if this isolate has it open. */
  known(token: string): OpenSession | undefined {
    const session = this.#open.get(token);
    // Looking it up in its place marks it as used.
    return session && this.#owners.get(session.ownerHex)?.holders.get(session.holder)?.sessions.get(token);
  }

  /** Opens a token; null if the edge did not seal it, or its owner is in the configuration no longer (spec: SESS-16). */
  async open(token: string): Promise<OpenSession | null> {
    const session = await openToken(this.#identity.tokenKeys, token);
    if (session === null || !this.#identity.admits(session.principal.owner)) return null;
    // Another request may have opened it meanwhile: both must share one window.
    const known = this.known(token);
    if (known !== undefined) return known;
    const owner = this.#ownerOf(toHex(session.principal.owner));
    const name = toHex(session.principal.device);
    const holder = owner.holders.get(name) ?? this.#admit(owner, name);
    const opened = new OpenSession(session, token, Math.max(owner.floor, holder.floor));
    holder.sessions.set(token, opened);
    this.#open.set(token, opened);
    return opened;
  }

  #ownerOf(name: string): OwnerSessions {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const holders = new Recent<Holder>(this.#capacity.holders, (lost) => {
      for (const { sessions, floor } of lost) {
        owner.floor = Math.max(owner.floor, floor, this.#forget(sessions.values()));
      }
    });
    const owner: OwnerSessions = { holders, floor: 0 };
    this.#owners.set(name, owner);
    return owner;
  }

  #admit(owner: OwnerSessions, name: string): Holder {
    const sessions = new Recent<OpenSession>(this.#capacity.sessions, (lost) => {
      holder.floor = Math.max(holder.floor, this.#forget(lost));
    });
    const holder: Holder = { sessions, floor: 0 };
    owner.holders.set(name, holder);
    return holder;
  }

  /** The latest `created` among the requests of the sessions. */
  #forget(lost: Iterable<OpenSession>): number {
    let newest = 0;
    for (const session of lost) {
      this.#open.delete(session.token);
      newest = Math.max(newest, session.newest);
    }
    return newest;
  }
}
