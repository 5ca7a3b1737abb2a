/** Gathers what concurrent callers ask for: one group is under way at a time, and whatever is asked meanwhile forms the next. */
import type { Result } from "./database.ts";

/** One call: its statements succeed or fail together, whatever becomes of the others in its group. */
export interface Member<S> {
  readonly statements: readonly S[];
  /** It cannot be part of a transaction, and so is a group by itself. */
  readonly alone: boolean;
  /** It may be sent again when nobody knows whether it took effect. */
  readonly idempotent: boolean;
  /** Its size on the wire, about. */
  readonly bytes: number;
  readonly resolve: (results: readonly Result<unknown>[]) => void;
  readonly reject: (error: unknown) => void;
}

/** How a {@link Lane} works. */
export interface LaneOptions<S> {
  /** Bounds of a group; one member may exceed them by itself. */
  readonly maxStatements: number;
  readonly maxBytes: number;
  /** Puts off the first group of an idle lane until the present callers have asked. */
  readonly soon: (go: () => void) => void;
  /** Settles every member of a group; never rejects. */
  readonly settle: (group: readonly Member<S>[]) => Promise<void>;
}

/** A queue whose groups run one after another, each in the order in which its members were asked for. */
export class Lane<S> {
  readonly #options: LaneOptions<S>;
  #queue: Member<S>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: LaneOptions<S>) {
    this.#options = options;
  }

  /** Adds a call; resolves with its results. */
  add(call: Omit<Member<S>, "resolve" | "reject">): Promise<readonly Result<unknown>[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Result<unknown>[]>();
    this.#queue.push({ ...call, resolve, reject });
    this.#running ??= new Promise((done) => this.#options.soon(() => done(this.#run())));
    return promise;
  }

  /** Resolves when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const size = groupSize(this.#queue, this.#options);
      await this.#options.settle(this.#queue.splice(0, size));
    }
    this.#running = undefined;
  }
}

/** How many of the members that wait form the next group. */
export function groupSize(
  queue: readonly Pick<Member<unknown>, "statements" | "alone" | "bytes">[],
  { maxStatements, maxBytes }: Pick<LaneOptions<unknown>, "maxStatements" | "maxBytes">,
): number {
  let statements = 0;
  let bytes = 0;
  for (const [i, member] of queue.entries()) {
    statements += member.statements.length;
    bytes += member.bytes;
    if (i === 0 && member.alone) return 1;
    if (i > 0 && (member.alone || statements > maxStatements || bytes > maxBytes)) return i;
  }
  return queue.length;
}
