/**
 * The one way into every endpoint: who asks, may he, and what exactly; then the answer, signed where there is a session
 * to sign for.
 */
import type { Context } from "hono";
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import { PosternError } from "../../shared/errors.ts";
import { HEADERS } from "../../shared/protocol/http_signature.ts";
import { MEDIA, REQUESTS } from "../../shared/protocol/wire.ts";
import { shapeAs } from "../../shared/protocol/shapes.ts";
import type { EdgeIdentity } from "../session/identity.ts";
import type { Logins } from "../session/login.ts";
import { OpenSessions } from "../session/open_sessions.ts";
import { isSignedBody, type RequestHead, signBody, type VerifiedHead, verifyHead } from "../session/requests.ts";
import { limitText } from "../store/checks.ts";
import type { Principal } from "../store/principal.ts";
import type { EdgeStore } from "../store/store.ts";
import { readBody, requireCbor } from "./body.ts";
import type { Access, Description, Endpoint, Outcome } from "./endpoint.ts";
import { readPath, readQuery } from "./parameters.ts";
import { codeFor } from "./problem.ts";
import type { RateLimits } from "./rate_limit.ts";
import { type Answer, refusal, respond } from "./respond.ts";

/** For what the store refuses because there was too much of it. */
const RETRY_SECONDS = 60;

/** What the gate works with. */
export interface GateTools {
  readonly identity: EdgeIdentity;
  readonly store: EdgeStore;
  readonly logins: Logins;
  readonly limits: RateLimits;
  /** Millis. */
  readonly clock: () => number;
  /** The client's address, as far as the host knows it. */
  readonly clientAddress: (context: Context) => string | null;
  /** Takes note of an error of the edge's own, and of nothing of the request (spec: STORE-01). */
  readonly report: (route: string, error: unknown) => void;
}

/** Where a request was sent. */
interface Place {
  readonly path: string;
  /** With its `?`; empty without a query. */
  readonly query: string;
}

/** What was read of a request before its query and body. */
interface Read {
  readonly place: Place;
  readonly path: unknown;
  readonly bytes: Bytes;
  /** As it was signed, and found to be that of the body. */
  readonly digest: string | null;
  readonly principal: Principal | null;
  readonly now: number;
}

export class Gate {
  readonly #tools: GateTools;
  readonly #sessions: OpenSessions;

  constructor(tools: GateTools) {
    this.#tools = tools;
    this.#sessions = new OpenSessions(tools.identity);
  }

  /** Answers a request for an endpoint. */
  serve(endpoint: Endpoint, context: Context): Promise<Response> {
    const now = this.#tools.clock();
    this.#tools.logins.forget(now);
    return endpoint.access === "public"
      ? this.#servePublic(endpoint, context, now)
      : this.#serveSession(endpoint, context, now);
  }

  /** Answers a request for what is not there; signed, if a session of ours asks (spec: SESS-13). */
  async serveNothing(context: Context, owner: string | undefined): Promise<Response> {
    const request = context.req.raw;
    if (owner === undefined || !request.headers.has(HEADERS.session)) return respond(request, refusal("not_found"));
    const now = this.#tools.clock();
    const verified = await verifyHead(this.#sessions, headOf(request, placeOf(request), owner), now);
    if (verified === null) return respond(request, refusal("unauthorized"));
    return respond(request, signed(refusal("not_found"), verified, now));
  }

  async #servePublic(endpoint: Endpoint, context: Context, now: number): Promise<Response> {
    const request = context.req.raw;
    try {
      const place = placeOf(request);
      // Before its name is remembered: only what can be an owner is counted.
      const texts = context.req.param();
      const path = readPath(asSent(texts, place));
      const { owner = "" } = texts;
      const address = this.#tools.clientAddress(context);
      const wait = this.#tools.limits.take(address, owner, endpoint.route === "login", now);
      if (wait > 0) return respond(request, { ...refusal("rate_limited"), retryAfter: wait });
      const bytes = await readBody(request);
      const { body, keys } = await this.#call(endpoint, request, {
        place,
        path,
        bytes,
        digest: null,
        principal: null,
        now,
      });
      const answer = success(body);
      if (keys === undefined) return respond(request, answer);
      // spec: SESS-06
      return respond(request, { ...answer, signature: signBody(keys, null, answer.status, answer.body, now) });
    } catch (error) {
      return respond(request, this.#refuse(endpoint, error));
    }
  }

  async #serveSession(endpoint: Endpoint, context: Context, now: number): Promise<Response> {
    const request = context.req.raw;
    const place = placeOf(request);
    const texts = context.req.param();
    let verified: VerifiedHead | null;
    try {
      verified = await verifyHead(this.#sessions, headOf(request, place, texts["owner"] ?? ""), now);
    } catch (error) {
      return respond(request, this.#refuse(endpoint, error));
    }
    if (verified === null) return respond(request, refusal("unauthorized"));
    const { principal } = verified;
    let answer: Answer;
    try {
      const bytes = request.body === null ? EMPTY : await readBody(request);
      // As bad as a wrong signature.
      if (!isSignedBody(verified, bytes)) return respond(request, refusal("unauthorized"));
      requireAccess(endpoint.access, principal.manager);
      const path = readPath(asSent(texts, place), principal.owner);
      const { digest } = verified;
      answer = success((await this.#call(endpoint, request, { place, path, bytes, digest, principal, now })).body);
    } catch (error) {
      answer = this.#refuse(endpoint, error);
    }
    return respond(request, signed(answer, verified, now));
  }

  #call(endpoint: Endpoint, request: Request, read: Read): Promise<Outcome> {
    const { identity, store, logins } = this.#tools;
    const { place, path, bytes, digest, principal, now } = read;
    const query = readQuery(endpoint.query, place.query);
    const body = bodyOf(endpoint, request, bytes);
    return endpoint.handle({ identity, store, logins, now, path, query, body, digest, principal });
  }

  #refuse(endpoint: Description, error: unknown): Answer {
    const code = codeFor(error);
    if (code === "storage") this.#tools.report(`${endpoint.method} ${endpoint.route}`, error);
    const answer = refusal(code, limitText(error));
    return code === "rate_limited" ? { ...answer, retryAfter: RETRY_SECONDS } : answer;
  }
}

function success(body: unknown): Answer {
  return { status: 200, type: MEDIA.cbor, body: encodeCbor(body as CborInput), signature: null };
}

function signed(answer: Answer, verified: VerifiedHead, now: number): Answer {
  return { ...answer, signature: signBody(verified.keys, verified, answer.status, answer.body, now) };
}

/** @throws `forbidden` */
function requireAccess(access: Access, isManager: boolean): void {
  if ((access === "manager" && !isManager) || (access === "device" && isManager)) {
    throw new PosternError("forbidden", `Only for ${access === "manager" ? "the manager" : "devices"}`);
  }
}

/** @throws `unsupported`, `malformed` (spec: CONV-02, CONV-05) */
function bodyOf({ body, route }: Description, request: Request, bytes: Bytes): unknown {
  if (body === null) {
    if (bytes.length > 0) throw new PosternError("malformed", "This request has no body");
    return null;
  }
  if (bytes.length > 0) requireCbor(request.headers);
  // Rows are stored from where they stand, and then forgotten with the body; what else comes in may stay longer than its request.
  return shapeAs(REQUESTS[body], decodeCbor(bytes, { views: body === "pushChunk" }), `body of ${route}`);
}

/** The parameters of the path, if they were sent as they stand here. @throws `malformed` */
function asSent(texts: Record<string, string>, { path }: Place): Record<string, string> {
  // A percent sign would be a second spelling, which the router has already undone (spec: CONV-06).
  if (path.includes("%")) throw new PosternError("malformed", "The path holds a percent sign");
  return texts;
}

function headOf({ headers, method }: Request, { path, query }: Place, owner: string): RequestHead {
  return {
    method,
    path,
    query: query === "" ? "?" : query,
    owner,
    session: headers.get(HEADERS.session),
    digest: headers.get(HEADERS.digest),
    input: headers.get(HEADERS.input),
    signature: headers.get(HEADERS.signature),
  };
}

/** Path and query as they were sent; parsing the URL would cost more than everything else here. */
function placeOf({ url }: Request): Place {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const fragment = url.indexOf("#", start);
  const end = fragment < 0 ? url.length : fragment;
  const mark = url.indexOf("?", start);
  const pathEnd = mark < 0 || mark > end ? end : mark;
  return { path: url.slice(start, pathEnd), query: url.slice(pathEnd, end) };
}
