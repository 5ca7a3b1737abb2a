/**
 * The edge's program, changed: what its store answers goes through here, is remembered, and is twisted while an attack is under way.
 * What it says is then signed and sent by the real edge, which knows the session keys; so it can say anything at all.
 */
import type { EdgeStore } from "../../edge/store/store.ts";
import type { TestEdge } from "../fixtures/edge.ts";

/** Methods whose answers can be twisted. */
const TWISTED = [
  ...[
    "proven",
    "head",
    "record",
    "loginData",
    "table",
    "changes",
    "pushed",
    "list",
    "publicStatement",
    "managerLoginData",
  ] as const,
];
export type Method = typeof TWISTED[number];

export type Asked<M extends Method> = Parameters<EdgeStore[M]>;
export type Answer<M extends Method> = Awaited<ReturnType<EdgeStore[M]>>;

/** A question that was answered truthfully once. */
export interface Past<M extends Method> {
  readonly asked: Asked<M>;
  readonly answer: Answer<M>;
}

/** Changes an answer; the same object where there is nothing to lie about. */
export type Twist<M extends Method> = (answer: Answer<M>, asked: Asked<M>) => Answer<M>;
export type Twists = { [M in Method]?: Twist<M> };

/** Answers kept of each method: the first ones, some of which were strangers', and the last ones. */
const KEPT = 60;
const KEPT_FIRST = 10;

export class Liar {
  /** What is twisted now. */
  twists: Twists = {};
  /** How many answers were twisted since {@link begin}. */
  hits = 0;
  readonly #past: { [M in Method]?: Past<M>[] } = {};

  /** Puts itself between an edge's store and its program. */
  attach({ lies }: TestEdge): void {
    lies.proven = async (store, ...asked) => this.#say("proven", asked, await store.proven(...asked));
    lies.head = async (store, ...asked) => this.#say("head", asked, await store.head(...asked));
    lies.record = async (store, ...asked) => this.#say("record", asked, await store.record(...asked));
    lies.loginData = async (store, ...asked) => this.#say("loginData", asked, await store.loginData(...asked));
    lies.table = async (store, ...asked) => this.#say("table", asked, await store.table(...asked));
    lies.changes = async (store, ...asked) => this.#say("changes", asked, await store.changes(...asked));
    lies.pushed = async (store, ...asked) => this.#say("pushed", asked, await store.pushed(...asked));
    lies.list = async (store, ...asked) => this.#say("list", asked, await store.list(...asked));
    lies.publicStatement = async (store, ...asked) =>
      this.#say("publicStatement", asked, await store.publicStatement(...asked));
    lies.managerLoginData = async (store, ...asked) =>
      this.#say("managerLoginData", asked, await store.managerLoginData(...asked));
  }

  begin(twists: Twists): void {
    this.twists = twists;
    this.hits = 0;
  }

  end(): void {
    this.twists = {};
  }

  /** What was said truthfully before, oldest first. */
  past<M extends Method>(method: M): readonly Past<M>[] {
    return this.#past[method] ?? [];
  }

  #say<M extends Method>(method: M, asked: Asked<M>, answer: Answer<M>): Answer<M> {
    const twist: Twist<M> | undefined = this.twists[method];
    if (twist === undefined) {
      this.#remember(method, { asked, answer });
      return answer;
    }
    const said = twist(answer, asked);
    if (said !== answer) this.hits += 1;
    return said;
  }

  #remember<M extends Method>(method: M, one: Past<M>): void {
    const kept: Past<M>[] = this.#past[method] ?? [];
    kept.push(one);
    if (kept.length > KEPT) kept.splice(KEPT_FIRST, 1);
    Object.assign(this.#past, { [method]: kept });
  }
}
