/** A client that can do everything wrong: each part of a request can be replaced after it was signed, or before. */
import type * as v from "valibot";
import { type Bytes, EMPTY } from "../../../shared/bytes/bytes.ts";
import { type CborInput, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { deriveX25519, generateX25519, type X25519KeyPair } from "../../../shared/crypto/x25519.ts";
import {
  contentDigest,
  HEADERS,
  signatureValue,
  signRequest,
  verifyAnswer,
} from "../../../shared/protocol/http_signature.ts";
import { loginTranscript, MANAGER_DEVICE, type SessionKeys, sessionKeys } from "../../../shared/protocol/login.ts";
import { pathOf, queryOf, type Route } from "../../../shared/protocol/paths.ts";
import { decodeAs } from "../../../shared/protocol/shapes.ts";
import type { EdgeName } from "../../../shared/protocol/statement.ts";
import { ANSWERS, MEDIA } from "../../../shared/protocol/wire.ts";
import { assert, assertEquals } from "../../assert.ts";
import type { DeviceFixture, OwnerFixture } from "../../fixtures/owner.ts";
import type { Cast, Target } from "./target.ts";

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Bytes;
}

/** The problem code of an answer, after everything about its form was checked (CONV-09). */
export function codeOf(answer: Answer): string {
  assertEquals(answer.headers.get("content-type"), MEDIA.problem, `status ${answer.status}`);
  const problem = JSON.parse(new TextDecoder().decode(answer.body)) as Record<string, unknown>;
  assertEquals(Object.keys(problem).sort(), ["code", "status", "title", "type"]);
  assertEquals([problem["type"], problem["status"]], ["about:blank", answer.status]);
  return String(problem["code"]);
}

/** Body of an answer that must be there. */
export function bodyOf<A extends keyof typeof ANSWERS>(answer: Answer, shape: A): v.InferOutput<(typeof ANSWERS)[A]> {
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${new TextDecoder().decode(answer.body)}`);
  assertEquals(answer.headers.get("content-type"), MEDIA.cbor);
  assertEquals(answer.headers.get("cache-control"), "no-store, no-transform");
  assertEquals(answer.headers.get("content-encoding"), null);
  return decodeAs(ANSWERS[shape], answer.body, shape) as v.InferOutput<(typeof ANSWERS)[A]>;
}

/** Headers that stand alone are given as pairs, so that one can be sent twice. */
export type HeaderList = readonly (readonly [string, string])[];

export async function send(target: Target, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await target.fetch(path, init);
  const body = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

/** What a request asks for. */
export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD";
  readonly route: Route;
  readonly path?: Readonly<Record<string, string | number | Bytes>>;
  /** As text with its `?`, or as values. */
  readonly query?: string | Readonly<Record<string, string | number | Bytes | undefined>>;
  readonly body?: CborInput;
  /** A body that is no CBOR of ours. */
  readonly bytes?: Bytes;
}

/** What is done to a request that would otherwise be right. */
export interface Forgery {
  /** Another place than the signed one is asked. */
  readonly sentTo?: string;
  readonly sentMethod?: string;
  readonly sentBody?: Bytes;
  /** Seconds that `created` is off. */
  readonly createdOff?: number;
  readonly number?: number;
  /** Changes the headers just before they are sent. */
  readonly headers?: (headers: readonly [string, string][]) => HeaderList;
}

/** A request that was sent, with what verifies its answer. */
export interface Exchange {
  readonly answer: Answer;
  /** True when the answer is signed by this edge for this request (SESS-09, SESS-13). */
  readonly isSigned: boolean;
}

/** A session of the raw client. */
export class RawSession {
  readonly keys: SessionKeys;
  readonly token: string;
  readonly owner: Bytes;
  readonly #target: Target;
  readonly #basePath: string;
  readonly #edgeTime: () => number;
  number = 0;

  constructor(
    fields: Pick<RawSession, "keys" | "token" | "owner"> & {
      target: Target;
      basePath: string;
      edgeTime: () => number;
    },
  ) {
    this.keys = fields.keys;
    this.token = fields.token;
    this.owner = fields.owner;
    this.#target = fields.target;
    this.#basePath = fields.basePath;
    this.#edgeTime = fields.edgeTime;
  }

  /** Sends a request, forged or not. */
  async exchange(ask: Ask, forgery: Forgery = {}): Promise<Exchange> {
    const { init, place, mac, number } = this.prepare(ask, forgery);
    const answer = await send(this.#target, place, init);
    return { answer, isSigned: this.#isSigned(answer, mac, number) };
  }

  /** A request as it would be sent. */
  prepare(ask: Ask, forgery: Forgery = {}): { init: RequestInit; place: string; mac: string | null; number: number } {
    const method = ask.method ?? (ask.body === undefined ? "GET" : "POST");
    const path = this.#basePath + pathOf(ask.route, { owner: this.owner, ...ask.path });
    const query = typeof ask.query === "string" ? ask.query : queryOf(ask.query ?? {});
    const body = ask.bytes ?? (ask.body === undefined ? EMPTY : encodeCbor(ask.body));
    const number = forgery.number ?? ++this.number;
    const created = Math.floor(this.#edgeTime() / 1_000) + (forgery.createdOff ?? 0);
    const digest = contentDigest(body);
    const parts = { method, path, query: query === "" ? "?" : query, digest, session: this.token };
    const { input, signature } = signRequest(this.keys.c2s, parts, { created, number });
    const right: [string, string][] = [
      [HEADERS.session, this.token],
      [HEADERS.digest, digest],
      [HEADERS.input, input],
      [HEADERS.signature, signature],
      ...(body.length === 0 ? [] : [["content-type", MEDIA.cbor] as [string, string]]),
    ];
    const headers = forgery.headers?.(right) ?? right;
    const sent = forgery.sentBody ?? body;
    return {
      place: forgery.sentTo ?? path + query,
      init: {
        method: forgery.sentMethod ?? method,
        headers: headers.map(([name, value]) => [name, value] as [string, string]),
        ...(sent.length === 0 ? {} : { body: sent }),
      },
      mac: signatureValue(signature),
      number,
    };
  }

  /** Asks for something that must be answered with 200, and signed. */
  async ask<A extends keyof typeof ANSWERS>(shape: A, ask: Ask): Promise<v.InferOutput<(typeof ANSWERS)[A]>> {
    const { answer, isSigned } = await this.exchange(ask);
    const body = bodyOf(answer, shape);
    assert(isSigned, "the answer is not signed");
    return body;
  }

  /** Asks for something that must be refused under this session, and signed all the same (SESS-13). */
  async refused(ask: Ask, forgery: Forgery = {}): Promise<string> {
    const { answer, isSigned } = await this.exchange(ask, forgery);
    const code = codeOf(answer);
    assert(isSigned, `the answer ${answer.status} ${code} is not signed`);
    return code;
  }

  #isSigned({ status, headers, body }: Answer, request: string | null, number: number): boolean {
    const [digest, input, signature] = [HEADERS.digest, HEADERS.input, HEADERS.signature].map((n) =>
      headers.get(n) ?? ""
    );
    if (input === undefined || signature === undefined) return false;
    const parts = { status, digest: contentDigest(body), request };
    const stamp = verifyAnswer(this.keys.s2c, parts, { input, signature });
    return digest === parts.digest && stamp?.number === number;
  }
}

/** What a login is made of; each part can be wrong. */
export interface LoginParts {
  readonly owner: Bytes;
  readonly device: Bytes;
  readonly sign: (message: Bytes) => Promise<Bytes>;
  readonly statement?: Bytes | undefined;
  /** The generation of a head that the client has verified. */
  readonly seen?: number;
  readonly challenge?: Bytes;
  readonly ephemeral?: Bytes;
  /** What the client believes the edge to be. */
  readonly edge?: EdgeName;
  /** The owner whom the signed transcript names, if not the one in the path. */
  readonly signedOwner?: Bytes;
}

export function deviceLogin(owner: OwnerFixture, { id, signing }: DeviceFixture): LoginParts {
  return { owner: owner.id, device: id, sign: signing.sign };
}

export function managerLogin(owner: OwnerFixture): LoginParts {
  return { owner: owner.id, device: MANAGER_DEVICE, sign: owner.manager.sign, statement: owner.statement.signed };
}

/** A raw client at one edge. */
export class RawClient {
  readonly target: Target;
  readonly cast: Cast;

  constructor(target: Target, cast: Cast) {
    this.target = target;
    this.cast = cast;
  }

  /** The path of a route, base path included. */
  at(route: Route, parameters: Readonly<Record<string, string | number | Bytes>> = {}): string {
    return this.cast.basePath + pathOf(route, parameters);
  }

  async challenge(owner: Bytes): Promise<{ challenge: Bytes; time: number }> {
    return bodyOf(await send(this.target, this.at("challenge", { owner })), "challenge");
  }

  /** Sends a login made of these parts. */
  async tryLogin(parts: LoginParts): Promise<{ answer: Answer; transcript: Bytes; ephemeral: X25519KeyPair }> {
    const ephemeral = await generateX25519();
    const { body, transcript } = await this.loginBody(parts, ephemeral);
    const answer = await this.postLogin(parts.owner, encodeCbor(body));
    return { answer, transcript, ephemeral };
  }

  async loginBody(parts: LoginParts, ephemeral: X25519KeyPair) {
    const edge = parts.edge ?? this.cast.edge;
    const challenge = parts.challenge ?? (await this.challenge(parts.owner)).challenge;
    const transcript = loginTranscript({
      ...{ owner: parts.signedOwner ?? parts.owner, origin: edge.origin, edgeKey: edge.key, challenge },
      ...{ ephemeral: parts.ephemeral ?? ephemeral.publicKey, device: parts.device },
      statement: parts.statement === undefined ? null : sha256(parts.statement),
    });
    const body: Record<string, CborInput> = {
      ...{ device: parts.device, ephemeral: parts.ephemeral ?? ephemeral.publicKey, challenge },
      signature: await parts.sign(transcript),
      ...(parts.statement === undefined ? {} : { statement: parts.statement }),
      ...(parts.seen === undefined ? {} : { seen: parts.seen }),
    };
    return { body, transcript };
  }

  async postLogin(owner: Bytes, body: Bytes, type: string = MEDIA.cbor): Promise<Answer> {
    const init = { method: "POST", body, headers: { "content-type": type } };
    return await send(this.target, this.at("login", { owner }), init);
  }

  /** Logs in; the edge's proof of itself is checked (SESS-06). */
  async login(parts: LoginParts) {
    const { answer, transcript, ephemeral } = await this.tryLogin(parts);
    const body = bodyOf(answer, "login");
    const keys = sessionKeys(
      transcript,
      body.ephemeral,
      await deriveX25519(ephemeral.privateKey, body.ephemeral),
      await deriveX25519(ephemeral.privateKey, this.cast.edge.key),
    );
    const [input, signature] = [HEADERS.input, HEADERS.signature].map((name) => answer.headers.get(name) ?? "");
    assert(input !== undefined && signature !== undefined);
    const parts0 = { status: 200, digest: contentDigest(answer.body), request: null };
    assertEquals(verifyAnswer(keys.s2c, parts0, { input, signature })?.number, 0);
    const started = performance.now();
    const { clock } = this.target;
    const session = new RawSession({
      ...{ keys, token: body.session, owner: parts.owner, target: this.target, basePath: this.cast.basePath },
      edgeTime: clock === null ? () => body.time + performance.now() - started : clock.now,
    });
    return { session, answer: body };
  }
}
