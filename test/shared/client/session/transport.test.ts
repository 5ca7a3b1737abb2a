import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { type ErrorCode, isPosternError } from "../../../../shared/errors.ts";
import { HEADERS } from "../../../../shared/protocol/http_signature.ts";
import type { Surroundings } from "../../../../shared/client/surroundings.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Refusal } from "../scripted_edge.ts";
import { start } from "../start.ts";

const CBOR = { "content-type": "application/cbor" };

/** A body that goes on until it is cancelled. */
function endless(): { body: ReadableStream<Uint8Array>; sent: () => number; cancelled: () => boolean } {
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
    cancel() {
      cancelled = true;
    },
  });
  return { body, sent: () => sent, cancelled: () => cancelled };
}

/** Every answer after the login is replaced. */
async function spoiled(replace: (response: Response) => Response | Promise<Response>) {
  const started = await start();
  await started.device.login();
  started.edge.spoil = (_, response) => replace(response);
  started.edge.requests.length = 0;
  return started;
}

function withHeaders(response: Response, change: (headers: Headers) => void, status = response.status): Response {
  const headers = new Headers(response.headers);
  change(headers);
  return new Response(response.body, { status, headers });
}

Deno.test("an answer that does not end is given up at the limit, with or without a length, CONV-08", async () => {
  for (const headers of [CBOR, { ...CBOR, "content-length": "100" }]) {
    const stream = endless();
    const { device } = await spoiled(() => new Response(stream.body, { headers }));
    await assertRejects(() => device.head(), "too_large");
    assert(stream.cancelled());
    assert(stream.sent() <= LIMITS.maxBodyBytes + 4 * 65_536, `${stream.sent()}`);
  }
});

Deno.test("an answer that says that it is too large is not read at all, CONV-08", async () => {
  const stream = endless();
  const headers = { ...CBOR, "content-length": `${LIMITS.maxBodyBytes + 1}` };
  const { device } = await spoiled(() => new Response(stream.body, { headers }));
  await assertRejects(() => device.head(), "too_large");
  assert(stream.sent() <= 2 * 65_536, `${stream.sent()}`);
});

Deno.test("an endless challenge or login is given up as well, CONV-08", async () => {
  for (const name of ["challenge", "login"]) {
    const { device, edge } = await start();
    edge.spoil = (asked, response) => asked === name ? new Response(endless().body, { headers: CBOR }) : response;
    await assertRejects(() => device.login(), "too_large");
  }
});

Deno.test("an edge that does not answer, or stops in the middle, is `network` after its time", async () => {
  const silent: Surroundings["fetch"] = (_, { signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const stalled: Surroundings["fetch"] = () =>
    Promise.resolve(
      new Response(new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) }), { headers: CBOR }),
    );
  for (const fetch of [silent, stalled]) {
    const { device } = await start({ surroundings: { exchangeMillis: 30, fetch } });
    const error = await assertRejects(() => device.login(), "network");
    assert(error.message.includes("0.03 seconds"), error.message);
  }
});

Deno.test("a network error names the operation, and reads are tried again, boundedly", async () => {
  const { device, edge } = await start();
  await device.login();
  let failures = 0;
  edge.before = () => {
    if (failures-- > 0) throw new TypeError("connection reset");
  };
  failures = LIMITS.attempts - 1;
  assertEquals((await device.messages.channels()).found.length, 2);
  failures = LIMITS.attempts;
  edge.requests.length = 0;
  const error = await assertRejects(() => device.messages.channels(), "network");
  assert(error.message.startsWith("Reading messages:"), error.message);
  assertEquals(edge.requests.length, LIMITS.attempts);
});

Deno.test("waiting between attempts grows, is spread, and keeps to what the edge asks within bounds", async () => {
  const waits: number[] = [];
  const wait = (millis: number) => {
    waits.push(millis);
    return Promise.resolve();
  };
  const { device, edge } = await start({ surroundings: { wait } });
  await device.login();
  edge.refuse = () => ({ status: 503, code: "storage" });
  await assertRejects(() => device.head(), "storage");
  assertEquals(waits.length, LIMITS.attempts - 1);
  for (const [index, millis] of waits.entries()) {
    const full = LIMITS.firstRetryMillis * 2 ** index;
    assert(millis >= full / 2 && millis <= full, `${index}: ${millis}`);
  }
  waits.length = 0;
  edge.refuse = () => ({ status: 429, code: "rate_limited", headers: { "retry-after": "7" } });
  await assertRejects(() => device.head(), "rate_limited");
  assertEquals(waits, [7_000, 7_000, 7_000]);
  waits.length = 0;
  edge.refuse = () => ({ status: 429, code: "rate_limited", headers: { "retry-after": "86400" } });
  await assertRejects(() => device.head(), "rate_limited");
  assertEquals(waits, []);
});

Deno.test("the caller's signal ends an operation with its own reason", async () => {
  const { device, edge } = await start();
  await device.login();
  const ending = new AbortController();
  const reason = new Error("the user has left");
  edge.before = () => ending.abort(reason);
  const outcome = await device.head({ signal: ending.signal }).then(() => "went on", (error) => error);
  assert(outcome === reason, String(outcome));
  const before = edge.requests.length;
  const again = await device.head({ signal: ending.signal }).then(() => "went on", (error) => error);
  assert(again === reason, String(again));
  assertEquals(edge.requests.length, before);
  edge.before = () => {};
  await device.head();
});

Deno.test("one caller who leaves does not end the login that others wait for", async () => {
  const { device, edge } = await start();
  const ending = new AbortController();
  const reason = new Error("gone");
  edge.before = (name) => name === "login" ? ending.abort(reason) : undefined;
  const [left, stayed] = await Promise.allSettled([device.login({ signal: ending.signal }), device.login()]);
  assert(left.status === "rejected" && left.reason === reason);
  assertEquals(stayed.status, "fulfilled");
  assertEquals(edge.sessions.size, 1);
});

Deno.test("an answer without a good signature is used for nothing, SESS-13", async () => {
  const flip = (text: string | null) => (text ?? "").replace(/=:(.)/, (_, first) => `=:${first === "A" ? "B" : "A"}`);
  const cases: [string, ErrorCode, (response: Response) => Response | Promise<Response>][] = [
    ["no signature", "network", (one) => withHeaders(one, (headers) => headers.delete(HEADERS.signature))],
    ["no input", "network", (one) => withHeaders(one, (headers) => headers.delete(HEADERS.input))],
    ["unsigned 500", "network", () => new Response("oops", { status: 500 })],
    [
      "unsigned redirect",
      "network",
      () => new Response(null, { status: 302, headers: { location: "https://else.test" } }),
    ],
    ["unsigned problem", "network", () => {
      const body = JSON.stringify({ type: "about:blank", status: 404, code: "not_found", title: "x" });
      return new Response(body, { status: 404, headers: { "content-type": "application/problem+json" } });
    }],
    ["no digest", "tampered", (one) => withHeaders(one, (headers) => headers.delete(HEADERS.digest))],
    [
      "another digest",
      "tampered",
      (one) => withHeaders(one, (headers) => headers.set(HEADERS.digest, flip(headers.get(HEADERS.digest)))),
    ],
    ["another status", "tampered", (one) => withHeaders(one, () => {}, 201)],
    [
      "another MAC",
      "tampered",
      (one) => withHeaders(one, (headers) => headers.set(HEADERS.signature, flip(headers.get(HEADERS.signature)))),
    ],
    [
      "another number",
      "tampered",
      (one) =>
        withHeaders(
          one,
          (headers) => headers.set(HEADERS.input, (headers.get(HEADERS.input) ?? "").replace(/S-\d+/, "S-99")),
        ),
    ],
    [
      "another body",
      "tampered",
      async (one) =>
        new Response(new Uint8Array([...new Uint8Array(await one.arrayBuffer()), 0]), { headers: one.headers }),
    ],
    [
      "cut off",
      "tampered",
      async (one) => new Response(new Uint8Array(await one.arrayBuffer()).slice(0, -1), { headers: one.headers }),
    ],
  ];
  for (const [name, code, replace] of cases) {
    const { device } = await spoiled(replace);
    const error = await device.head().then(() => null, (error) => error);
    assert(isPosternError(error, code), `${name}: ${error}`);
  }
});

Deno.test("the answer to another request is no answer to this one, SESS-13", async () => {
  const { device, edge } = await start();
  await device.login();
  let kept: Response | null = null;
  edge.spoil = (_, response) => {
    kept ??= response.clone();
    return response;
  };
  await device.head();
  edge.spoil = () => kept ?? new Response();
  await assertRejects(() => device.head(), "tampered");
});

Deno.test("a session that ends again and again is `unauthorized` after one new login, SESS-13", async () => {
  const { device, edge } = await start();
  await device.login();
  edge.before = (name) => {
    if (name === "head") { for (const session of edge.sessions.values()) session.isOver = true; }
  };
  edge.requests.length = 0;
  await assertRejects(() => device.head(), "unauthorized");
  assertEquals(edge.requests, ["GET head", "GET challenge", "POST login", "GET head"]);
});

Deno.test("the edge's own refusals keep their code, and no others pass, CONV-09", async () => {
  const { device, edge } = await start();
  await device.login();
  const own: ErrorCode[] = [
    "malformed",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "unsupported",
    "rate_limited",
  ];
  const others: ErrorCode[] = ["tampered", "restored", "forked", "wrong_key"];
  for (const code of own) {
    edge.refuse = (): Refusal => ({ status: 400, code });
    await assertRejects(() => device.head(), code);
  }
  for (const code of others) {
    edge.refuse = (): Refusal => ({ status: 400, code });
    await assertRejects(() => device.head(), "network");
  }
});

Deno.test("whatever fails before a session is told by its code alone, CONV-10", async () => {
  for (const name of ["challenge", "login"]) {
    for (const code of ["unauthorized", "malformed", "rate_limited"] as const) {
      const { device, edge } = await start();
      edge.refuse = (asked) => asked === name ? { status: 401, code } : null;
      await assertRejects(() => device.login(), code);
    }
    const { device, edge } = await start();
    edge.spoil = (asked, response) => asked === name ? new Response("<html>", { status: 502 }) : response;
    await assertRejects(() => device.login(), "network");
  }
});
