/**
 * Requests to GitHub's API: with the token, and again when they fail in a way that passes (https://docs.github.com/en/rest). The token
 * is sent to the API and to the host that takes its uploads, and stands in no message.
 */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { concat } from "../../../shared/bytes/bytes.ts";
import { type Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { type ErrorCode, PosternError } from "../../../shared/errors.ts";
import type { ScriptSurroundings } from "../surroundings.ts";

const TRIES = 8;
const FIRST_PAUSE = 1_000;
/** GitHub asks for a minute at least where it does not say how long. */
const LIMIT_PAUSE = 60_000;
const MAX_PAUSE = 15 * 60_000;
const MAX_JSON_BYTES = 4_194_304;
const MAX_REDIRECTS = 3;
/** How long one request may take: for an answer, and for each byte that is sent or may come, on a line of 256 kbit/s. */
const ANSWER_MILLIS = 60_000;
const BYTES_PER_MILLI = 32;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const PASSING: readonly number[] = [408, 500, 502, 503, 504];
const CODES: Readonly<Record<number, ErrorCode>> = { 401: "unauthorized", 403: "forbidden", 404: "not_found" };

/** What is asked. */
export interface GithubRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  /** JSON, or the bytes of a file. */
  readonly body?: { readonly json: unknown } | { readonly bytes: Bytes };
  readonly accept?: string;
  /** Statuses that are an answer and no failure. */
  readonly expected: readonly number[];
}

export interface GithubAnswer {
  readonly status: number;
  readonly bytes: Bytes;
}

/** What of the machine it takes. */
export type GithubSurroundings = Pick<ScriptSurroundings, "fetch" | "sleep" | "timeout" | "now">;

export class GithubApi {
  /** Without a slash at the end. */
  readonly base: string;
  readonly #token: Redacted<string>;
  readonly #s: GithubSurroundings;

  /** @param base `https://api.github.com`, or another server's */
  constructor(base: string, token: Redacted<string>, s: GithubSurroundings) {
    this.base = base;
    this.#token = token;
    this.#s = s;
  }

  /**
   * Sends a request until it is answered.
   *
   * @throws `unauthorized`, `forbidden`, `not_found`, `conflict` (422) for other statuses than the expected ones; `rate_limited`, `network`
   */
  async send(request: GithubRequest, maxBytes = MAX_JSON_BYTES): Promise<GithubAnswer> {
    this.#requireOwn(request.url);
    let pause = FIRST_PAUSE;
    for (let tries = 1;; tries++) {
      const outcome = await this.#try(request, maxBytes);
      if ("status" in outcome) return outcome;
      if (tries === TRIES) throw outcome.error;
      const wait = outcome.wait ?? pause;
      if (wait > MAX_PAUSE) throw outcome.error;
      await this.#s.sleep(wait);
      pause = Math.min(2 * pause, LIMIT_PAUSE);
    }
  }

  /** JSON, or null for 404 where that is expected. */
  async json(request: GithubRequest): Promise<unknown> {
    const { status, bytes } = await this.send(request);
    if (status === 404) return null;
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new PosternError("malformed", `${nameOf(request)} answers no JSON`, { cause });
    }
  }

  /** Whoever can put another host into an answer must not get the token. */
  #requireOwn(url: string): void {
    const { origin } = new URL(url);
    const isUploads = this.base === "https://api.github.com" && origin === "https://uploads.github.com";
    if (origin === new URL(this.base).origin || isUploads) return;
    throw new PosternError("untrusted", `GitHub names ${origin} for uploads, which is not its own`);
  }

  async #try(
    request: GithubRequest,
    maxBytes: number,
  ): Promise<GithubAnswer | { readonly error: PosternError; readonly wait?: number }> {
    let answer: GithubAnswer;
    let headers: Headers;
    try {
      const response = await this.#fetch(request, this.#s.timeout(patienceFor(request, maxBytes)));
      headers = response.headers;
      answer = { status: response.status, bytes: await readBody(response, maxBytes) };
    } catch (cause) {
      if (cause instanceof PosternError) throw cause;
      return { error: new PosternError("network", `${nameOf(request)} did not get through`, { cause }) };
    }
    const { status } = answer;
    if (request.expected.includes(status)) return answer;
    const words = wordsOf(answer);
    const wait = status === 429 || status === 403 ? this.#limitOf(headers, words) : null;
    if (wait !== null) {
      return { wait, error: new PosternError("rate_limited", `GitHub asks to wait ${Math.ceil(wait / 1_000)} s`) };
    }
    const told = `${nameOf(request)} answers ${status}${words === "" ? "" : `: ${words}`}`;
    if (PASSING.includes(status)) return { error: new PosternError("network", told) };
    throw new PosternError(CODES[status] ?? (status === 422 ? "conflict" : "network"), told);
  }

  async #fetch(
    { method, url, body, accept = "application/vnd.github+json" }: GithubRequest,
    signal: AbortSignal,
  ): Promise<Response> {
    const contentType = body === undefined ? {} : {
      "content-type": "json" in body ? "application/json" : "application/octet-stream",
    };
    const common = { accept, "user-agent": "postern-publisher", "x-github-api-version": "2022-11-28" };
    const authorization = `Bearer ${reveal(this.#token)}`;
    const sent = body === undefined ? {} : { body: "json" in body ? JSON.stringify(body.json) : body.bytes };
    const init = { method, redirect: "manual", signal, ...sent } as const;
    let response = await this.#s.fetch(url, { ...init, headers: { ...common, ...contentType, authorization } });
    // Only downloads lead elsewhere, by a URL that is signed itself: without the token.
    for (let more = MAX_REDIRECTS; method === "GET" && more > 0 && REDIRECTS.includes(response.status); more--) {
      await response.body?.cancel();
      const next = URL.parse(response.headers.get("location") ?? "", url);
      if (next === null) throw new PosternError("malformed", "GitHub leads nowhere");
      response = await this.#s.fetch(next, { redirect: "manual", signal, headers: { accept } });
    }
    return response;
  }

  /** How long to wait, or null if it is no limit that was hit. */
  #limitOf(headers: Headers, words: string): number | null {
    const after = headers.get("retry-after");
    if (after !== null && /^\d{1,6}$/.test(after)) return 1_000 * Number(after);
    const reset = headers.get("x-ratelimit-reset");
    if (headers.get("x-ratelimit-remaining") === "0" && reset !== null && /^\d{1,12}$/.test(reset)) {
      return Math.max(1_000 * Number(reset) - this.#s.now(), FIRST_PAUSE);
    }
    return /rate limit/i.test(words) ? LIMIT_PAUSE : null;
  }
}

function patienceFor({ body }: GithubRequest, maxBytes: number): number {
  const sent = body !== undefined && "bytes" in body ? body.bytes.length : 0;
  return ANSWER_MILLIS + Math.ceil((sent + maxBytes) / BYTES_PER_MILLI);
}

function nameOf({ method, url }: GithubRequest): string {
  const { host, pathname } = new URL(url);
  return `${method} ${host}${pathname}`;
}

/** What GitHub says itself, shortened. */
function wordsOf({ bytes }: GithubAnswer): string {
  try {
    const { message } = JSON.parse(new TextDecoder().decode(bytes));
    // deno-lint-ignore no-control-regex
    return typeof message === "string" ? message.replaceAll(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 200) : "";
  } catch {
    return "";
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new PosternError("too_large", `GitHub answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return concat(...chunks);
}
