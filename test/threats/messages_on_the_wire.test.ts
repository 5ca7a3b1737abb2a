/** Promise: nobody can alter, repeat, exchange or drop the signature of a request or an answer. */
import { EMPTY } from "../../shared/bytes/bytes.ts";
import { contentDigest, HEADERS } from "../../shared/protocol/http_signature.ts";
import { LIMITS } from "../../shared/limits.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { type Interceptor, type SentAnswer, type SentRequest, withHeader } from "../fixtures/traffic.ts";
import { run } from "./edge_database.ts";
import { CHANNEL, mail, pushedWorld, type Setting, SUBJECTS } from "./setting.ts";
import { bodyOf, codeOf, isSigned, isTo, lastTo, withBody } from "./wire.ts";

/** A request as it was signed, held back on its way; the client is told that the edge is out of reach. */
async function heldBack({ device }: Setting, ask: () => Promise<unknown>): Promise<SentRequest> {
  const held: SentRequest[] = [];
  const holding: Interceptor = {
    request: (request) => {
      if (!request.headers.has(HEADERS.session)) return request;
      held.push(request);
      throw new TypeError("held back");
    },
  };
  await device.traffic.with(holding, async () => void await assertRejects(ask, "network"));
  const [first] = held;
  assert(first !== undefined);
  return first;
}

function edit(request: SentRequest, name: string, change: (text: string) => string): SentRequest {
  return withHeader(request, name, change(request.headers.get(name) ?? ""));
}

type Change = (request: SentRequest, setting: Setting) => SentRequest | Promise<SentRequest>;

/** All that is signed of a request, and the ways around it. */
const CHANGES: Readonly<Record<string, Change>> = {
  "another method": (request) => ({ ...request, method: "POST" }),
  "another path": (request) => ({ ...request, url: request.url.replace("/rows/messages", "/rows/certificates") }),
  "another query": (request) => ({ ...request, url: request.url.replace(/limit=\d+/, "limit=7") }),
  "its query in another order": (request) => ({ ...request, url: request.url.replace(/\?([^&]+)&(.*)$/, "?$2&$1") }),
  "its query spelt differently": (request) => ({ ...request, url: `${request.url}&` }),
  "a body that was added": (request) => ({ ...request, method: "PUT", body: new Uint8Array([0xa0]) }),
  "another digest": (request) => withHeader(request, HEADERS.digest, contentDigest(new Uint8Array(1))),
  "another number": (request) =>
    edit(request, HEADERS.input, (text) => text.replace(/nonce="C-\d+"/, 'nonce="C-4000"')),
  "another time": (request) =>
    edit(request, HEADERS.input, (text) => text.replace(/created=(\d+)/, (_, at) => `created=${Number(at) + 1}`)),
  "the other direction": (request) => edit(request, HEADERS.input, (text) => text.replace('nonce="C-', 'nonce="S-')),
  "another algorithm": (request) => edit(request, HEADERS.input, (text) => text.replace("hmac-sha256", "hmac-sha512")),
  "no algorithm": (request) => edit(request, HEADERS.input, (text) => text.replace(';alg="hmac-sha256"', "")),
  "fewer components": (request) => edit(request, HEADERS.input, (text) => text.replace('"@query" ', "")),
  "another label": (request) => edit(request, HEADERS.input, (text) => text.replace("postern=", "other=")),
  "another signature": (request) =>
    edit(request, HEADERS.signature, (text) => text.replace(/:(.)/, (_, first) => first === "A" ? ":B" : ":A")),
  "no signature": (request) => withHeader(request, HEADERS.signature, null),
  "no signature input": (request) => withHeader(request, HEADERS.input, null),
  "no digest": (request) => withHeader(request, HEADERS.digest, null),
  "no session": (request) => withHeader(request, HEADERS.session, null),
  "another session token": (request) =>
    edit(request, HEADERS.session, (text) => text.replace(/.$/, (c) => c === "A" ? "Q" : "A")),
  "another device's session": async (request, { other }) => {
    await other.client.head();
    const theirs = lastTo(other.traffic.exchanges, "/head").request.headers.get(HEADERS.session);
    return withHeader(request, HEADERS.session, theirs);
  },
};

Deno.test("The edge refuses a signed request when anything of it was changed on its way (SESS-09)", async (t) => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const step = (name: string, change: Change) =>
    t.step(`it arrives with ${name}`, async () => {
      await device.client.login();
      const request = await heldBack(setting, () => device.client.messages.list(CHANNEL));
      const changed = await change(request, setting);
      assert(
        changed.url !== request.url || changed.method !== request.method ||
          String([...changed.headers]) !== String([...request.headers]),
      );
      const answer = await device.traffic.send(changed);
      assert(answer.status === 401 || answer.status === 404);
      assert(!isSigned(answer));
      // As it was signed, it is still good: what was refused has used nothing up.
      assertEquals((await device.traffic.send(request)).status, 200);
    });
  for (const [name, change] of Object.entries(CHANGES)) await step(name, change);
});

Deno.test("The edge refuses a submission with another body than was signed (SESS-09)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.login();
  const sends: SentRequest[] = [];
  const change: Interceptor = {
    request: (request) => {
      if (!isTo(request, "/inbox", "POST")) return request;
      sends.push(request);
      const body = request.body.slice();
      body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
      return { ...request, body };
    },
  };
  await device.traffic.with(change, async () => {
    await assertRejects(() => device.client.submit.message({ channel: "out", raw: mail("one") }), "unauthorized");
  });
  const [first] = sends;
  assert(first !== undefined);
  // With a digest that fits the changed body, the signature no longer fits the digest.
  const forged = { ...first, body: first.body.slice(0, -1) };
  const answer = await device.traffic.send(withHeader(forged, HEADERS.digest, contentDigest(forged.body)));
  assertEquals([answer.status, codeOf(answer)], [401, "unauthorized"]);
});

Deno.test("The edge refuses a read that is repeated; in another isolate it repeats what only the device opens (SESS-11)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.messages.list(CHANNEL);
  const { request, answer } = lastTo(device.traffic.exchanges, "/rows/messages");
  const again = await device.traffic.send(request);
  assertEquals([again.status, codeOf(again), isSigned(again)], [401, "unauthorized", false]);
  await world.edge.restart();
  const elsewhere = await device.traffic.send(request);
  assertEquals([elsewhere.status, elsewhere.body], [200, answer.body]);
  world.clock.advance((LIMITS.createdSkewSeconds + 1) * 1_000);
  await world.edge.restart();
  assertEquals(codeOf(await device.traffic.send(request)), "unauthorized");
});

Deno.test("The edge takes a repeated submission once, and the manager acts on it once (SESS-12, INBOX-05)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.submit.message({ channel: "out", raw: mail("once") });
  const { request } = lastTo(device.traffic.exchanges, "/inbox", "POST");
  for (let isolate = 0; isolate < 3; isolate++) {
    await world.edge.restart();
    assertEquals((await device.traffic.send(request)).status, 200);
  }
  assertEquals((await world.manager.sync()).inbox.done, 1);
  // And again after the head has acknowledged it, so that the edge no longer holds it.
  await world.edge.restart();
  await device.traffic.send(request);
  assertEquals((await world.manager.sync()).inbox.done, 0);
  assertEquals((await device.client.messages.list("out")).messages.length, 1);
});

Deno.test("The edge changes nothing when every request of a push is repeated (SESS-12, PUSH-06)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const from = world.manager.traffic.exchanges.length;
  await world.manager.receive(CHANNEL, mail("four"));
  await world.manager.sync({ rotate: true });
  const sent = world.manager.traffic.exchanges.slice(from).filter(({ request }) => request.method !== "GET");
  assert(sent.length >= 4);
  for (const { request } of [...sent, ...sent.toReversed()]) {
    await world.edge.restart();
    await world.manager.traffic.send(request);
  }
  assertEquals((await device.client.verifyAll()).asOf.generation, 2);
  assertEquals((await world.manager.sync()).pushed.generation, 3);
  await device.client.head();
  assertEquals((await device.client.verifyAll()).contents.messages, 5);
});

Deno.test("The edge refuses requests of a session after its logout, in every isolate (SESS-14)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  const request = await heldBack(setting, () => device.client.head());
  await device.client.logout();
  for (let isolate = 0; isolate < 2; isolate++) {
    assertEquals(codeOf(await device.traffic.send(request)), "unauthorized");
    await world.edge.restart();
  }
});

Deno.test("The edge refuses a token of its own making when its time is over, and one that it did not make (SESS-11)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  world.clock.advance(LIMITS.sessionMillis - 1_000);
  const request = await heldBack(setting, () => device.client.head());
  world.clock.advance(1_000);
  assertEquals(codeOf(await device.traffic.send(request)), "unauthorized");
  await using foreign = await pushedWorld();
  await foreign.device.client.head();
  const token = lastTo(foreign.device.traffic.exchanges, "/head").request.headers.get(HEADERS.session);
  assertEquals(codeOf(await device.traffic.send(withHeader(request, HEADERS.session, token))), "unauthorized");
});

/** Changes the next answer to a read of a list. */
function onRows(change: (answer: SentAnswer) => SentAnswer): Interceptor {
  return { answer: (answer, request) => isTo(request, "/rows/messages") ? change(answer) : answer };
}

const ANSWER_CHANGES: Readonly<Record<string, (answer: SentAnswer) => SentAnswer>> = {
  "another status": (answer) => ({ ...answer, status: 201 }),
  "another body": (answer) => withBody(answer, { ...bodyOf(answer), rows: [] }),
  "a body cut off": (answer) => ({ ...answer, body: answer.body.slice(0, -1) }),
  "an empty body": (answer) => ({ ...answer, body: EMPTY }),
  "another digest": (answer) => withHeader(answer, HEADERS.digest, contentDigest(EMPTY)),
  "another number": (answer) => withInput(answer, (text) => text.replace(/nonce="S-\d+"/, 'nonce="S-4000"')),
  "the other direction": (answer) => withInput(answer, (text) => text.replace('nonce="S-', 'nonce="C-')),
  "another time": (answer) => withInput(answer, (text) => text.replace(/created=\d+/, "created=1")),
  "another algorithm": (answer) => withInput(answer, (text) => text.replace("hmac-sha256", "ed25519")),
  "no binding to its request": (answer) =>
    withInput(answer, (text) => text.replace(' "signature";req;key="postern"', "")),
  "another signature": (answer) => withHeader(answer, HEADERS.signature, `postern=:${"A".repeat(43)}=:`),
};

function withInput(answer: SentAnswer, change: (text: string) => string): SentAnswer {
  return withHeader(answer, HEADERS.input, change(answer.headers.get(HEADERS.input) ?? ""));
}

for (const [name, change] of Object.entries(ANSWER_CHANGES)) {
  Deno.test(`messages.list() throws tampered when an answer arrives with ${name} (SESS-13)`, async () => {
    await using setting = await pushedWorld();
    const { device } = setting;
    await device.client.login();
    await device.traffic.with(onRows(change), async () => {
      await assertRejects(() => device.client.messages.list(CHANNEL), "tampered");
    });
    assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 4);
  });
}

Deno.test("messages.list() throws tampered when an earlier answer to the same question is shown (SESS-13)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.messages.list(CHANNEL);
  const { answer } = lastTo(device.traffic.exchanges, "/rows/messages");
  await device.traffic.with(onRows(() => answer), async () => {
    await assertRejects(() => device.client.messages.list(CHANNEL), "tampered");
  });
});

Deno.test("certificates.bySubject() throws tampered when two answers under way are exchanged (SESS-13)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.login();
  const waiting: { answer: SentAnswer; resume: (answer: SentAnswer) => void }[] = [];
  const exchanging: Interceptor = {
    answer: (answer, request) => {
      if (!isTo(request, "/rows/certificates")) return answer;
      return new Promise((resume) => {
        waiting.push({ answer, resume });
        const [first, second] = waiting;
        if (first === undefined || second === undefined) return;
        first.resume(second.answer);
        second.resume(first.answer);
      });
    },
  };
  await device.traffic.with(exchanging, async () => {
    const asked = SUBJECTS.map((subject) => device.client.certificates.bySubject(subject));
    for (const one of asked) await assertRejects(() => one, "tampered");
  });
});

Deno.test("messages.list() believes no refusal that is not signed (SESS-13)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.login();
  const refusals: readonly (readonly [status: number, code: string, seen: "network" | "unauthorized"])[] = [
    [410, "epoch_gone", "network"],
    [409, "conflict", "network"],
    [404, "not_found", "network"],
    [403, "forbidden", "network"],
    [401, "unauthorized", "unauthorized"],
  ];
  for (const [status, code, seen] of refusals) {
    const body = new TextEncoder().encode(JSON.stringify({ type: "about:blank", status, code, title: "No" }));
    const headers = new Headers({ "content-type": "application/problem+json" });
    await device.traffic.with(onRows(() => ({ status, headers, body })), async () => {
      await assertRejects(() => device.client.messages.list(CHANNEL), seen);
    });
  }
});

Deno.test("messages.list() follows no redirect, and takes no session elsewhere", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.login();
  const headers = new Headers({ location: "https://attacker.test/" });
  const sent = device.traffic.exchanges.length;
  await device.traffic.with(onRows(() => ({ status: 307, headers, body: EMPTY })), async () => {
    await assertRejects(() => device.client.messages.list(CHANNEL), "network");
  });
  const origins = device.traffic.exchanges.slice(sent).map(({ request }) => new URL(request.url).host);
  assertEquals([...new Set(origins)], ["edge.test"]);
});

Deno.test("A request that reaches the edge while its database is away changes nothing and is told so signed (SESS-13)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  await run(world.edge, "ALTER TABLE rows RENAME TO gone");
  const { message } = await assertRejects(() => device.client.messages.list(CHANNEL), "storage");
  assert(message.includes("storage"));
  assert(isSigned(lastTo(device.traffic.exchanges, "/rows/messages").answer));
});
