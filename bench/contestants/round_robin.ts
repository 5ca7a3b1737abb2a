/** Who asks what: sessions in turn, rows in no order. */

/** One request of a series. */
export interface Turn<S> {
  readonly session: S;
  /** Counts the requests of the session, from 1. */
  readonly counter: number;
  /** What is asked for, from 0. */
  readonly row: number;
}

/** Step from row to row: prime, so that every row has its turn and no two neighbours follow each other. */
const STEP = 7_919;

/**
 * Deals requests out to many sessions, so that two of one session are never under way at once: a counter that must rise
 * then never falls by overtaking.
 */
export class RoundRobin<S> {
  readonly #sessions: readonly S[];
  readonly #rows: number;
  #dealt = 0;
  #turns: readonly Turn<S>[] = [];

  constructor(sessions: readonly S[], rows: number) {
    this.#sessions = sessions;
    this.#rows = rows;
  }

  /** The next requests. */
  next(count: number): readonly Turn<S>[] {
    this.#turns = Array.from({ length: count }, () => this.#deal());
    return this.#turns;
  }

  /** The request of this number among the last ones dealt. */
  of(number: number): Turn<S> {
    const turn = this.#turns[number];
    if (turn === undefined) throw new Error(`there was no request ${number}`);
    return turn;
  }

  #deal(): Turn<S> {
    const number = this.#dealt++;
    const session = this.#sessions[number % this.#sessions.length];
    if (session === undefined) throw new Error("there is no session");
    const counter = Math.floor(number / this.#sessions.length) + 1;
    return { session, counter, row: (number * STEP) % this.#rows };
  }
}
