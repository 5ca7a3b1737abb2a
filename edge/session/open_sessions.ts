/** The sessions that this isolate has opened: their keys, so that a request needs no decryption, and the numbers they used. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Stamp } from "../../shared/protocol/http_signature.ts";
import { Recent } from "../recent.ts";
import { openToken, type Session } from "./token.ts";
import { NumberWindow } from "./window.ts";

/** A session with what this isolate knows of its requests. */
export class OpenSession {
  readonly session: Session;
  /** The owner as it stands in paths. */
  readonly ownerHex: string;
  readonly #window = new NumberWindow();
  /** Requests that were made up to this second may have been seen and forgotten. */
  readonly #floor: number;
  #newest = 0;

  constructor(session: Session, floor: number) {
    this.session = session;
    this.ownerHex = toHex(session.principal.owner);
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

/**
 * Bounded: when it is full, the sessions that were used least lately are forgotten together with their windows. What they may have
 * seen is then refused by its time instead: nothing made up to their latest request is taken by a session that is opened afterwards.
 */
export class OpenSessions {
  readonly #keys: readonly CryptoKey[];
  readonly #sessions: Recent<OpenSession>;
  #floor = 0;

  constructor(keys: readonly CryptoKey[], entries: number = LIMITS.openSessions) {
    this.#keys = keys;
    this.#sessions = new Recent(entries, (lost) => {
      for (const { newest } of lost) this.#floor = Math.max(this.#floor, newest);
    });
  }

  /** The session of a token if this isolate has it open. */
  known(token: string): OpenSession | undefined {
    return this.#sessions.get(token);
  }

  /** Opens a token; null if the edge did not seal it. */
  async open(token: string): Promise<OpenSession | null> {
    const session = await openToken(this.#keys, token);
    if (session === null) return null;
    // Another request may have opened it meanwhile: both must share one window.
    const known = this.#sessions.get(token);
    if (known !== undefined) return known;
    const opened = new OpenSession(session, this.#floor);
    this.#sessions.set(token, opened);
    return opened;
  }
}
