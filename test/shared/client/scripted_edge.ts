/**
 * An edge in memory that shows a {@link World} honestly, until a test makes it lie. It holds the edge's own key, and so can sign its
 * lies, which nothing between an edge and a device could.
 */
import { type Bytes, compareBytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { type CborInputMap, type CborValue, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import type { Surroundings } from "../../../shared/client/surroundings.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { deriveX25519, generateX25519 } from "../../../shared/crypto/x25519.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import {
  contentDigest,
  HEADERS,
  signAnswer,
  signatureValue,
  verifyRequest,
} from "../../../shared/protocol/http_signature.ts";
import type { ProofNode } from "../../../shared/merkle/proof_node.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { loginTranscript, type SessionKeys, sessionKeys } from "../../../shared/protocol/login.ts";
import { requireSignature } from "../../../shared/protocol/signed.ts";
import { decodeSignedSubmission } from "../../../shared/protocol/submission.ts";
import { rowHash } from "../../../shared/protocol/row.ts";
import { TABLE_NAMES, type TableName } from "../../../shared/protocol/tables.ts";
import { naivePath } from "../merkle/history_model.ts";
import { naiveProof, type Range as ProvenRange, wholeList as listRange } from "../merkle/proof_model.ts";
import type { Generation, World, WorldRow } from "./world.ts";

/** An answer before it is encoded and signed. */
export type Answer = Record<string, CborInputMap[string]>;

/** A refusal: signed within a session, plain before. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Session {
  readonly keys: SessionKeys;
  readonly device: Bytes;
  isOver: boolean;
}

const OWN_STATUS: Partial<Record<ErrorCode, number>> = {
  ...{ unauthorized: 401, not_found: 404, conflict: 409, epoch_gone: 410, malformed: 400 },
};

export class ScriptedEdge {
  readonly world: World;
  /** `METHOD name` of every request, in order: `GET challenge`, `GET rows`. */
  readonly requests: string[] = [];
  readonly urls: string[] = [];
  readonly inbox: { readonly position: number; readonly device: Bytes; readonly signed: Bytes }[] = [];
  readonly parts = new Map<string, Bytes>();
  /** How many changes one answer holds. */
  changesInPage = 1_000;
  /** The generation that is shown; the newest if null. */
  shown: Generation | null = null;
  /** Changes what is said, before it is signed. */
  lie: (name: string, answer: Answer) => Answer | Promise<Answer> = (_, answer) => answer;
  /** Changes what is sent, after it was signed. */
  spoil: (name: string, response: Response) => Response | Promise<Response> = (_, response) => response;
  /** Refuses, or lets pass with null. */
  refuse: (name: string) => Refusal | null = () => null;
  /** Runs before anything else of a request; it may throw as a network does. */
  before: (name: string) => void | Promise<void> = () => {};
  /** The edge's clock, Millis; ahead of everybody else's by an hour. */
  now: () => number;
  readonly sessions = new Map<string, Session>();
  readonly challenges = new Set<string>();

  constructor(world: World) {
    this.world = world;
    this.now = () => world.time + 3_600_000;
  }

  /** What a client of this edge runs in: its clock shows a minute after the newest head. */
  surroundings(changes: Partial<Surroundings> = {}): Surroundings {
    return {
      fetch: (url, init) => this.fetch(url, init),
      now: () => (this.world.generations.at(-1)?.head.time ?? this.world.time) + 60_000,
      monotonic: () => this.world.time,
      random: webCryptoRandom,
      wait: () => Promise.resolve(),
      ...changes,
    };
  }

  get #generation(): Generation {
    return this.shown ?? this.world.current;
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname, search } = new URL(url);
    const base = new URL(this.world.edge.origin).pathname;
    const [, , owner = "", ...rest] = pathname.slice(base === "/" ? 0 : base.length).split("/");
    const name = rest[0] ?? "";
    this.requests.push(`${init.method} ${name}`);
    this.urls.push(url);
    init.signal?.throwIfAborted();
    await this.before(name);
    const headers = new Headers(init.headers);
    const body = init.body === undefined ? new Uint8Array() : new Uint8Array(init.body as Bytes);
    const response = owner === toHex(this.world.owner.id)
      ? await this.#answer(name, rest, { method: init.method ?? "", pathname, search, headers, body })
      : problem({ status: 401, code: "unauthorized" });
    return await this.spoil(name, response);
  }

  async #answer(name: string, rest: readonly string[], request: Asked): Promise<Response> {
    const isOpen = name === "challenge" || name === "statement" || name === "login";
    if (isOpen) {
      const refused = this.refuse(name);
      if (refused !== null) return problem(refused);
      if (name === "login") return await this.#login(request);
      return cbor(
        await this.lie(name, name === "challenge" ? this.#challenge() : { statement: this.#generation.statement }),
      );
    }
    const session = this.sessions.get(request.headers.get(HEADERS.session) ?? "");
    if (session === undefined || session.isOver) return problem({ status: 401, code: "unauthorized" });
    const number = this.#requireSigned(session, request);
    const refused = this.refuse(name) ?? await this.#within(name, rest, request, session);
    const response = "status" in refused && "code" in refused
      ? problem(refused as Refusal)
      : cbor(await this.lie(name, refused as Answer));
    return await sign(response, session.keys, number, request.headers.get(HEADERS.signature) ?? "");
  }

  #challenge(): Answer {
    const challenge = webCryptoRandom(64);
    this.challenges.add(toHex(challenge));
    return { challenge, time: this.now() };
  }

  async #login({ body }: Asked): Promise<Response> {
    const { seen, ...asked } = decodeCbor(body) as Record<string, Bytes> & { seen?: number };
    const { device, ephemeral, challenge, signature } = asked;
    if (!device || !ephemeral || !challenge || !signature) throw new Error("a login of another form");
    const row = this.#deviceRow(device);
    if (!this.challenges.delete(toHex(challenge)) || row === undefined) {
      return problem({ status: 401, code: "unauthorized" });
    }
    const transcript = loginTranscript({
      ...{ owner: this.world.owner.id, origin: this.world.edge.origin, edgeKey: this.world.edge.key },
      ...{ challenge, ephemeral, device, statement: null },
    });
    const known = this.world.devices.find(({ profile }) => equalBytes(profile.device, device));
    if (known === undefined) return problem({ status: 401, code: "unauthorized" });
    await requireSignature(known.keys.publicKey, signature, transcript, "login");
    const own = await generateX25519();
    const keys = sessionKeys(
      transcript,
      own.publicKey,
      await deriveX25519(own.privateKey, ephemeral),
      await deriveX25519(this.world.edgeKey.privateKey, ephemeral),
    );
    const token = `session-${this.sessions.size}`;
    this.sessions.set(token, { keys, device, isOver: false });
    const { head, signed, statement } = this.#generation;
    const answer = await this.lie("login", {
      ...{ session: token, ephemeral: own.publicKey, time: this.now(), expires: this.now() + 3_600_000 },
      ...{ statement, generation: head.generation, epoch: head.epoch, head: signed, record: row.bytes },
      history: this.history(seen),
    });
    return await sign(cbor(answer), keys, 0, null);
  }

  #deviceRow(device: Bytes): WorldRow | undefined {
    const index = this.world.devices.findIndex(({ profile }) => equalBytes(profile.device, device));
    return index < 0 ? undefined : this.#generation.tables.devices.find(({ bytes }) => {
      const extra = (decodeCbor(bytes) as CborValue[])[4] as CborValue[] | null;
      return extra !== null && equalBytes(extra?.[0] as Bytes, device);
    });
  }

  #requireSigned(session: Session, { method, pathname, search, headers, body }: Asked): number {
    const signature = { input: headers.get(HEADERS.input) ?? "", signature: headers.get(HEADERS.signature) ?? "" };
    const parts = {
      ...{ method, path: pathname, query: search === "" ? "?" : search, digest: contentDigest(body) },
      session: headers.get(HEADERS.session) ?? "",
    };
    const stamp = verifyRequest(session.keys.c2s, parts, signature);
    if (stamp === null || headers.get(HEADERS.digest) !== parts.digest) {
      throw new Error("the client sent a request that is not signed well");
    }
    if (Math.abs(stamp.created * 1_000 - this.now()) > 60_000) throw new Error("the client's time is not the edge's");
    return stamp.number;
  }

  async #within(name: string, rest: readonly string[], request: Asked, session: Session): Promise<Answer | Refusal> {
    const { head, signed, statement } = this.#generation;
    const current = { generation: head.generation, epoch: head.epoch };
    const query = new URLSearchParams(request.search);
    const seen = query.get("seen");
    const history = this.history(seen === null ? undefined : Number(seen));
    switch (name) {
      case "head":
        return { ...current, head: signed, history };
      case "record":
        return { ...current, head: signed, statement, record: this.#deviceRow(session.device)?.bytes ?? null, history };
      case "rows":
        return this.#rows(rest[1] as TableName, query, current);
      case "tables":
        return this.#table(rest[1] as TableName, query, current);
      case "changes":
        return this.#changes(rest[1] as TableName, query, current);
      case "inbox":
        return await this.#inbox(rest, query, request, session);
      case "logout":
        session.isOver = true;
        return {};
      default:
        return { status: 404, code: "not_found" };
    }
  }

  #rows(table: TableName, query: URLSearchParams, current: Answer): Answer | Refusal {
    const epoch = Number(query.get("epoch"));
    const shown = this.world.generations.findLast(({ head }) => head.epoch === epoch);
    if (shown === undefined || !TABLE_NAMES.includes(table)) return { status: 410, code: "epoch_gone" };
    const state = epoch === this.#generation.head.epoch ? this.#generation : shown;
    const token = fromHex(query.get("token") ?? "");
    const list = state.tables[table].filter((row) => equalBytes(row.token, token));
    const from = query.get("from");
    const asked = from === null
      ? list.filter(({ number }) => number < Number(query.get("before"))).reverse()
      : list.filter(({ number }) => number >= Number(from));
    const page = fitting(asked, Number(query.get("limit")));
    const more = asked.length > page.length;
    const range = from === null
      ? { ...listRange(token), highest: treeKey(token, Number(query.get("before")) - 1) }
      : { ...listRange(token), lowest: treeKey(token, Number(from)) };
    const last = page.at(-1)?.key;
    const end = !more || last === undefined ? {} : from === null ? { lowest: last } : { highest: last };
    const proof = query.get("proof") === "1" ? this.prove(state, table, { ...range, ...end }) : null;
    return { ...current, rows: page.map(({ bytes }) => bytes), more, proof };
  }

  /** What proves the rows of a range in one of the tables. */
  prove(state: Generation, table: TableName, range: ProvenRange): ProofNode[] {
    return naiveProof(state.tables[table].map(({ key, bytes }) => ({ key, rowHash: rowHash(bytes) })), range);
  }

  /** The path of an earlier head in the history of the one shown; null where there is none (spec: READ-07). */
  history(seen: number | undefined): Bytes[] | null {
    const { head } = this.#generation;
    const heads = this.world.generations.filter((one) => equalBytes(one.head.incarnation, head.incarnation))
      .filter((one) => one.head.generation < head.generation);
    const index = heads.findIndex((one) => one.head.generation === seen);
    return index < 0 ? null : naivePath(heads.map(({ hash }) => hash), index);
  }

  /** Pages are short, so that every table takes several. */
  #table(table: TableName, query: URLSearchParams, current: Answer): Answer | Refusal {
    const at = Number(query.get("at"));
    const state = this.world.generations.find(({ head }) =>
      head.generation === at && head.epoch === Number(query.get("epoch"))
    );
    if (state === undefined) return { status: 410, code: "epoch_gone" };
    const after = fromHex(query.get("after") ?? "");
    const rest = state.tables[table].filter(({ key }) => after.length === 0 || compareBytes(key, after) > 0);
    const page = fitting(rest, 3);
    const next = rest.length > page.length ? page.at(-1)?.key ?? null : null;
    return { ...current, rows: page.map(({ bytes }) => bytes), next };
  }

  /** What is there at one generation and not, or not so, at the other. */
  #changes(table: TableName, query: URLSearchParams, current: Answer): Answer | Refusal {
    const stateOf = (name: string) =>
      this.world.generations.find(({ head }) =>
        head.generation === Number(query.get(name)) && head.epoch === Number(query.get("epoch"))
      )?.tables[table];
    const [since, at] = [stateOf("since"), stateOf("at")];
    if (since === undefined || at === undefined) return { status: 410, code: "epoch_gone" };
    const isIn = (rows: readonly WorldRow[], row: WorldRow) => rows.some(({ key }) => equalBytes(key, row.key));
    const after = fromHex(query.get("after") ?? "");
    const put = at.filter((row) => !since.some(({ bytes }) => equalBytes(bytes, row.bytes)));
    const removed = since.filter((row) => !isIn(at, row));
    const rest = [...put, ...removed].filter(({ key }) => after.length === 0 || compareBytes(key, after) > 0);
    const page = rest.sort((a, b) => compareBytes(a.key, b.key)).slice(0, this.changesInPage);
    return {
      ...current,
      rows: page.filter((row) => put.includes(row)).map(({ bytes }) => bytes),
      removed: page.filter((row) => removed.includes(row)).map(({ token, number }) => [token, number]),
      next: rest.length > page.length ? page.at(-1)?.key ?? null : null,
    };
  }

  async #inbox(
    rest: readonly string[],
    query: URLSearchParams,
    { method, body }: Asked,
    session: Session,
  ): Promise<Answer | Refusal> {
    if (method === "GET") {
      const after = Number(query.get("after"));
      const left = this.inbox.filter(({ position, signed }) => position > after && !this.#isTaken(signed));
      const page = left.slice(0, 2);
      const next = left.length > 2 ? page.at(-1)?.position ?? null : null;
      return { entries: page.map(({ position, signed }) => [position, signed]), next };
    }
    const asked = decodeCbor(body) as Record<string, Bytes>;
    if (rest[1] === "parts") {
      const part = asked["part"] ?? new Uint8Array();
      if (toHex(sha256(part)) !== rest[2]) return { status: 400, code: "malformed" };
      this.parts.set(toHex(sha256(part)), part);
      return {};
    }
    return await Promise.resolve(this.#submit(asked["submission"] ?? new Uint8Array(), session));
  }

  /** Whether the present head acknowledges it (spec: PUSH-07). */
  #isTaken(signed: Bytes): boolean {
    const { device, stream, number } = decodeSignedSubmission(signed).submission;
    return this.#generation.head.acks.some((ack) =>
      equalBytes(ack.device, device) && equalBytes(ack.stream, stream) && number <= ack.number
    );
  }

  #submit(signed: Bytes, session: Session): Answer | Refusal {
    const { submission } = decodeSignedSubmission(signed);
    if (!equalBytes(submission.device, session.device)) return { status: 403, code: "forbidden" };
    if (submission.parts.some(({ hash }) => !this.parts.has(toHex(hash)))) return { status: 404, code: "not_found" };
    const taken = this.inbox.find((one) => {
      const other = decodeSignedSubmission(one.signed).submission;
      return equalBytes(other.stream, submission.stream) && other.number === submission.number &&
        equalBytes(other.device, submission.device);
    });
    if (taken === undefined) {
      this.inbox.push({ position: this.inbox.length + 1, device: submission.device, signed });
      return {};
    }
    return equalBytes(taken.signed, signed) ? {} : { status: 409, code: "conflict" };
  }
}

/** As many as an answer holds (spec: READ-01). */
function fitting(rows: readonly WorldRow[], limit: number): readonly WorldRow[] {
  const page: WorldRow[] = [];
  let size = 0;
  for (const row of rows.slice(0, limit)) {
    size += row.bytes.length;
    if (page.length > 0 && size > LIMITS.maxAnswerRowBytes) break;
    page.push(row);
  }
  return page;
}

interface Asked {
  readonly method: string;
  readonly pathname: string;
  readonly search: string;
  readonly headers: Headers;
  readonly body: Bytes;
}

function cbor(answer: Answer): Response {
  return new Response(encodeCbor(answer), { headers: { "content-type": "application/cbor" } });
}

function problem({ status, code, headers = {} }: Refusal): Response {
  const body = JSON.stringify({ type: "about:blank", status, code, title: "refused" });
  return new Response(body, {
    status: OWN_STATUS[code] ?? status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

async function sign(response: Response, keys: SessionKeys, number: number, request: string | null): Promise<Response> {
  const body = new Uint8Array(await response.arrayBuffer());
  const digest = contentDigest(body);
  const parts = { status: response.status, digest, request: request === null ? null : signatureValue(request) };
  const { input, signature } = signAnswer(keys.s2c, parts, { created: 1_893_456_000, number });
  const headers = new Headers(response.headers);
  headers.set(HEADERS.digest, digest);
  headers.set(HEADERS.input, input);
  headers.set(HEADERS.signature, signature);
  return new Response(body, { status: response.status, headers });
}
