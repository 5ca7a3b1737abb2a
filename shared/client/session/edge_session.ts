/** Signed requests and checked answers within one session (shared/spec/session.md, "Signed messages"). */
import type * as v from "valibot";
import { type Bytes, EMPTY } from "../../bytes/bytes.ts";
import { type CborInputMap, encodeCbor } from "../../bytes/cbor.ts";
import { PosternError } from "../../errors.ts";
import { contentDigest, HEADERS, signatureValue, signRequest, verifyAnswer } from "../../protocol/http_signature.ts";
import type { SessionKeys } from "../../protocol/login.ts";
import { requireOrigin } from "../../protocol/origin.ts";
import { decodeAs } from "../../protocol/shapes.ts";
import { MEDIA } from "../../protocol/wire.ts";
import { BodyBuffers } from "./body_buffers.ts";
import { type CallOptions, exchange, type HttpAnswer } from "./http.ts";
import { problemOf, retryAfterMillis } from "./problem.ts";
import { type Attempt, withRetries } from "./retry.ts";
import type { Surroundings } from "../surroundings.ts";

/** One request of the protocol. */
export interface EdgeCall<S extends v.GenericSchema> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Of `pathOf`, relative to the edge's origin. */
  readonly path: string;
  /** Of `queryOf`; empty without a query. */
  readonly query?: string;
  readonly body?: CborInputMap;
  /** Shape of the answer, one of `ANSWERS`. */
  readonly answer: S;
  /** Names the operation in errors, as in "Reading the head". */
  readonly what: string;
  /** Byte strings of the answer are views of it: for many that are soon done with. */
  readonly views?: boolean;
}

/** What a login agreed on. */
export interface OpenedSession {
  /** Scheme, host, port and base path of the edge. */
  readonly origin: string;
  /** Sealed by the edge for itself; it travels with every request. */
  readonly token: string;
  readonly keys: SessionKeys;
  /** The edge's clock at login, Millis, and what the monotonic clock showed then. */
  readonly edgeTime: number;
  readonly monotonic: number;
  /** Millis on the edge's clock. */
  readonly expires: number;
}

/** A session with an edge; requests may run in parallel. */
export class EdgeSession {
  readonly #opened: OpenedSession;
  readonly #basePath: string;
  readonly #surroundings: Surroundings;
  readonly #buffers = new BodyBuffers();
  #number = 0;

  constructor(opened: OpenedSession, surroundings: Surroundings) {
    this.#opened = opened;
    this.#basePath = requireOrigin(opened.origin);
    this.#surroundings = surroundings;
  }

  /** True when the edge will not accept it any more, so that asking is in vain. */
  get isOver(): boolean {
    return this.#edgeTime() >= this.#opened.expires;
  }

  /**
   * Sends a request, again if the failure may pass, and returns the checked answer.
   *
   * @throws `unauthorized` when the session is over; `network`; `tampered` for an answer that is not this edge's to this request;
   * `malformed` for a body of another shape; the code of an edge's refusal
   */
  async request<S extends v.GenericSchema>(call: EdgeCall<S>, options: CallOptions = {}): Promise<v.InferOutput<S>> {
    return await this.#buffers.with(async (allocate) => {
      const body = call.body === undefined ? null : encodeCbor(call.body, allocate);
      return await withRetries(this.#surroundings, () => this.#attempt(call, body, options), options);
    });
  }

  async #attempt<S extends v.GenericSchema>(
    call: EdgeCall<S>,
    body: Bytes | null,
    options: CallOptions,
  ): Promise<Attempt<v.InferOutput<S>>> {
    const { method, path, query = "", what } = call;
    const digest = contentDigest(body ?? EMPTY);
    // Each attempt has a number of its own: the edge refuses one that it has seen (spec: SESS-10, SESS-11).
    const number = ++this.#number;
    const parts = { method, path: this.#basePath + path, query: query || "?", digest, session: this.#opened.token };
    const created = Math.floor(this.#edgeTime() / 1_000);
    const signed = signRequest(this.#opened.keys.c2s, parts, { created, number });
    const headers = {
      ...(body === null ? {} : { "content-type": MEDIA.cbor }),
      [HEADERS.session]: this.#opened.token,
      [HEADERS.digest]: digest,
      [HEADERS.input]: signed.input,
      [HEADERS.signature]: signed.signature,
    };
    const url = this.#opened.origin + path + query;
    const answer = await exchange(this.#surroundings, { url, method, headers, body, what }, options);
    this.#requireGenuine(answer, signed.signature, number, what);
    if (answer.status !== 200) {
      return { ok: false, error: problemOf(answer, what), waitMillis: retryAfterMillis(answer) };
    }
    const { views = false } = call;
    return { ok: true, value: decodeAs(call.answer, answer.body, `answer (${what})`, { views }) };
  }

  /** Status, digest, number and signature, before anything of the answer is used (spec: SESS-13). */
  #requireGenuine(answer: HttpAnswer, request: string, number: number, what: string): void {
    const input = answer.headers.get(HEADERS.input);
    const signature = answer.headers.get(HEADERS.signature);
    if (input === null || signature === null) {
      if (answer.status === 401) throw new PosternError("unauthorized", `${what}: the session is over`);
      throw new PosternError("network", `${what}: something that does not know the session answered ${answer.status}`);
    }
    const digest = requireDigest(answer, what);
    const parts = { status: answer.status, digest, request: signatureValue(request) };
    const stamp = verifyAnswer(this.#opened.keys.s2c, parts, { input, signature });
    if (stamp === null || stamp.number !== number) {
      throw new PosternError("tampered", `${what}: the answer is not signed by the edge as the answer to this request`);
    }
  }

  /** Millis on the edge's clock, as told at login and counted on by ours (spec: SESS-11). */
  #edgeTime(): number {
    return this.#opened.edgeTime + (this.#surroundings.monotonic() - this.#opened.monotonic);
  }
}

/** The digest of an answer's body, which its header must name. @throws `tampered` */
export function requireDigest(answer: HttpAnswer, what: string): string {
  const digest = contentDigest(answer.body);
  if (answer.headers.get(HEADERS.digest) !== digest) {
    throw new PosternError("tampered", `${what}: the body of the answer is not the one that its digest names`);
  }
  return digest;
}
